//! What a caller may wish of a start. Decides nothing: what is left open comes from settings and driver.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest pause between two attempts to start a failed service again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a caller wishes of a start; what is left open comes from the settings, else from the driver.
///
/// ```
/// use zcomm_services::{Port, Source, StartOptions};
///
/// let options = StartOptions::new().port(Port::AnyFree).throw_away().source(Source::Process);
/// assert_eq!(options.port, Port::AnyFree);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOptions {
    /// Where it is to listen. Default: the settings' port, else the driver's.
    pub port: Port,
    /// Where its data is to live. Default: the settings' folder, else one under `.zcomm/` of the project.
    pub data_dir: Option<PathBuf>,
    /// Whether its data is removed when it stops; that in a `data_dir` of the caller's never is. Default: false.
    pub throw_away: bool,
    /// The only way it may be had. Default: one that runs is adopted, else a process is started.
    pub source: Option<Source>,
    /// The version it must have, as far as it is given: `7` allows 7.0.15. Default: any.
    pub version: Option<String>,
    /// The user. Default: the driver's.
    pub user: Option<String>,
    /// The database, made at the first start. Default: the driver's.
    pub database: Option<String>,
    /// Arguments to append to the server's. Default: none.
    pub extra_args: Vec<String>,
    /// Whether it outlives the program. Default: false.
    pub detach: bool,
    /// The container's image with its tag. Default: the settings', else the driver's.
    pub image: Option<String>,
    /// How it is looked after while the program runs. Default: not at all.
    pub supervise: Option<Supervision>,
}

impl StartOptions {
    /// No wishes at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wishes a port.
    #[must_use]
    pub fn port(mut self, port: Port) -> Self {
        self.port = port;
        self
    }

    /// Wishes the data in this folder.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Wishes the data away when the service stops, and in memory until then, where the system can.
    #[must_use]
    pub fn throw_away(mut self) -> Self {
        self.throw_away = true;
        self
    }

    /// Wishes this source and no other.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Wishes a version, as far as it is given.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Wishes a user.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Wishes a database.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Wishes one more argument for the server.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.extra_args.push(argument.into());
        self
    }

    /// Wishes that the service outlives the program.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.detach = true;
        self
    }

    /// Wishes this image, should it become a container.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Wishes that the service is started again when it ends or falls silent, as long as the program runs.
    #[must_use]
    pub fn supervised(self) -> Self {
        self.supervised_by(Supervision::default())
    }

    /// The same by other rules.
    #[must_use]
    pub fn supervised_by(mut self, rules: Supervision) -> Self {
        self.supervise = Some(rules);
        self
    }

    /// What is wished of a service that this one needs and nobody says anything of.
    pub(crate) fn of_needed(&self) -> Self {
        Self {
            throw_away: self.throw_away,
            detach: self.detach,
            supervise: self.supervise,
            ..Self::default()
        }
    }

    /// Whether the data goes with the service.
    pub(crate) fn discards(&self) -> bool {
        self.throw_away && self.data_dir.is_none()
    }
}

/// How a service is looked after.
///
/// ```
/// use std::time::Duration;
/// use zcomm_services::Supervision;
///
/// let rules = Supervision::new().every(Duration::from_secs(10)).attempts(3);
/// assert_eq!(rules.attempts, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Supervision {
    /// How often it is asked whether it answers; that it ended is noticed at once. Default: 2 s.
    pub every: Duration,
    /// How often in a row it is started again. Default: 5.
    pub attempts: u32,
    /// The pause before the first attempt; each further one doubles it, up to 30 s. Default: 100 ms.
    pub first_pause: Duration,
    /// How long it has to run until earlier failures are forgotten. Default: 60 s.
    pub steady: Duration,
}

impl Default for Supervision {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(2),
            attempts: 5,
            first_pause: Duration::from_millis(100),
            steady: Duration::from_secs(60),
        }
    }
}

impl Supervision {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks that often.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Starts it again that often in a row at most.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Pauses that long before the first attempt.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// The pause before an attempt, of which the first is 1.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        let doubled = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.first_pause.saturating_mul(doubled).min(LONGEST_PAUSE)
    }
}

/// Where a service is to listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Port {
    /// Where the settings say, else where clients expect it.
    #[default]
    Default,
    /// Here or not at all.
    At(u16),
    /// Wherever nobody listens.
    AnyFree,
}

impl From<u16> for Port {
    /// A port of 0 means any that is free, as everywhere in networking.
    fn from(port: u16) -> Self {
        if port == 0 {
            Self::AnyFree
        } else {
            Self::At(port)
        }
    }
}

/// Where a running service comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// It ran before, and was started by somebody else.
    Adopted,
    /// A process that zcomm started from a binary of this machine.
    Process,
    /// A container.
    Container,
    /// A service that the operating system manages.
    System,
}

impl Source {
    /// The word in status reports and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Process => "process",
            Self::Container => "container",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
