//! What a caller may wish of a start. Decides nothing: what is left open comes from settings and driver.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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

    /// Whether the data goes with the service.
    pub(crate) fn discards(&self) -> bool {
        self.throw_away && self.data_dir.is_none()
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
