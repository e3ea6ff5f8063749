//! What the processes of a service use, as the system counts it. Asks no service.

use std::time::Duration;

/// What a server and its children use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Time on processors since they started.
    pub(crate) cpu: Duration,
    /// Bytes of memory that are theirs or shared with others; shared ones count once for each process.
    pub(crate) memory: u64,
}

/// What the process of that number and its children use, where the system says so.
#[cfg(target_os = "linux")]
pub(crate) fn of(pid: u32) -> Option<Usage> {
    let mut sum = linux::stat(pid)?;
    // One level: servers that fork do it from their first process.
    let children = linux::children(pid);
    for child in children.into_iter().filter_map(linux::stat) {
        sum.cpu += child.cpu;
        sum.memory += child.memory;
    }
    Some(sum)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_pid: u32) -> Option<Usage> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::Duration;

    use super::Usage;

    /// Linux counts processor time for programs in hundredths of a second (`USER_HZ`), whatever its own clock does.
    const TICK: Duration = Duration::from_millis(10);

    /// Fields 14 and 15 (ticks) of proc(5)'s stat, counted from the last parenthesis.
    pub(super) fn stat(pid: u32) -> Option<Usage> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let ticks = u32::try_from(number(11)? + number(12)?).unwrap_or(u32::MAX);
        let memory = resident(pid)?;
        let cpu = TICK * ticks;
        Some(Usage { cpu, memory })
    }

    /// The row `VmRSS:   1234 kB` of proc(5)'s status.
    fn resident(pid: u32) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let row = text.lines().find_map(|row| row.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = row.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    pub(super) fn children(pid: u32) -> Vec<u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let text = text.unwrap_or_default();
        let numbers = text.split_whitespace();
        numbers.filter_map(|number| number.parse().ok()).collect()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_memory_and_one_that_is_not_there_nothing() {
        let own = of(std::process::id()).unwrap();

        assert!(own.memory > 64 * 1024, "{own:?}");
        assert_eq!(of(u32::MAX), None);
    }
}
