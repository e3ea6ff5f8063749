//! Whether a port is free, and who holds it. Opens nothing that stays open.

mod holder;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::time::Duration;

pub use holder::{Holder, port_holder};

/// Whether somebody could listen on a port now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortState {
    /// A server could be bound to it.
    Free,
    /// Somebody is bound to it.
    Taken,
    /// Nobody answers on it, and only a privileged process may bind to it.
    NeedsPrivilege,
}

impl PortState {
    /// The guides' yes or no. A privileged port that nobody answers on counts as available.
    pub const fn is_available(self) -> bool {
        !matches!(self, Self::Taken)
    }
}

impl fmt::Display for PortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Free => "available",
            Self::Taken => "in use",
            Self::NeedsPrivilege => "available to root",
        })
    }
}

/// Finds out whether a server could be bound to a port of this machine, on IPv4 and on IPv6.
///
/// It binds and lets go; it does not connect, which would miss a server that is bound and busy. A port is
/// [`Taken`](PortState::Taken) if it is taken on either loopback address.
///
/// ```
/// use std::net::TcpListener;
/// use zcomm_core::net::{PortState, check_port};
///
/// let held = TcpListener::bind("127.0.0.1:0").unwrap();
/// let port = held.local_addr().unwrap().port().try_into().unwrap();
/// assert_eq!(check_port(port).unwrap(), PortState::Taken);
/// drop(held);
/// assert_eq!(check_port(port).unwrap(), PortState::Free);
/// ```
///
/// # Errors
///
/// What the system said, if it was neither that the port is taken nor that it needs a privilege.
pub fn check_port(port: NonZeroU16) -> io::Result<PortState> {
    let on = |host: IpAddr| match check_address(SocketAddr::new(host, port.get())) {
        // A machine without this kind of address has nobody listening on it either.
        Err(error) if is_absent(&error) => Ok(PortState::Free),
        other => other,
    };
    let (v4, v6) = (
        on(Ipv4Addr::LOCALHOST.into())?,
        on(Ipv6Addr::LOCALHOST.into())?,
    );
    Ok(if v4 == PortState::Taken {
        v4
    } else if v6 == PortState::Taken {
        v6
    } else {
        v4
    })
}

/// Finds out whether a server could be bound to exactly this address.
///
/// # Errors
///
/// What the system said, if it was neither that the port is taken nor that it needs a privilege.
pub fn check_address(address: SocketAddr) -> io::Result<PortState> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(PortState::Free),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(PortState::Taken),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(ask(address)),
        Err(error) => Err(error),
    }
}

/// What may not be bound to can only be asked.
fn ask(address: SocketAddr) -> PortState {
    match TcpStream::connect_timeout(&address, Duration::from_millis(250)) {
        Ok(_) => PortState::Taken,
        Err(_) => PortState::NeedsPrivilege,
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(listen_on: &str, expected: PortState) {
        let Ok(held) = TcpListener::bind(listen_on) else {
            panic!("{listen_on} cannot be bound here")
        };
        let port = NonZeroU16::new(held.local_addr().unwrap().port()).unwrap();

        assert_eq!(check_port(port).unwrap(), expected);
    }

    #[test]
    fn a_port_is_taken_wherever_its_holder_listens() {
        check("127.0.0.1:0", PortState::Taken);
        check("0.0.0.0:0", PortState::Taken);
        if TcpListener::bind("[::1]:0").is_ok() {
            check("[::1]:0", PortState::Taken);
            check("[::]:0", PortState::Taken);
        }
    }

    #[test]
    fn a_port_on_another_address_is_not_taken_here() {
        let held = TcpListener::bind("127.0.0.2:0").unwrap();
        let port = held.local_addr().unwrap().port();

        assert_eq!(
            check_port(NonZeroU16::new(port).unwrap()).unwrap(),
            PortState::Free
        );
        assert_eq!(
            check_address(held.local_addr().unwrap()).unwrap(),
            PortState::Taken
        );
    }

    #[test]
    fn a_privileged_port_counts_as_available() {
        assert!(PortState::NeedsPrivilege.is_available());
        assert!(!PortState::Taken.is_available());
    }
}
