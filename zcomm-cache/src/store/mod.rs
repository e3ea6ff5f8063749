//! The bounded store of everything that is kept: found by key, given out to its own scope only. Knows no requests.

mod account;
mod entry;
mod share;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant as SystemInstant};

use moka::Expiry;
use moka::notification::RemovalCause;
use moka::sync::Cache as Moka;
use zcomm_core::{CacheKey, Scope};

pub(crate) use account::{Account, Accounts, Epoch};
pub(crate) use entry::{Alias, Answer, Entry, Kept, headers_size};

use crate::config::CacheConfig;

/// What an entry takes beside its key and its bytes: the tables' own records, headers, counters.
const OVERHEAD: u64 = 512;

/// Everything that is kept, of all scopes, within one bound.
///
/// Both bounds are one: an entry weighs its bytes, but at least what an entry may weigh when there are as many as there
/// may be.
pub(crate) struct Store {
    entries: Moka<Arc<CacheKey>, Arc<Entry>, foldhash::quality::RandomState>,
    accounts: Accounts,
    least: u64,
    share: u64,
    #[cfg(feature = "test-util")]
    trusting: std::sync::atomic::AtomicBool,
}

impl Store {
    pub(crate) fn new(config: &CacheConfig) -> Self {
        let capacity = config.max_bytes.max(1);
        let entries = Moka::builder()
            .max_capacity(capacity)
            .weigher(|_, entry: &Arc<Entry>| entry.weight)
            .expire_after(Lifetime)
            .eviction_listener(|_, entry, cause| entry.left(cause))
            .build_with_hasher(foldhash::quality::RandomState::default());
        Self {
            entries,
            accounts: Accounts::new(config.ttl),
            least: capacity.div_ceil(config.max_entries.max(1)),
            share: (capacity / 100)
                .saturating_mul(u64::from(config.share.min(100)))
                .max(1),
            #[cfg(feature = "test-util")]
            trusting: std::sync::atomic::AtomicBool::new(false),
        }
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What is kept under this key for callers of this scope, unless it was cleared meanwhile.
    pub(crate) fn find(&self, key: &CacheKey, scope: &Scope) -> Option<Arc<Entry>> {
        let entry = self.entries.get(key)?;
        self.may_give(&entry, scope).then_some(entry)
    }

    /// Whether an entry is for callers of this scope, and nobody cleared it.
    pub(crate) fn may_give(&self, entry: &Entry, scope: &Scope) -> bool {
        self.is_of(entry, scope) && self.accounts.holds(entry)
    }

    /// The key holds the scope already; a keyer that went wrong must still show nobody what is another's.
    fn is_of(&self, entry: &Entry, scope: &Scope) -> bool {
        let same = entry.account.scope() == scope;
        if !same {
            tracing::error!("a cache keyer gave two scopes one key; nothing was shown");
        }
        #[cfg(feature = "test-util")]
        let same = same || self.trusting.load(std::sync::atomic::Ordering::Relaxed);
        same
    }

    /// Gives out what the key finds, whoever asks: a fault that tests look for.
    #[cfg(feature = "test-util")]
    pub(crate) fn trust_keys(&self) {
        self.trusting
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Keeps something for a scope. Gives it back as it is kept; nothing, where it is larger than a user's share.
    pub(crate) fn put(&self, key: Arc<CacheKey>, new: New) -> Option<Arc<Entry>> {
        let bytes = (key.as_bytes().len() as u64).saturating_add(new.kept.size());
        let weight = bytes.saturating_add(OVERHEAD).max(self.least);
        if weight > self.share {
            return None;
        }
        let weight = u32::try_from(weight).ok()?;
        let entry = Arc::new(Entry::new(new, weight));
        let share = entry.account.share();
        share.take(&key, &entry);
        self.entries.insert(key, Arc::clone(&entry));
        for (key, oldest) in share.beyond(self.share) {
            oldest.crowd_out();
            self.drop_entry(&key, &oldest);
        }
        Some(entry)
    }

    /// The most bytes that one entry may have.
    pub(crate) fn largest(&self) -> usize {
        usize::try_from(self.share.saturating_sub(OVERHEAD)).unwrap_or(usize::MAX)
    }

    /// Forgets one entry, if it is still the one under its key.
    pub(crate) fn drop_entry(&self, key: &CacheKey, entry: &Arc<Entry>) {
        let found = self.entries.get(key);
        if found.is_some_and(|found| Arc::ptr_eq(&found, entry)) {
            self.entries.invalidate(key);
        }
    }

    /// Counts a use of an entry that was reached by another way, so that it is not the first to go.
    pub(crate) fn touch(&self, key: &CacheKey) {
        let _ = self.entries.get(key);
    }

    pub(crate) fn clear_all(&self) {
        self.accounts.clear_all();
        self.entries.invalidate_all();
    }

    /// Brings the books up to date: what left was counted late.
    pub(crate) fn settle(&self) {
        self.entries.run_pending_tasks();
    }

    /// How many things are kept, and what they weigh together.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.entries.weighted_size())
    }
}

/// Something that is to be kept.
pub(crate) struct New {
    pub(crate) account: Arc<Account>,
    /// What the account's epoch was before the load began.
    pub(crate) epoch: Epoch,
    pub(crate) kept: Kept,
    /// After which time its memory is given back.
    pub(crate) lifetime: Duration,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("entries", &self.entries.entry_count())
            .field("bytes", &self.entries.weighted_size())
            .finish_non_exhaustive()
    }
}

/// Each entry says itself how long its memory is kept.
struct Lifetime;

impl Expiry<Arc<CacheKey>, Arc<Entry>> for Lifetime {
    fn expire_after_create(
        &self,
        _key: &Arc<CacheKey>,
        entry: &Arc<Entry>,
        _created_at: SystemInstant,
    ) -> Option<Duration> {
        Some(entry.lifetime)
    }

    fn expire_after_update(
        &self,
        _key: &Arc<CacheKey>,
        entry: &Arc<Entry>,
        _updated_at: SystemInstant,
        _remaining: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lifetime)
    }
}

impl Entry {
    /// Books that the entry is no longer kept.
    fn left(&self, cause: RemovalCause) {
        match cause {
            RemovalCause::Size => self.crowd_out(),
            RemovalCause::Expired => self.expire(),
            RemovalCause::Explicit | RemovalCause::Replaced => {}
        }
        self.account.share().give_back(self);
    }
}
