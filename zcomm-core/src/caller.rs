//! The party behind a request: identity, peer, connection. One per connection, shared by its requests.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::identity::Identity;

/// Where bytes come from, once proxies that are trusted have been looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Peer {
    /// The address; none for a caller in the same process.
    pub address: Option<SocketAddr>,
    /// Whether the way is encrypted.
    pub encrypted: bool,
}

impl Peer {
    /// A peer at an address, in plain text.
    pub const fn at(address: SocketAddr) -> Self {
        Self {
            address: Some(address),
            encrypted: false,
        }
    }

    /// The application itself.
    pub const fn in_process() -> Self {
        Self {
            address: None,
            encrypted: false,
        }
    }

    /// The same peer behind TLS.
    #[must_use]
    pub const fn over_tls(mut self) -> Self {
        self.encrypted = true;
        self
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("in process"),
        }
    }
}

/// The number of a connection, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// A number that no connection had before.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number itself, for logs and for choosing a shard.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The connection among those of all processes, earlier ones included: a store may outlive this one, and serve others.
    pub(crate) fn among_all(self) -> [u8; 24] {
        static PROCESS: OnceLock<[u8; 16]> = OnceLock::new();
        let process = PROCESS.get_or_init(|| {
            let mut number = [0; 16];
            getrandom::fill(&mut number).expect("the operating system has randomness");
            number
        });
        let mut name = [0; 24];
        name[..16].copy_from_slice(process);
        name[16..].copy_from_slice(&self.0.to_be_bytes());
        name
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The party behind a request. Requests carry it as the extension `Arc<Caller>`.
///
/// The identity is a versioned cell: it can be renewed while the connection lives, and whoever kept the version
/// from before can tell that it is no longer the same.
///
/// ```
/// use zcomm_core::{Caller, Identity, Peer};
///
/// let caller = Caller::new(Identity::guest(), Peer::in_process());
/// let before = caller.version();
/// caller.renew(Identity::user("ada"));
/// assert_eq!(caller.identity().name(), Some("ada"));
/// assert_ne!(caller.version(), before);
/// ```
#[derive(Debug)]
pub struct Caller {
    identity: RwLock<(Arc<Identity>, u64)>,
    peer: Peer,
    connection: ConnectionId,
}

impl Caller {
    /// A caller with a connection number of its own.
    pub fn new(identity: Identity, peer: Peer) -> Self {
        Self {
            identity: RwLock::new((Arc::new(identity), 0)),
            peer,
            connection: ConnectionId::next(),
        }
    }

    /// Who the caller is now.
    pub fn identity(&self) -> Arc<Identity> {
        self.snapshot().0
    }

    /// How often the identity has been renewed.
    pub fn version(&self) -> u64 {
        self.snapshot().1
    }

    /// Who the caller is now, and how often that has been renewed, both of one moment.
    pub fn snapshot(&self) -> (Arc<Identity>, u64) {
        // A panic cannot leave the pair half written, so a poisoned lock still holds a whole one.
        let cell = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&cell.0), cell.1)
    }

    /// Puts another identity in place of the one so far.
    pub fn renew(&self, identity: Identity) {
        let mut cell = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *cell = (Arc::new(identity), cell.1 + 1);
    }

    /// Where the caller is.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The number of the caller's connection.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_numbered_apart() {
        let [one, two] = [(); 2].map(|()| Caller::new(Identity::guest(), Peer::in_process()));

        assert_ne!(one.connection(), two.connection());
    }

    #[test]
    fn an_identity_taken_before_a_renewal_stays_what_it_was() {
        let caller = Caller::new(Identity::user("ada"), Peer::in_process());
        let before = caller.identity();

        caller.renew(Identity::user("eve"));

        assert_eq!(before.name(), Some("ada"));
        assert_eq!(
            (caller.identity().name(), caller.version()),
            (Some("eve"), 1)
        );
    }
}
