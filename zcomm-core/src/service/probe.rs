//! What a probe found out.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

/// What a service does right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ServiceState {
    /// It answers in its own protocol.
    Running,
    /// It is there, and not ready yet.
    Starting,
    /// Nobody listens.
    Stopped,
    /// Somebody listens, and it is not this service.
    Error,
    /// It could not be found out.
    Unknown,
}

impl ServiceState {
    /// The word in status reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopped => "stopped",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which instance answered, so that it is recognised when it is met again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceIdentity {
    /// What the server says it is, where it is a compatible one and not the original.
    pub product: Option<String>,
    /// The version it reports.
    pub version: Option<String>,
    /// What tells this instance from any other: a run id, a system identifier, a data directory.
    pub instance: Option<String>,
    /// The process, where the server says so.
    pub pid: Option<u32>,
    /// How long it has been running, where the server says so.
    pub uptime: Option<Duration>,
    /// Where its data lives, where the server says so.
    pub data_dir: Option<PathBuf>,
}

/// What a probe found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Probe {
    /// What the service does.
    pub state: ServiceState,
    /// Which instance answered, if one did.
    pub identity: Option<ServiceIdentity>,
    /// How long the answer took.
    pub latency: Option<Duration>,
    /// What was found instead, in words, where the state alone does not say.
    pub detail: Option<String>,
}

impl Probe {
    /// An instance answered.
    pub fn running(identity: ServiceIdentity, latency: Duration) -> Self {
        Self {
            state: ServiceState::Running,
            identity: Some(identity),
            latency: Some(latency),
            detail: None,
        }
    }

    /// It answers in its own protocol, and does not let us in: who it is stays unknown.
    pub fn closed(detail: impl Into<String>, latency: Duration) -> Self {
        Self {
            latency: Some(latency),
            detail: Some(detail.into()),
            ..Self::bare(ServiceState::Running)
        }
    }

    /// It is there, and says that it is not ready.
    pub fn starting(detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::bare(ServiceState::Starting)
        }
    }

    /// Nobody listens.
    pub fn stopped() -> Self {
        Self::bare(ServiceState::Stopped)
    }

    /// Somebody listens who is not it.
    pub fn error(detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::bare(ServiceState::Error)
        }
    }

    /// It could not be found out.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::bare(ServiceState::Unknown)
        }
    }

    /// Whether the service answers.
    pub fn is_running(&self) -> bool {
        self.state == ServiceState::Running
    }

    /// Whether the service answers and let us in, so that it can be used.
    pub fn is_open(&self) -> bool {
        self.is_running() && self.identity.is_some()
    }

    fn bare(state: ServiceState) -> Self {
        Self {
            state,
            identity: None,
            latency: None,
            detail: None,
        }
    }
}
