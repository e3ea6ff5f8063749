//! Which process a number means: a number is used again, a number with a start time is not. Signals nobody.

use serde::{Deserialize, Serialize};

/// A process that is not mistaken for a later one of the same number, not even after a restart of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// Its number.
    pub(crate) pid: u32,
    /// The boot, where the system names it.
    boot: String,
    /// When it started, as the system counts; opaque.
    started: String,
}

impl ProcessId {
    /// The process of that number, if there is one that has not ended.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let started = system::started(pid)?;
        let boot = system::boot();
        Some(Self { pid, boot, started })
    }

    /// This program.
    pub(crate) fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it has not ended. One that ended and was not waited for yet counts as ended.
    pub(crate) fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// When it started, as the guard's script compares it.
    pub(crate) fn started(&self) -> &str {
        &self.started
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    pub(super) fn boot() -> String {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    }

    pub(super) fn started(pid: u32) -> Option<String> {
        ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The start time of proc(5)'s stat: field 22, counted from the last parenthesis, because a name may hold any.
    pub(super) fn ticks(stat: &str) -> Option<String> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ended = matches!(*fields.first()?, "Z" | "X");
        (!ended).then(|| fields.get(19).map(|ticks| (*ticks).to_owned()))?
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::process::Command;

    pub(super) fn boot() -> String {
        String::new()
    }

    /// `ps` is the one portable way that needs no unsafe code.
    pub(super) fn started(pid: u32) -> Option<String> {
        let output = Command::new("ps")
            .env("LC_ALL", "C")
            .args(["-o", "stat=", "-o", "lstart=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        let line = String::from_utf8(output.stdout).ok()?;
        let (state, started) = line.trim().split_once(char::is_whitespace)?;
        (!state.starts_with('Z')).then(|| started.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_process_of_the_same_number_is_another_one() {
        let own = ProcessId::own().unwrap();
        let earlier = ProcessId {
            started: "1".into(),
            ..own.clone()
        };

        assert!(own.is_alive());
        assert!(!earlier.is_alive());
    }

    #[test]
    fn a_process_that_ended_is_not_alive_before_it_is_waited_for() {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "read -r _"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let id = ProcessId::of(child.id()).unwrap();

        drop(child.stdin.take());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while id.is_alive() {
            assert!(std::time::Instant::now() < deadline, "it never ended");
            std::thread::yield_now();
        }

        assert_eq!(child.wait().unwrap().code(), Some(1));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";

        assert_eq!(system::ticks(stat).as_deref(), Some("4711"));
        assert_eq!(system::ticks("7 (a) Z 1 2"), None);
    }
}
