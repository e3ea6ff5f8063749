//! The books of each scope: what was counted, how long its answers are kept, when they were cleared. Keeps no answers.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use zcomm_core::{CacheStats, Scope, SecretDigest};

use super::entry::Entry;
use super::share::Share;

/// How many scopes without anything kept are remembered. Guests can name any number of applications.
const MOST: usize = 65_536;

/// When the answers of a scope, and of all, were last cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    own: u64,
    all: u64,
}

/// The books of one scope.
#[derive(Debug)]
pub(crate) struct Account {
    scope: Scope,
    share: Arc<Share>,
    counters: Counters,
    epoch: AtomicU64,
    /// In milliseconds; nothing is set at zero.
    ttl: AtomicU64,
}

impl Account {
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn share(&self) -> &Share {
        &self.share
    }

    /// How long answers that name no time are kept.
    pub(crate) fn ttl(&self, default: Duration) -> Duration {
        match self.ttl.load(Ordering::Relaxed) {
            0 => default,
            own => Duration::from_millis(own),
        }
    }

    pub(crate) fn keep_for(&self, ttl: Duration) {
        self.ttl.store(millis(ttl), Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

/// What is counted of a scope.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    expired: AtomicU64,
    evicted: AtomicU64,
    coalesced: AtomicU64,
}

macro_rules! count {
    ($($name:ident: $field:ident),*) => {
        $(pub(crate) fn $name(&self) {
            self.$field.fetch_add(1, Ordering::Relaxed);
        })*
    };
}

impl Counters {
    count!(hit: hits, miss: misses, expired: expired, evicted: evicted, coalesced: coalesced);

    pub(crate) fn stats(&self) -> CacheStats {
        let mut stats = CacheStats::default();
        stats.hits = self.hits.load(Ordering::Relaxed);
        stats.misses = self.misses.load(Ordering::Relaxed);
        stats.expired = self.expired.load(Ordering::Relaxed);
        stats.evicted = self.evicted.load(Ordering::Relaxed);
        stats.coalesced = self.coalesced.load(Ordering::Relaxed);
        stats
    }
}

/// Who shares one share: a user in all of its scopes, all guests, or a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    User(Arc<str>),
    Guests,
    Credential(SecretDigest),
}

impl Holder {
    fn of(scope: &Scope) -> Self {
        match scope {
            Scope::User { user, .. } => Self::User(Arc::clone(user)),
            Scope::Guest { .. } => Self::Guests,
            Scope::Credential(digest) => Self::Credential(*digest),
        }
    }
}

/// The books of all scopes.
#[derive(Debug)]
pub(crate) struct Accounts {
    accounts: RwLock<HashMap<Scope, Arc<Account>>>,
    shares: RwLock<HashMap<Holder, Arc<Share>>>,
    /// What was counted of scopes that are no longer remembered.
    forgotten: Counters,
    cleared: AtomicU64,
    ttl: AtomicU64,
}

impl Accounts {
    pub(super) fn new(ttl: Duration) -> Self {
        Self {
            accounts: RwLock::default(),
            shares: RwLock::default(),
            forgotten: Counters::default(),
            cleared: AtomicU64::new(0),
            ttl: AtomicU64::new(millis(ttl)),
        }
    }

    /// The books of a scope, opened if there are none.
    pub(crate) fn of(&self, scope: &Scope) -> Arc<Account> {
        if let Some(account) = self.known(scope) {
            return account;
        }
        let share = self.share_of(Holder::of(scope));
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MOST {
            let forgotten = trim(&mut accounts);
            forgotten
                .iter()
                .for_each(|account| self.forgotten.add(&account.counters));
        }
        let account = accounts.entry(scope.clone()).or_insert_with(|| {
            Arc::new(Account {
                scope: scope.clone(),
                share,
                counters: Counters::default(),
                epoch: AtomicU64::new(0),
                ttl: AtomicU64::new(0),
            })
        });
        Arc::clone(account)
    }

    /// The books of a scope, if there are any.
    pub(crate) fn known(&self, scope: &Scope) -> Option<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(scope).cloned()
    }

    fn share_of(&self, holder: Holder) -> Arc<Share> {
        let mut shares = self.shares.write().unwrap_or_else(PoisonError::into_inner);
        if shares.len() >= MOST {
            trim(&mut shares);
        }
        Arc::clone(shares.entry(holder).or_default())
    }

    /// What was counted of all scopes together.
    pub(crate) fn total(&self) -> CacheStats {
        let total = Counters::default();
        total.add(&self.forgotten);
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts
            .values()
            .for_each(|account| total.add(&account.counters));
        total.stats()
    }

    /// What the epoch is now; taken before a load.
    pub(crate) fn epoch(&self, account: &Account) -> Epoch {
        Epoch {
            own: account.epoch.load(Ordering::Acquire),
            all: self.cleared.load(Ordering::Acquire),
        }
    }

    /// Whether nobody has cleared the entry since its load began.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        entry.epoch == self.epoch(&entry.account)
    }

    pub(super) fn clear_all(&self) {
        self.cleared.fetch_add(1, Ordering::AcqRel);
    }

    /// How long answers are kept where neither they nor their scope say.
    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl.load(Ordering::Relaxed))
    }

    /// Sets the time for everybody; what scopes had set for themselves is over.
    pub(crate) fn keep_for(&self, ttl: Duration) {
        self.ttl.store(millis(ttl), Ordering::Relaxed);
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        for account in accounts.values() {
            account.ttl.store(0, Ordering::Relaxed);
        }
    }
}

impl Counters {
    fn add(&self, other: &Self) {
        let pairs = [
            (&self.hits, &other.hits),
            (&self.misses, &other.misses),
            (&self.expired, &other.expired),
            (&self.evicted, &other.evicted),
            (&self.coalesced, &other.coalesced),
        ];
        for (sum, part) in pairs {
            sum.fetch_add(part.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// Takes out what nobody holds: no entry, and nobody who works out an answer.
fn trim<K: Hash + Eq + Clone, V>(map: &mut HashMap<K, Arc<V>>) -> Vec<Arc<V>> {
    let idle = map
        .iter()
        .filter(|(_, value)| Arc::strong_count(value) == 1);
    let idle: Vec<K> = idle.map(|(key, _)| key.clone()).collect();
    idle.iter().filter_map(|key| map.remove(key)).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
