//! How many connections there may be: in all, of one address, of one user; and how often a token may be guessed.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use zcomm_core::Peer;

use super::ServerConfig;

const WINDOW: Duration = Duration::from_secs(60);
/// Addresses whose failures are remembered. Beyond it the old ones are forgotten, then all.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
pub(super) struct Admission {
    max_total: usize,
    max_of_address: usize,
    max_of_user: usize,
    max_failures: u32,
    /// Whether connections of this machine count, since they may be those of a proxy.
    counts_local: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    addresses: HashMap<IpAddr, usize>,
    users: HashMap<Arc<str>, usize>,
    failures: HashMap<IpAddr, Failures>,
}

#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

/// One connection's place. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
    user: Option<Arc<str>>,
}

impl Admission {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self {
            max_total: config.max_connections,
            max_of_address: config.max_connections_per_address,
            max_of_user: config.max_connections_per_user,
            max_failures: config.auth_failures_per_minute,
            counts_local: !config.trusted_proxies.is_empty(),
            state: Mutex::default(),
        }
    }

    /// Gives a place to a connection, unless there is none.
    pub(super) fn admit(self: &Arc<Self>, peer: &Peer) -> Option<Ticket> {
        let address = self.counted(peer);
        let mut state = self.lock();
        if state.total >= self.max_total {
            return None;
        }
        if let Some(address) = address
            && !enter(&mut state.addresses, address, self.max_of_address)
        {
            return None;
        }
        state.total += 1;
        Some(Ticket {
            admission: Arc::clone(self),
            address,
            user: None,
        })
    }

    pub(super) fn guesses_too_often(&self, peer: &Peer) -> bool {
        let Some(address) = peer.address else {
            return false;
        };
        self.lock()
            .failures
            .get(&address.ip())
            .is_some_and(|failures| {
                failures.since.elapsed() < WINDOW && failures.count >= self.max_failures
            })
    }

    pub(super) fn note_failure(&self, peer: &Peer) {
        let Some(address) = peer.address else { return };
        let now = Instant::now();
        let mut state = self.lock();
        if state.failures.len() >= REMEMBERED {
            state
                .failures
                .retain(|_, failures| now - failures.since < WINDOW);
        }
        if state.failures.len() >= REMEMBERED {
            state.failures.clear();
        }
        let failures = state.failures.entry(address.ip()).or_insert(Failures {
            since: now,
            count: 0,
        });
        if now - failures.since >= WINDOW {
            *failures = Failures {
                since: now,
                count: 0,
            };
        }
        failures.count += 1;
    }

    /// Connections of this machine are not counted by address: they all have the same.
    fn counted(&self, peer: &Peer) -> Option<IpAddr> {
        let ip = peer.address?.ip().to_canonical();
        (self.counts_local || !ip.is_loopback()).then_some(ip)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters are changed by single statements, so a panic elsewhere leaves them right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Counts the connection for its user, too; false if that one has too many. Guests are not counted.
    pub(super) fn claim(&mut self, user: Option<&str>) -> bool {
        let Some(user) = user else {
            return true;
        };
        let name: Arc<str> = user.into();
        let mut state = self.admission.lock();
        if !enter(
            &mut state.users,
            Arc::clone(&name),
            self.admission.max_of_user,
        ) {
            return false;
        }
        drop(state);
        self.user = Some(name);
        true
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        state.total -= 1;
        if let Some(address) = self.address {
            exit(&mut state.addresses, &address);
        }
        if let Some(user) = &self.user {
            exit(&mut state.users, user);
        }
    }
}

fn enter<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K, limit: usize) -> bool {
    let count = counts.entry(key).or_insert(0);
    let room = *count < limit;
    *count += usize::from(room);
    room
}

fn exit<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    let Some(count) = counts.get_mut(key) else {
        return;
    };
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(change: impl FnOnce(&mut ServerConfig)) -> Arc<Admission> {
        let mut config = ServerConfig::default();
        change(&mut config);
        Arc::new(Admission::new(&config))
    }

    fn peer(ip: &str) -> Peer {
        Peer::at((ip.parse::<IpAddr>().unwrap(), 1).into())
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let admission = admission(|config| config.max_connections = 1);

        let first = admission.admit(&peer("10.0.0.1"));
        assert!(first.is_some());
        assert!(admission.admit(&peer("10.0.0.2")).is_none());

        drop(first);
        assert!(admission.admit(&peer("10.0.0.2")).is_some());
    }

    #[test]
    fn one_address_takes_no_more_than_its_share_but_this_machine_may() {
        let admission = admission(|config| config.max_connections_per_address = 1);

        let _first = admission.admit(&peer("10.0.0.1"));
        assert!(admission.admit(&peer("10.0.0.1")).is_none());
        assert!(admission.admit(&peer("::ffff:10.0.0.1")).is_none());
        assert!(admission.admit(&peer("10.0.0.2")).is_some());

        let local: Vec<_> = (0..3)
            .map(|_| admission.admit(&peer("127.0.0.1")))
            .collect();
        assert!(local.iter().all(Option::is_some));
    }

    #[test]
    fn users_are_counted_and_guests_are_not() {
        let admission = admission(|config| config.max_connections_per_user = 1);
        let mut tickets: Vec<_> = (0..3)
            .map(|_| admission.admit(&peer("127.0.0.1")).unwrap())
            .collect();

        assert!(tickets[0].claim(Some("ada")));
        assert!(!tickets[1].claim(Some("ada")));
        assert!(tickets[2].claim(None));

        tickets.remove(0);
        assert!(tickets[0].claim(Some("ada")));
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_are_forgiven_after_a_minute() {
        let admission = admission(|config| config.auth_failures_per_minute = 2);
        let (eve, ada) = (peer("10.0.0.1"), peer("10.0.0.2"));

        admission.note_failure(&eve);
        assert!(!admission.guesses_too_often(&eve));
        admission.note_failure(&eve);
        assert!(admission.guesses_too_often(&eve));
        assert!(!admission.guesses_too_often(&ada));

        tokio::time::advance(WINDOW).await;
        assert!(!admission.guesses_too_often(&eve));
    }
}
