//! What a layer knows about each host, in bounded memory. Knows no host's meaning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many hosts are remembered; the one that was asked for longest ago makes room.
const MOST_HOSTS: usize = 1024;

/// One `T` per host, made when a host is first asked for.
#[derive(Debug)]
pub(super) struct Hosts<T> {
    known: Mutex<Known<T>>,
}

#[derive(Debug)]
struct Known<T> {
    by_host: HashMap<String, (u64, Arc<T>)>,
    asked: u64,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        let known = Known {
            by_host: HashMap::new(),
            asked: 0,
        };
        Self {
            known: Mutex::new(known),
        }
    }
}

impl<T> Hosts<T> {
    pub(super) fn of(&self, host: &str, make: impl FnOnce() -> T) -> Arc<T> {
        // Nothing panics while the lock is held, apart from memory running out.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked += 1;
        let now = known.asked;
        if let Some((asked, found)) = known.by_host.get_mut(host) {
            *asked = now;
            return Arc::clone(found);
        }
        if known.by_host.len() >= MOST_HOSTS {
            known.drop_oldest();
        }
        let made = Arc::new(make());
        known
            .by_host
            .insert(host.to_owned(), (now, Arc::clone(&made)));
        made
    }
}

impl<T> Known<T> {
    fn drop_oldest(&mut self) {
        let oldest = self.by_host.iter().min_by_key(|(_, (asked, _))| *asked);
        if let Some(host) = oldest.map(|(host, _)| host.clone()) {
            self.by_host.remove(&host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_what_it_has_until_others_need_the_room() {
        let hosts = Hosts::default();
        let first = hosts.of("first", || 1);
        for number in 1..MOST_HOSTS {
            hosts.of(&number.to_string(), || 0);
        }
        assert!(Arc::ptr_eq(&first, &hosts.of("first", || 2)));

        hosts.of("one too many", || 0);

        assert!(Arc::ptr_eq(&first, &hosts.of("first", || 3)));
        assert_eq!(*hosts.of("1", || 4), 4);
    }
}
