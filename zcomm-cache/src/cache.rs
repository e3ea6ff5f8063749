//! The handle of a cache: makes layers that share it, tells what it did, clears it. Answers nothing itself.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use zcomm_core::data::Generations;
use zcomm_core::{CacheKeyer, CacheStats, Clearing, Scope};

use crate::commands::{Answers, CacheLayer, Server};
use crate::config::CacheConfig;
use crate::http::HttpCacheLayer;
use crate::store::Store;

/// A bounded store of answers. Clones share it.
///
/// ```
/// use zcomm_cache::{Cache, CacheConfig};
/// use zcomm_core::{Clearing, Identity};
///
/// let cache = Cache::new(CacheConfig::default());
/// let ada = Identity::user("ada").scope();
/// cache.clear(Clearing::Scope(&ada));
/// assert_eq!(cache.stats_of(&ada).hits, 0);
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    config: CacheConfig,
    store: Arc<Store>,
    /// Whose generations a cleared model is to be bumped in.
    servers: Mutex<Vec<Weak<Server>>>,
}

impl Cache {
    /// An empty cache.
    pub fn new(config: CacheConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            store: Arc::new(Store::new(&config)),
            servers: Mutex::default(),
        }))
    }

    /// A layer that keeps answers under the keys of `keyer`, and the answers to reads for as long as the generation of
    /// their model stays what it was. It belongs inside of authorization.
    pub fn layer<K: CacheKeyer>(&self, keyer: K, generations: &Generations) -> CacheLayer<K> {
        CacheLayer::new(self.server(generations), Arc::new(keyer))
    }

    /// What a zBifrost server is given: the same, and the look-up by the bytes of a message.
    pub fn answers(&self, generations: &Generations) -> Answers {
        Answers::new(self.clone(), self.server(generations))
    }

    /// A layer for the HTTP client, which keeps answers as their servers allow it.
    pub fn http_layer(&self) -> HttpCacheLayer {
        HttpCacheLayer::new(Arc::clone(&self.0.store))
    }

    fn server(&self, generations: &Generations) -> Arc<Server> {
        let store = Arc::clone(&self.0.store);
        let server = Server::new(store, generations.clone(), self.0.config.load_timeout);
        let server = Arc::new(server);
        let mut servers = self.servers();
        servers.retain(|server| server.strong_count() > 0);
        servers.push(Arc::downgrade(&server));
        server
    }

    fn servers(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Server>>> {
        let servers = self.0.servers.lock();
        servers.unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done for everybody together.
    pub fn stats(&self) -> CacheStats {
        self.0.store.settle();
        self.0.store.accounts().total()
    }

    /// What was done for one scope.
    pub fn stats_of(&self, scope: &Scope) -> CacheStats {
        let account = self.0.store.accounts().known(scope);
        account.map_or_else(CacheStats::default, |account| account.counters().stats())
    }

    /// How many answers and messages are kept, and what they weigh together, in bytes.
    pub fn size(&self) -> (u64, u64) {
        self.0.store.settle();
        self.0.store.size()
    }

    /// Forgets answers. What is being worked out meanwhile is not kept either.
    pub fn clear(&self, what: Clearing<'_>) {
        let store = &self.0.store;
        match what {
            Clearing::Scope(scope) => {
                if let Some(account) = store.accounts().known(scope) {
                    account.clear();
                }
            }
            Clearing::Model(model) => {
                for server in self.servers().iter().filter_map(Weak::upgrade) {
                    server.generations().bump(model);
                }
            }
            _ => store.clear_all(),
        }
    }

    /// How long answers are kept that name no time, where their scope names none either.
    pub fn ttl(&self) -> Duration {
        self.0.store.accounts().ttl()
    }

    /// Sets for how long answers are kept that name no time: for everybody, whatever scopes had set for themselves.
    /// What is kept already counts from when it was kept.
    pub fn set_ttl(&self, ttl: Duration) {
        self.0.store.accounts().keep_for(ttl);
    }

    /// The same for one scope.
    pub fn set_ttl_of(&self, scope: &Scope, ttl: Duration) {
        self.0.store.accounts().of(scope).keep_for(ttl);
    }

    /// Gives out what a key finds, whoever asks. For tests that must find out when keys are wrong.
    #[cfg(feature = "test-util")]
    pub fn trust_keys(&self) {
        self.0.store.trust_keys();
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("config", &self.0.config)
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}
