//! What is known of a service at one moment. Finds nothing out by itself.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};
use zcomm_core::service::{ConnectionInfo, Os, ServiceState};

use crate::Source;

/// What is known of a service at one moment.
///
/// In JSON it is the object of the guides: `running`, `port`, `pid`, `uptime` (in seconds), `os`, `error`,
/// `connection_info` and more, without secrets.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The service.
    pub name: &'static str,
    /// Whether it answers.
    pub running: bool,
    /// What it does.
    pub state: ServiceState,
    /// Where it comes from, if it is there.
    pub source: Option<Source>,
    /// The version it reports.
    pub version: Option<String>,
    /// Where it listens, or would.
    pub port: u16,
    /// Its process, where that is known.
    pub pid: Option<u32>,
    /// How long it has been running, where it says so.
    #[serde(serialize_with = "seconds")]
    pub uptime: Option<Duration>,
    /// Time on processors that its processes have taken, where the system says so.
    #[serde(serialize_with = "seconds")]
    pub cpu: Option<Duration>,
    /// Bytes of memory that its processes hold, where the system says so.
    pub memory: Option<u64>,
    /// The operating system.
    #[serde(serialize_with = "os")]
    pub os: Os,
    /// Where its data lives, where that is known.
    pub data_dir: Option<PathBuf>,
    /// Whether this project started it, so that this project may stop it.
    pub ours: bool,
    /// What is wrong, in words.
    pub error: Option<String>,
    /// What a client needs to connect, if it answers.
    pub connection_info: Option<ConnectionInfo>,
}

fn seconds<S: Serializer>(uptime: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    uptime.map(|uptime| uptime.as_secs()).serialize(serializer)
}

fn os<S: Serializer>(os: &Os, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(os.as_str())
}
