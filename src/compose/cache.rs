//! The one cache of an application, and where it stands in the stacks. Keeps nothing itself.

use zcomm_cache::{Cache, CacheConfig};

use crate::comm::Inner;

/// The cache that the settings describe, made at the first use.
pub(crate) fn of(comm: &Inner) -> &Cache {
    comm.cache
        .get_or_init(|| Cache::new(CacheConfig::from_settings(&comm.settings)))
}

/// A server that keeps the answers to reads, unless the settings say otherwise.
#[cfg(feature = "bifrost")]
pub(crate) fn around(
    comm: &Inner,
    server: zcomm_ws::bifrost::BifrostBuilder,
) -> zcomm_ws::bifrost::BifrostBuilder {
    if !comm.settings.flag("cache.enabled") {
        return server;
    }
    let cache = of(comm).clone();
    server.cache(move |generations| std::sync::Arc::new(cache.answers(generations)))
}
