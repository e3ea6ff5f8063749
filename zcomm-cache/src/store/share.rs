//! What one user has in the store: no more than a share, beyond which the oldest goes. Drops nothing itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use zcomm_core::CacheKey;

use super::entry::Entry;

/// How many places of entries that left are borne before they are swept out.
const SLACK: usize = 64;

/// What one user has in the store, in all of its scopes.
#[derive(Debug, Default)]
pub(crate) struct Share {
    used: AtomicU64,
    live: AtomicU64,
    queue: Mutex<VecDeque<(Arc<CacheKey>, Weak<Entry>)>>,
}

impl Share {
    /// Books an entry that is about to be kept.
    pub(super) fn take(&self, key: &Arc<CacheKey>, entry: &Arc<Entry>) {
        self.used
            .fetch_add(u64::from(entry.weight), Ordering::AcqRel);
        let live = self.live.fetch_add(1, Ordering::AcqRel);
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let bearable = usize::try_from(live)
            .unwrap_or(usize::MAX)
            .saturating_mul(2);
        if queue.len() > bearable.saturating_add(SLACK) {
            queue.retain(|(_, entry)| entry.upgrade().is_some_and(|entry| !entry.is_gone()));
        }
        queue.push_back((Arc::clone(key), Arc::downgrade(entry)));
    }

    /// Books that an entry is no longer kept.
    pub(super) fn give_back(&self, entry: &Entry) {
        if entry.leave() {
            self.used
                .fetch_sub(u64::from(entry.weight), Ordering::AcqRel);
            self.live.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// The oldest entries, as many as are too many.
    pub(super) fn beyond(&self, limit: u64) -> Vec<(Arc<CacheKey>, Arc<Entry>)> {
        let mut too_much = self.used.load(Ordering::Acquire).saturating_sub(limit);
        let mut oldest = Vec::new();
        if too_much == 0 {
            return oldest;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while too_much > 0
            && let Some((key, entry)) = queue.pop_front()
        {
            let Some(entry) = entry.upgrade().filter(|entry| !entry.is_gone()) else {
                continue;
            };
            too_much = too_much.saturating_sub(u64::from(entry.weight));
            oldest.push((key, entry));
        }
        oldest
    }
}
