//! Who listens where a server is to listen: whether a password that is sent there reaches that server. Sends nothing.

/// Whether the one that listens on that port of loopback is that process, or one that it started; true where nobody
/// listens or the system does not say.
#[cfg(target_os = "linux")]
pub(crate) fn may_be(pid: u32, port: u16) -> bool {
    let sockets = system::listening(port);
    sockets.is_empty() || system::holds(pid, &sockets)
}

/// Whether the one that listens on that port of loopback is that process; not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn may_be(_pid: u32, _port: u16) -> bool {
    true
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;

    /// The state of a listening socket in the kernel's table.
    const LISTEN: &str = "0A";
    /// 127.0.0.1 and every address, as the kernel's table has them on a machine of either byte order.
    const LOOPBACK: [&str; 2] = ["0100007F", "7F000001"];
    const ANY: [&str; 2] = ["00000000", "00000000000000000000000000000000"];

    /// The links in `/proc/<pid>/fd` of the sockets that a connection to this port of 127.0.0.1 may reach.
    pub(super) fn listening(port: u16) -> Vec<String> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
            .map(|table| fs::read_to_string(table).unwrap_or_default())
            .concat();
        let exact = among(&tables, port, &LOOPBACK);
        if exact.is_empty() {
            return among(&tables, port, &ANY);
        }
        exact
    }

    fn among(tables: &str, port: u16, addresses: &[&str]) -> Vec<String> {
        let port = format!("{port:04X}");
        let rows = tables
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = rows.filter(|row| {
            let local = row.get(1).and_then(|local| local.split_once(':'));
            let here = local.is_some_and(|(at, its)| its == port && addresses.contains(&at));
            here && row.get(3) == Some(&LISTEN)
        });
        ours.filter_map(|row| Some(format!("socket:[{}]", row.get(9)?)))
            .collect()
    }

    /// Whether that process, or another of its group, has one of these sockets open.
    pub(super) fn holds(pid: u32, sockets: &[String]) -> bool {
        let Some(open) = has_open(&Path::new("/proc").join(pid.to_string()), sockets) else {
            // What it has open is not for us to see.
            return true;
        };
        open || others(pid).any(|process| has_open(&process, sockets) == Some(true))
    }

    fn has_open(process: &Path, sockets: &[String]) -> Option<bool> {
        let mut open = fs::read_dir(process.join("fd")).ok()?.flatten();
        Some(open.any(|entry| {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            sockets.iter().any(|socket| target == Path::new(socket))
        }))
    }

    /// The processes of the group of that process, of which it is the first.
    fn others(pid: u32) -> impl Iterator<Item = std::path::PathBuf> {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        all.map(|entry| entry.path()).filter(move |process| {
            let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
            let group = stat
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(2)?.parse().ok());
            group == Some(pid)
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_listener_is_known_from_a_stranger() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let mut stranger = Command::new("/bin/sh")
            .args(["-c", "read -r _"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();

        let (ours, theirs) = (
            may_be(std::process::id(), port),
            may_be(stranger.id(), port),
        );
        drop(held);
        let nobodys = may_be(stranger.id(), port);
        drop(stranger.stdin.take());
        stranger.wait().unwrap();

        assert!(ours && !theirs && nobodys);
    }

    #[test]
    fn an_exact_address_is_reached_before_any_address() {
        let any = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = any.local_addr().unwrap().port();

        assert!(may_be(std::process::id(), port));
        assert_eq!(system::listening(port).len(), 1);
    }
}
