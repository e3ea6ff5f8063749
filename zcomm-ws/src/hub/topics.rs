//! Who joined which topic. Which topics there may be, and who may join, is the protocol's business.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use super::shards::{Members, lock};
use crate::server::Shared;

const SHARDS: usize = 16;

/// The topics that one connection joined.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    names: Vec<Arc<str>>,
    /// Whether the connection ended: then it joins no more.
    ended: bool,
}

impl Joined {
    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    fn position(&self, topic: &str) -> Option<usize> {
        self.names.iter().position(|joined| &**joined == topic)
    }
}

#[derive(Default)]
pub(super) struct Topics {
    shards: [Mutex<HashMap<Arc<str>, Members>>; SHARDS],
    hasher: RandomState,
}

impl Topics {
    pub(super) fn join(&self, shared: &Arc<Shared>, topic: &str) -> bool {
        // Always a connection's own list first, then the topic.
        let mut own = lock(&shared.topics);
        if own.ended || own.position(topic).is_some() {
            return false;
        }
        let mut topics = lock(self.shard(topic));
        let name: Arc<str> = match topics.get_key_value(topic) {
            Some((name, _)) => Arc::clone(name),
            None => topic.into(),
        };
        let members = topics.entry(Arc::clone(&name)).or_default();
        members.insert(shared.id(), Arc::downgrade(shared));
        own.names.push(name);
        true
    }

    pub(super) fn leave(&self, shared: &Arc<Shared>, topic: &str) -> bool {
        let mut own = lock(&shared.topics);
        let Some(at) = own.position(topic) else {
            return false;
        };
        own.names.swap_remove(at);
        self.remove(shared, topic);
        true
    }

    pub(super) fn leave_all(&self, shared: &Arc<Shared>) {
        let mut own = lock(&shared.topics);
        own.ended = true;
        for topic in std::mem::take(&mut own.names) {
            self.remove(shared, &topic);
        }
    }

    pub(super) fn with_members(&self, topic: &str, f: impl FnOnce(&Members)) {
        if let Some(members) = lock(self.shard(topic)).get(topic) {
            f(members);
        }
    }

    pub(super) fn count(&self, topic: &str) -> usize {
        lock(self.shard(topic)).get(topic).map_or(0, HashMap::len)
    }

    fn remove(&self, shared: &Shared, topic: &str) {
        let mut topics = lock(self.shard(topic));
        let Some(members) = topics.get_mut(topic) else {
            return;
        };
        members.remove(&shared.id());
        if members.is_empty() {
            topics.remove(topic);
        }
    }

    fn shard(&self, topic: &str) -> &Mutex<HashMap<Arc<str>, Members>> {
        &self.shards[self.hasher.hash_one(topic) as usize % SHARDS]
    }
}
