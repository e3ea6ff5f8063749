//! Which core runs what, whether nothing else disturbs it, and how much memory a process holds. Linux only, as the bench is.

use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_setaffinity};

pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const LOAD_CORE: usize = 1;

/// Set for the program that was started again with real-time priority.
const AGAIN: &str = "ZCOMM_BENCH_AGAIN";

/// Keeps this thread, and what it starts, on one core; where there is no such core, on the first.
pub(crate) fn pin(core: usize) -> Result<()> {
    let only = |core| {
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set)
    };
    only(core)
        .or_else(|_| only(0))
        .context("the core could not be chosen")
}

/// Runs this program again ahead of everything else on the machine, where that is allowed.
pub(crate) fn again_with_priority() -> Result<Option<ExitStatus>> {
    if std::env::var_os(AGAIN).is_some() {
        return Ok(None);
    }
    let allowed = Command::new("chrt").args(["-f", "10", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let status = Command::new("chrt")
        .args(["-f", "10"])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(AGAIN, "1")
        .status()?;
    Ok(Some(status))
}

pub(crate) fn has_priority() -> bool {
    std::env::var_os(AGAIN).is_some()
}

/// What a process holds of the machine's memory, in bytes.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .context("no VmRSS")?
        .trim()
        .parse()?;
    Ok(kilobytes * 1024)
}
