//! A cache as one zBifrost server holds it: the look-up by a message's bytes, and the layer around its events.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tower::Layer;
use zcomm_core::{AnswerCache, BoxService, CacheKeyer, CacheStats, Clearing, Remembered, Scope};

use super::keyer::PerIdentity;
use super::layer::CacheLayer;
use super::server::Server;
use crate::cache::Cache;

/// The answers of one server, in a [`Cache`] that others may share: what one server keeps, no other gives out.
pub struct Answers {
    cache: Cache,
    server: Arc<Server>,
    keyer: Arc<dyn CacheKeyer>,
}

impl Answers {
    pub(crate) fn new(cache: Cache, server: Arc<Server>) -> Self {
        Self {
            cache,
            server,
            keyer: Arc::new(PerIdentity),
        }
    }

    /// Keeps answers under other keys than those of [`PerIdentity`].
    #[must_use]
    pub fn keyed_by(mut self, keyer: impl CacheKeyer + 'static) -> Self {
        self.keyer = Arc::new(keyer);
        self
    }
}

impl AnswerCache for Answers {
    fn recall(&self, scope: &Scope, message: &[u8]) -> Option<Remembered> {
        self.server.recall(scope, message)
    }

    fn around(&self, events: BoxService) -> BoxService {
        let layer = CacheLayer::new(Arc::clone(&self.server), Arc::clone(&self.keyer));
        BoxService::new(layer.layer(events))
    }

    fn stats(&self, scope: &Scope) -> CacheStats {
        self.cache.stats_of(scope)
    }

    fn clear(&self, what: Clearing<'_>) {
        self.cache.clear(what);
    }

    fn keep_for(&self, scope: Option<&Scope>, ttl: Duration) {
        match scope {
            Some(scope) => self.cache.set_ttl_of(scope, ttl),
            None => self.cache.set_ttl(ttl),
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
