//! Who listens on a port, as far as the system lets us see.

use std::fmt;

/// The process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its program's name.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// Who listens on this TCP port, where that can be read: on Linux, for one's own processes, or as root.
pub fn port_holder(port: u16) -> Option<Holder> {
    #[cfg(target_os = "linux")]
    return linux::holder(port);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = port;
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use super::Holder;

    /// The state of a listening socket in the kernel's table.
    const LISTEN: &str = "0A";

    pub(super) fn holder(port: u16) -> Option<Holder> {
        let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .into_iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| listening_inodes(&table, port))
            .collect();
        if inodes.is_empty() {
            return None;
        }
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let pid = pids.into_iter().find(|pid| owns_any(*pid, &inodes))?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm"))
            .ok()?
            .trim()
            .to_owned();
        Some(Holder { pid, name })
    }

    /// The sockets of a kernel table that listen on `port`: columns are slot, local address, remote address, state,
    /// queues, timers, retransmissions, user, time-out, inode.
    pub(super) fn listening_inodes(table: &str, port: u16) -> Vec<String> {
        let port = format!(":{port:04X}");
        let rows = table
            .lines()
            .skip(1)
            .map(|row| row.split_whitespace().collect::<Vec<_>>());
        let listening =
            rows.filter(|row| row.len() > 9 && row[1].ends_with(&port) && row[3] == LISTEN);
        listening
            .map(|row| format!("socket:[{}]", row[9]))
            .collect()
    }

    fn owns_any(pid: u32, inodes: &[String]) -> bool {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        let links = descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok());
        links.into_iter().any(|link| {
            inodes
                .iter()
                .any(|inode| link.as_os_str() == inode.as_str())
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn our_own_listener_is_found() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();

        let holder = port_holder(held.local_addr().unwrap().port()).unwrap();

        assert_eq!(holder.pid, std::process::id());
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n   \
             1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n   \
             2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n";

        assert_eq!(linux::listening_inodes(table, 8080), ["socket:[111]"]);
    }
}
