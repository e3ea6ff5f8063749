//! Signals to a process that is surely the one that is meant. Waits for nothing.

use std::io;

use rustix::process::{Pid, Signal};
use zcomm_core::service::StopSignal;

use super::ProcessId;

/// Sends a signal, unless the process has ended.
pub(crate) fn send(to: &ProcessId, signal: StopSignal) -> io::Result<()> {
    let number = i32::try_from(to.pid).ok().and_then(Pid::from_raw);
    let Some(pid) = number else { return Ok(()) };
    match deliver(to, pid, native(signal)) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        other => other.map_err(io::Error::from),
    }
}

/// The name that `kill -s` knows.
pub(crate) const fn name(signal: StopSignal) -> &'static str {
    match signal {
        StopSignal::Interrupt => "INT",
        StopSignal::Quit => "QUIT",
        StopSignal::Kill => "KILL",
        _ => "TERM",
    }
}

const fn native(signal: StopSignal) -> Signal {
    match signal {
        StopSignal::Interrupt => Signal::INT,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Kill => Signal::KILL,
        _ => Signal::TERM,
    }
}

/// Holds the process by a descriptor, then looks whether it is the right one: between the look and the signal its
/// number cannot go to another.
#[cfg(target_os = "linux")]
fn deliver(to: &ProcessId, pid: Pid, signal: Signal) -> rustix::io::Result<()> {
    use rustix::process::{PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};

    let held = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(held) => Some(held),
        // Kernels before 5.3, and sandboxes that do not know the call.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => None,
        Err(error) => return Err(error),
    };
    if !to.is_alive() {
        return Ok(());
    }
    held.map_or_else(
        || kill_process(pid, signal),
        |held| pidfd_send_signal(held, signal),
    )
}

#[cfg(not(target_os = "linux"))]
fn deliver(to: &ProcessId, pid: Pid, signal: Signal) -> rustix::io::Result<()> {
    if !to.is_alive() {
        return Ok(());
    }
    rustix::process::kill_process(pid, signal)
}
