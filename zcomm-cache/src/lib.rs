//! The cache of zcomm: answers that are kept for exactly those who may see them.
//!
//! A [`Cache`] is one bounded store. [`CacheLayer`] keeps the answers to commands in it: under a key that holds the
//! whole [`Scope`](zcomm_core::Scope) of who asked, beside the generation that the model had before it was read. So
//! an answer reaches nobody else, and a write ends it at once. [`HttpCacheLayer`] keeps what servers elsewhere answered,
//! as they allow it.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//! use zcomm_cache::{Cache, CacheConfig};
//! use zcomm_core::data::Generations;
//! use zcomm_core::{Body, CacheKey, CacheKeyer, CacheRequest, Error, Identity, Scope};
//!
//! struct ByPath;
//!
//! impl CacheKeyer for ByPath {
//!     fn key(&self, request: &CacheRequest<'_>, scope: &Scope) -> Option<CacheKey> {
//!         Some(CacheKey::builder(scope).field("path", request.head.uri.path()).finish())
//!     }
//! }
//!
//! let cache = Cache::new(CacheConfig::default());
//! let app = service_fn(async |_: Request<Body>| Ok::<_, Error>(Response::new(Body::from("slow"))));
//! let stack = cache.layer(ByPath, &Generations::default()).layer(app);
//! for _ in 0..2 {
//!     let ada = Arc::new(Identity::user("ada"));
//!     let request = Request::post("/report").extension(ada).body(Body::empty()).unwrap();
//!     assert_eq!(stack.clone().oneshot(request).await.unwrap().body().as_bytes(), Some(&b"slow"[..]));
//! }
//! let stats = cache.stats();
//! assert_eq!((stats.misses, stats.hits), (1, 1));
//! # });
//! ```
//!
//! Layers and the store need a tokio runtime: an answer that its caller no longer waits for is worked out to its end.

mod cache;
mod commands;
mod config;
mod http;
mod store;

use zcomm_core::Plugin;

pub use cache::Cache;
pub use commands::{Answers, CacheFuture, CacheLayer, Cached, PerIdentity};
pub use config::CacheConfig;
pub use http::{HttpCacheLayer, HttpCached};

/// What this crate brings to a program: the settings of the cache.
pub const PLUGIN: Plugin = Plugin::new("cache", env!("CARGO_PKG_NAME")).keys(config::KEYS);
zcomm_core::inventory::submit!(PLUGIN);
