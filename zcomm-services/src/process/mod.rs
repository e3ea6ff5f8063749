//! Services as processes of this machine: prepares, starts and stops them. Asks none of them anything.

mod account;
mod find;
mod guard;
mod identity;
mod launch;
mod listener;
mod lockfile;
mod log;
mod running;
mod signal;
mod stop;
mod template;
mod version;

pub(crate) use account::Unprivileged;
pub(crate) use find::programs;
pub(crate) use guard::{Duty, Guard};
pub(crate) use identity::ProcessId;
pub(crate) use launch::Launch;
pub(crate) use listener::may_be;
pub(crate) use log::last_lines;
pub(crate) use running::Running;
pub(crate) use stop::{end, gone};
pub(crate) use version::fits;
