//! The table of connections by number, cut into shards so that opening and closing seldom wait for a broadcast.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use zcomm_core::ConnectionId;

use crate::server::Shared;

const SHARDS: usize = 16;

/// Weak: a connection's task owns it, and takes it out of here when it ends.
pub(super) type Members = HashMap<ConnectionId, Weak<Shared>>;

#[derive(Default)]
pub(super) struct Shards([Mutex<Members>; SHARDS]);

impl Shards {
    pub(super) fn insert(&self, id: ConnectionId, shared: &Arc<Shared>) {
        self.of(id).insert(id, Arc::downgrade(shared));
    }

    pub(super) fn remove(&self, id: ConnectionId) -> bool {
        let mut members = self.of(id);
        let found = members.remove(&id).is_some();
        give_back(&mut members);
        found
    }

    pub(super) fn find(&self, id: ConnectionId) -> Option<Arc<Shared>> {
        self.of(id).get(&id).and_then(Weak::upgrade)
    }

    pub(super) fn each_shard(&self, mut f: impl FnMut(&Members)) {
        for shard in &self.0 {
            f(&lock(shard));
        }
    }

    fn of(&self, id: ConnectionId) -> MutexGuard<'_, Members> {
        lock(&self.0[id.as_u64() as usize % SHARDS])
    }
}

/// After a crowd has left, its table goes, too.
fn give_back(members: &mut Members) {
    if members.capacity() > 64 && members.len() < members.capacity() / 8 {
        members.shrink_to(members.len() * 2);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The tables are whole between any two statements, so a panic elsewhere under the lock leaves them usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
