//! Whose a running server is that we did not start, and what its owner would stop it with. Guesses, for messages only.

use std::fs;

use zcomm_core::net::port_holder;

use crate::Error;

/// The refusal to stop the server on `port`.
pub(crate) fn not_ours(service: &'static str, port: u16, pid: Option<u32>) -> Error {
    let holder = port_holder(port);
    let pid = pid.or(holder.as_ref().map(|holder| holder.pid));
    let unit = pid.and_then(unit_of);
    let owner = match (&unit, &holder, pid) {
        (Some(unit), ..) => format!("the system service {unit}"),
        (None, Some(holder), _) => holder.to_string(),
        (None, None, Some(pid)) => format!("process {pid}"),
        (None, None, None) => "somebody else".to_owned(),
    };
    let command = match (unit, pid) {
        (Some(unit), _) => format!("systemctl stop {unit}"),
        (None, Some(pid)) => format!("kill {pid}"),
        (None, None) => "docker ps, or your system's service manager".to_owned(),
    };
    Error::NotOurs {
        service,
        owner,
        command,
    }
}

/// The refusal to stop a server that ends with another program.
pub(crate) fn of_program(service: &'static str, pid: u32) -> Error {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = match name.trim() {
        "" => "a program",
        name => name,
    };
    Error::NotOurs {
        service,
        owner: format!("{name} (pid {pid}), with which it ends"),
        command: format!("kill {pid}"),
    }
}

/// The unit of systemd that a process belongs to, if it belongs to one.
pub(crate) fn unit_of(pid: u32) -> Option<String> {
    unit(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

/// The unit in the text of a control group: the last component of its control group.
fn unit(control_group: &str) -> Option<String> {
    let last = control_group.lines().last()?.rsplit('/').next()?;
    last.ends_with(".service").then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_end_of_the_control_group() {
        let system = "0::/system.slice/redis-server.service\n";

        assert_eq!(unit(system).as_deref(), Some("redis-server.service"));
        assert_eq!(
            unit("0::/user.slice/user-1000.slice/session-2.scope\n"),
            None
        );
    }
}
