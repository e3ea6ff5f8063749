//! Under which key an answer may be kept, if at all. Keeps no answers: that is `zcomm-cache`.

mod answers;
mod key;

use std::sync::Arc;

use http::request::Parts;

use crate::command::Command;
use crate::identity::Scope;

pub use answers::{AnswerCache, CacheStats, CachedMark, Clearing, Recallable, Remembered};
pub use key::{CacheKey, KeyBuilder};

/// What a [`CacheKeyer`] judges: a request's head, and what it was resolved to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CacheRequest<'a> {
    /// Method, path, headers, extensions.
    pub head: &'a Parts,
    /// The command, where the request is one.
    pub command: Option<&'a Command>,
}

impl<'a> CacheRequest<'a> {
    /// Takes a request apart for a keyer.
    pub fn of(head: &'a Parts) -> Self {
        Self {
            head,
            command: head
                .extensions
                .get::<Arc<Command>>()
                .map(|command| &**command),
        }
    }
}

/// Says under which key the answer to a request may be kept, if at all.
///
/// The cache layer of `zcomm-cache` asks once per request, before it looks anything up.
///
/// Implementors put into the key everything that could change the answer: two requests get one key only if the same
/// bytes answer both. The scope is in every [`CacheKey`] already. When in doubt they return `None`.
///
/// ```
/// use zcomm_core::{CacheKey, CacheKeyer, CacheRequest, Scope};
///
/// /// Keeps what is under `/public`, for each scope by itself.
/// struct Public;
///
/// impl CacheKeyer for Public {
///     fn key(&self, request: &CacheRequest<'_>, scope: &Scope) -> Option<CacheKey> {
///         let path = request.head.uri.path_and_query()?.as_str();
///         path.starts_with("/public").then(|| CacheKey::builder(scope).field("path", path).finish())
///     }
/// }
/// ```
pub trait CacheKeyer: Send + Sync {
    /// The key of this request for callers of this scope; `None` if its answer must not be kept.
    fn key(&self, request: &CacheRequest<'_>, scope: &Scope) -> Option<CacheKey>;
}

impl<K: CacheKeyer + ?Sized> CacheKeyer for Arc<K> {
    fn key(&self, request: &CacheRequest<'_>, scope: &Scope) -> Option<CacheKey> {
        (**self).key(request, scope)
    }
}
