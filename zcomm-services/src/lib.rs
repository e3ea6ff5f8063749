//! Local services: starts, finds, watches and stops what drivers describe. Knows no service by itself.
//!
//! A driver (`zcomm-services-redis`, `zcomm-services-postgres`, one of your own) says *what* a service is: its names,
//! how it is started, how it answers. The [`Manager`] of this crate knows *how*: it looks whether the service runs,
//! whose it is, starts it where it is missing, and stops only what its project started.

#[cfg(not(unix))]
compile_error!("zcomm-services starts processes the way Unix does; there is no other way yet");

mod agreement;
mod error;
mod folders;
mod launch;
mod lock;
mod look;
mod manager;
mod options;
mod owner;
mod password;
mod plan;
mod process;
mod record;
mod start;
mod status;
mod words;

pub use error::Error;
pub use manager::Manager;
pub use options::{Port, Source, StartOptions};
pub use status::Status;
