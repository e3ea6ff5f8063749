//! Why a service could not be started, found or stopped. Holds no code that does either.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zcomm_core::Code;
use zcomm_core::net::Holder;
use zcomm_core::service::ServiceState;

use crate::Source;
use crate::words::{By, Found, Hint, InFolders, LastLines};

/// What kept a service from being started, found or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The driver is unknown, or could not be made.
    #[error(transparent)]
    Driver(#[from] zcomm_core::Error),
    /// The driver knows no such way, or this version of zcomm does not.
    #[error("{service} cannot be started from the source `{asked}`")]
    NoSource {
        /// The service.
        service: &'static str,
        /// The source that was asked for.
        asked: Source,
    },
    /// There is no binary of it.
    #[error("{service} is not installed: no `{program}` on PATH{}{}", InFolders(looked_in), Hint(*hint))]
    NotInstalled {
        /// The service.
        service: &'static str,
        /// The program that was looked for.
        program: String,
        /// Where, besides `PATH`.
        looked_in: Vec<String>,
        /// What installs it on this system.
        hint: Option<&'static str>,
    },
    /// Somebody else has the port.
    #[error("port {port} for {service} is taken{}{}", By(holder.as_ref()), Found(found.as_deref()))]
    PortTaken {
        /// The service.
        service: &'static str,
        /// The port.
        port: u16,
        /// Who has it, where that can be read.
        holder: Option<Holder>,
        /// What answered there instead of the service.
        found: Option<String>,
    },
    /// No container can be started: neither command is there, or their daemons do not answer.
    #[error("{service} cannot be started as a container: {}", said.join("; "))]
    NoEngine {
        /// The service.
        service: &'static str,
        /// What became of each command that was tried.
        said: Vec<String>,
    },
    /// A command that manages containers or system services failed.
    #[error("`{command}` failed ({status}){}", Found(Some(said.as_str()).filter(|said| !said.is_empty())))]
    Command {
        /// The command, without what follows its verb.
        command: String,
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
    /// A service that it needs could not be started, or one that needs it could not be stopped.
    #[error("{service} waited for {other}, which failed")]
    Needed {
        /// The service.
        service: &'static str,
        /// The one it waited for.
        other: &'static str,
    },
    /// The driver names no program that a person could talk to it with.
    #[error("{service} has no client of its own")]
    NoClient {
        /// The service.
        service: &'static str,
    },
    /// Services need each other in a circle.
    #[error("{service} needs itself, by way of the services that it needs")]
    NeedsCircle {
        /// One of the circle.
        service: &'static str,
    },
    /// Another server has the data folder open.
    #[error("the data of {service} in {} is in use by process {pid}", folder.display())]
    DataInUse {
        /// The service.
        service: &'static str,
        /// The folder of the data.
        folder: PathBuf,
        /// Who has it open.
        pid: u32,
    },
    /// The folder of the service is a link to one that is not this project's own, which is left alone.
    #[error("{} leads to {}, which is not this project's own; remove the link, or set the data folder of {service}", link.display(), leads_to.display())]
    ForeignLink {
        /// The service.
        service: &'static str,
        /// The folder of the service in this project.
        link: PathBuf,
        /// Where it leads.
        leads_to: PathBuf,
    },
    /// Data that is to be kept lies inside a folder that would have to be removed.
    #[error("the data of {service} in {} is to be kept, and lies inside {}, which would be removed", data.display(), folder.display())]
    DataInside {
        /// The service.
        service: &'static str,
        /// The data folder that the caller or the settings named.
        data: PathBuf,
        /// The folder that would be removed.
        folder: PathBuf,
    },
    /// The data was made with another password than the one that is set now; the kept one stays as it is.
    #[error("the data of {service} has another password than the setting `{service}.password`; unset it to go on with the one in {}, or change it in the server first", file.display())]
    PasswordDiffers {
        /// The service.
        service: &'static str,
        /// Where the password of the data is.
        file: PathBuf,
    },
    /// What the server needs done from within failed.
    #[error("{service} could not be prepared")]
    Prepare {
        /// The service.
        service: &'static str,
        /// What the driver says.
        #[source]
        source: zcomm_core::Error,
    },
    /// Nobody is there to be adopted.
    #[error("no {service} answers at {endpoint}")]
    NothingToAdopt {
        /// The service.
        service: &'static str,
        /// Where it was looked for.
        endpoint: String,
    },
    /// The one that runs is not the one that was asked for.
    #[error("{service} is running with {what} {found}, and {wanted} was asked for")]
    Mismatch {
        /// The service.
        service: &'static str,
        /// What differs: `port`, `version`, `data folder`.
        what: &'static str,
        /// What was asked for.
        wanted: String,
        /// What the running one has.
        found: String,
    },
    /// It was started by somebody else, who alone may stop it.
    #[error("{service} was not started by this project but by {owner}; stop it with `{command}`")]
    NotOurs {
        /// The service.
        service: &'static str,
        /// Whose it is, as far as that can be read.
        owner: String,
        /// What its owner would stop it with.
        command: String,
    },
    /// The server ended before it answered.
    #[error("{service} ended while it started ({status}){}", LastLines(log))]
    Ended {
        /// The service.
        service: &'static str,
        /// How it ended.
        status: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// The server runs, and does not answer.
    #[error(
        "{service} did not answer within {waited:?} ({state}){}",
        LastLines(log)
    )]
    NotReady {
        /// The service.
        service: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// What the last probe found.
        state: ServiceState,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// A step that makes the data folder failed.
    #[error(
        "`{program}` could not prepare the data of {service} ({status}){}",
        LastLines(log)
    )]
    Init {
        /// The service.
        service: &'static str,
        /// The program that was run.
        program: String,
        /// How it ended.
        status: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// The data was made by a version that is not installed; it is left as it is.
    #[error("the data of {service} in {} was made by version {made_by}, and installed is {}", folder.display(), installed.join(", "))]
    DataVersion {
        /// The service.
        service: &'static str,
        /// The folder of the data.
        folder: PathBuf,
        /// The version that made it.
        made_by: String,
        /// The versions that there are.
        installed: Vec<String>,
    },
    /// The process is still there after SIGKILL.
    #[error("{service} (pid {pid}) is still there {waited:?} after it was killed")]
    Unstoppable {
        /// The service.
        service: &'static str,
        /// Its process.
        pid: u32,
        /// How long it was waited for.
        waited: Duration,
    },
    /// There is no log: this project did not start the service, or its data was thrown away.
    #[error(
        "there is no log of {service}: this project has not started it, or its data was thrown away"
    )]
    NoLog {
        /// The service.
        service: &'static str,
    },
    /// The account that the service runs under may not enter a folder on the way to its data.
    #[error("the account `{account}`, under which {service} runs, may not enter {}", folder.display())]
    Unreachable {
        /// The service.
        service: &'static str,
        /// The account.
        account: String,
        /// The folder that it may not enter.
        folder: PathBuf,
    },
    /// Another program is starting or stopping the same service of the same project.
    #[error("another program has been starting or stopping {service} for {waited:?}")]
    Busy {
        /// The service.
        service: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The record of who started what is not readable.
    #[error("the record {} is damaged", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Another account could have written what says who started what; nothing that it names is run, stopped or removed.
    #[error("{} is not trusted: it belongs to another account, or others may write to it", path.display())]
    Untrusted {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file or a process could not be handled.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system has no random numbers to make a password of.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

impl Error {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            // What the registry says of a name is more than the wire's `internal`.
            Self::Driver(zcomm_core::Error::Registry(error)) => error.code(),
            Self::Driver(error) => error.code().as_str(),
            Self::NoSource { .. } => "no_source",
            Self::NotInstalled { .. } => "not_installed",
            Self::NoEngine { .. } => "no_engine",
            Self::Command { .. } => "command_failed",
            Self::NoClient { .. } => "no_client",
            Self::Needed { .. } => "needed",
            Self::NeedsCircle { .. } => "needs_circle",
            Self::DataInUse { .. } => "data_in_use",
            Self::ForeignLink { .. } => "foreign_link",
            Self::DataInside { .. } => "data_inside",
            Self::PasswordDiffers { .. } => "password_differs",
            Self::Prepare { .. } => "prepare_failed",
            Self::PortTaken { .. } => "port_taken",
            Self::NothingToAdopt { .. } => "nothing_to_adopt",
            Self::Mismatch { .. } => "mismatch",
            Self::NotOurs { .. } => "not_ours",
            Self::Ended { .. } => "ended",
            Self::NotReady { .. } => "not_ready",
            Self::Init { .. } => "init_failed",
            Self::DataVersion { .. } => "data_version",
            Self::Unstoppable { .. } => "unstoppable",
            Self::NoLog { .. } => "no_log",
            Self::Unreachable { .. } => "unreachable",
            Self::Busy { .. } => "busy",
            Self::Record { .. } => "damaged_record",
            Self::Untrusted { .. } => "untrusted",
            Self::Io { .. } => "io",
            Self::Random(_) => "random",
        }
    }

    /// Whether the same call may succeed later, with nothing changed by anybody.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Driver(error) => error.is_retryable(),
            Self::NotReady { .. } | Self::Busy { .. } | Self::NothingToAdopt { .. } => true,
            _ => false,
        }
    }

    /// Names what was being done to which file when the system refused.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

impl From<Error> for zcomm_core::Error {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Driver(inner) => return inner,
            Error::PortTaken { .. }
            | Error::Mismatch { .. }
            | Error::DataInUse { .. }
            | Error::DataInside { .. }
            | Error::PasswordDiffers { .. } => Code::Conflict,
            Error::NotOurs { .. } | Error::ForeignLink { .. } | Error::Untrusted { .. } => {
                Code::Forbidden
            }
            Error::NoSource { .. } | Error::NoClient { .. } => Code::BadRequest,
            Error::NoLog { .. } => Code::NotFound,
            Error::Record { .. } | Error::Io { .. } | Error::Random(_) => Code::Internal,
            _ => Code::Unavailable,
        };
        Self::other(code, error)
    }
}
