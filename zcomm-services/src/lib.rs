//! Local services: starts, finds, watches and stops what drivers describe. Knows no service by itself.
//!
//! A driver (`zcomm-services-redis`, `zcomm-services-postgres`, one of your own) says *what* a service is: its names,
//! how it is started, how it answers. The [`Manager`] of this crate knows *how*: it looks whether the service runs,
//! whose it is, starts it where it is missing, and stops only what its project started.

#[cfg(not(unix))]
compile_error!("zcomm-services starts processes the way Unix does; there is no other way yet");

mod agreement;
mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
mod container;
mod end;
mod error;
mod event;
mod folders;
mod launch;
mod lock;
mod logs;
mod look;
mod manager;
mod needs;
mod options;
mod owner;
mod password;
mod plan;
mod process;
mod purge;
mod record;
pub mod scram;
mod start;
mod status;
mod supervise;
mod system;
mod trust;
mod usage;
mod watch;
mod words;

pub use error::Error;
pub use event::{Happened, ServiceEvent};
pub use manager::Manager;
pub use options::{Port, Source, StartOptions, Supervision};
pub use purge::Purged;
pub use status::Status;
