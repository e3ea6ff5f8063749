//! Services that the operating system manages: systemd, Homebrew, Windows. Never asks for a password.

mod commands;
mod unit;

pub(crate) use commands::{Commands, Shell};
pub(crate) use unit::Unit;
