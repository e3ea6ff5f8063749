//! The part of a cache that belongs to one server: finds what is current, and keeps what was loaded. Calls nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use zcomm_core::data::{Generations, Stamp};
use zcomm_core::{
    CacheKey, CacheKeyer, CacheRequest, CacheWish, Command, Identity, Recallable, Remembered, Scope,
};

use super::flights::Flights;
use crate::store::{Account, Alias, Answer, Entry, Epoch, Kept, New, Store};

/// The longest message that is remembered by its bytes.
const LONGEST_MESSAGE: usize = 4096;

/// One server's view of the store: its own generations, and keys that no other server's can equal.
#[derive(Debug)]
pub(crate) struct Server {
    store: Arc<Store>,
    generations: Generations,
    flights: Flights,
    number: [u8; 8],
    load_timeout: Duration,
}

/// What a request asks of the cache.
pub(super) struct Asked {
    pub(super) scope: Scope,
    pub(super) key: CacheKey,
    pub(super) wish: CacheWish,
    command: Option<Arc<Command>>,
    /// Whether the body's bytes may lead here again.
    recallable: bool,
}

/// What was true before a load began, and has to be true still for its answer to be kept.
pub(super) struct Before {
    pub(super) account: Arc<Account>,
    pub(super) epoch: Epoch,
    pub(super) stamp: Option<Stamp>,
}

/// What is to be kept of a load beside its answer.
pub(super) struct Label {
    pub(super) key: Arc<CacheKey>,
    pub(super) wish: CacheWish,
    pub(super) message: Option<(Bytes, Arc<Command>)>,
}

impl Server {
    pub(crate) fn new(store: Arc<Store>, generations: Generations, load_timeout: Duration) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            store,
            generations,
            flights: Flights::default(),
            number: NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes(),
            load_timeout,
        }
    }

    pub(crate) fn generations(&self) -> &Generations {
        &self.generations
    }

    pub(super) fn flights(&self) -> &Flights {
        &self.flights
    }

    pub(super) fn load_timeout(&self) -> Duration {
        self.load_timeout
    }

    /// What a request asks of the cache; nothing, where it has no scope or its answer must not be kept.
    pub(super) fn asked<K: CacheKeyer + ?Sized>(&self, keyer: &K, head: &Parts) -> Option<Asked> {
        let identity = head.extensions.get::<Arc<Identity>>();
        let scope = match identity {
            Some(identity) => identity.scope(),
            None => head.extensions.get::<Scope>()?.clone(),
        };
        let command = head.extensions.get::<Arc<Command>>();
        let wish = match command.map(|command| &**command) {
            Some(Command::Read { cache, .. }) => *cache,
            _ => CacheWish::default(),
        };
        let key = keyer.key(&CacheRequest::of(head), &scope)?;
        Some(Asked {
            key: self.own(key),
            scope,
            wish,
            command: command.cloned(),
            recallable: head.extensions.get::<Recallable>().is_some(),
        })
    }

    fn own(&self, key: CacheKey) -> CacheKey {
        key.with("server", self.number)
    }

    /// The current answer, counted as a hit.
    pub(super) fn hit(&self, asked: &Asked) -> Option<Arc<Entry>> {
        let entry = self.store.find(&asked.key, &asked.scope)?;
        if !self.is_current(&entry, asked.wish, &asked.key) {
            return None;
        }
        entry.account.counters().hit();
        Some(entry)
    }

    fn is_current(&self, entry: &Arc<Entry>, wish: CacheWish, key: &CacheKey) -> bool {
        let Some(answer) = entry.answer() else {
            return false;
        };
        let current = answer.stamp.as_ref().is_none_or(Stamp::is_current);
        let default = self.store.accounts().ttl();
        if current && entry.is_young(answer, wish, default) {
            return true;
        }
        if !current || entry.is_over() {
            self.store.drop_entry(key, entry);
        }
        false
    }

    /// What is so now, before a load.
    pub(super) fn before(&self, asked: &Asked) -> Before {
        let account = self.store.accounts().of(&asked.scope);
        let model = match asked.command.as_deref() {
            Some(Command::Read { query, .. }) => Some(query.model.name()),
            _ => None,
        };
        Before {
            epoch: self.store.accounts().epoch(&account),
            stamp: model.map(|model| self.generations.stamp(model)),
            account,
        }
    }

    /// Keeps an answer, unless something was written or cleared since its load began.
    pub(super) fn keep(&self, before: Before, label: Label, answer: Answer) {
        if !before.stamp.as_ref().is_none_or(Stamp::is_current) {
            return;
        }
        let default = self.store.accounts().ttl();
        let own = label.wish.ttl;
        let new = New {
            lifetime: own.unwrap_or_else(|| before.account.ttl(default)),
            epoch: before.epoch,
            account: before.account,
            kept: Kept::Answer(answer),
        };
        let entry = self.store.put(Arc::clone(&label.key), new);
        if let (Some(entry), Some((message, command))) = (entry, label.message) {
            self.remember(&entry, label.key, &message, command);
        }
    }

    /// Lets the bytes of a message lead to an answer that is kept.
    pub(super) fn remember(
        &self,
        entry: &Arc<Entry>,
        key: Arc<CacheKey>,
        message: &[u8],
        command: Arc<Command>,
    ) {
        let account = Arc::clone(&entry.account);
        let by_message = self.by_message(account.scope(), message);
        let alias = Alias {
            entry: Arc::downgrade(entry),
            key,
            command,
        };
        let new = New {
            lifetime: entry.lifetime(),
            epoch: self.store.accounts().epoch(&account),
            account,
            kept: Kept::Alias(alias),
        };
        self.store.put(Arc::new(by_message), new);
    }

    fn by_message(&self, scope: &Scope, message: &[u8]) -> CacheKey {
        let key = CacheKey::builder(scope).field("message", message);
        self.own(key.finish())
    }

    /// The current answer to these very bytes, counted as a hit.
    pub(super) fn recall(&self, scope: &Scope, message: &[u8]) -> Option<Remembered> {
        if message.len() > LONGEST_MESSAGE {
            return None;
        }
        let found = self.store.find(&self.by_message(scope, message), scope)?;
        let Kept::Alias(alias) = &found.kept else {
            return None;
        };
        let entry = alias.entry.upgrade()?;
        let wish = match &*alias.command {
            Command::Read { cache, .. } => *cache,
            _ => CacheWish::default(),
        };
        if !self.store.may_give(&entry, scope) || !self.is_current(&entry, wish, &alias.key) {
            return None;
        }
        entry.account.counters().hit();
        if entry.count_use() {
            self.store.touch(&alias.key);
        }
        Some(Remembered {
            answer: entry.answer()?.body.clone(),
            command: Arc::clone(&alias.command),
        })
    }
}

impl Asked {
    /// The message and its command, where the one may lead to the answer of the other.
    pub(super) fn message(&self, body: &zcomm_core::Body) -> Option<(Bytes, Arc<Command>)> {
        let command = self.command.as_ref().filter(|_| self.recallable)?;
        let bytes = body.try_clone()?.into_bytes()?;
        (bytes.len() <= LONGEST_MESSAGE).then(|| (bytes, Arc::clone(command)))
    }
}
