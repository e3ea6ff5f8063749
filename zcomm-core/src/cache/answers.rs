//! A cache of answers as a server sees it: looked up by a message's bytes, stood around its events, cleared.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::command::Command;
use crate::identity::Scope;
use crate::transport::BoxService;

/// An answer that is still current, and the command that it answered.
///
/// The command is there so that the front can ask the policy again: a remembered answer is never a way around it.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The whole reply object, without an id.
    pub answer: Bytes,
    /// What it answers.
    pub command: Arc<Command>,
}

/// Says that an answer may be found again by the bytes of the request's body. Requests carry it as an extension.
///
/// Only a request whose body alone decides what it asks for may carry it: the front's, whose message names its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recallable;

/// Where an answer says that it is not from a cache. Responses that may be kept carry it as an extension.
///
/// A cache puts `true` where the body has `false`, so that whoever makes answers knows nothing of caches.
///
/// ```
/// use zcomm_core::CachedMark;
///
/// let fresh = br#"{"result":[],"_cached":false}"#;
/// let kept = CachedMark { at: 23 }.kept(fresh).unwrap();
/// assert_eq!(&kept[..], br#"{"result":[],"_cached":true}"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedMark {
    /// The offset of the word `false` in the body.
    pub at: usize,
}

impl CachedMark {
    /// The body as it is when it comes from a cache; `None` where there is no `false` at the mark.
    pub fn kept(self, fresh: &[u8]) -> Option<Bytes> {
        let (head, rest) = fresh.split_at_checked(self.at)?;
        let tail = rest.strip_prefix(b"false")?;
        Some([head, b"true", tail].concat().into())
    }
}

/// What a cache did for the callers of a scope, or for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Requests that were answered by what was kept.
    pub hits: u64,
    /// Requests that had to be worked out.
    pub misses: u64,
    /// Answers whose time was over.
    pub expired: u64,
    /// Answers that had to make room for others.
    pub evicted: u64,
    /// Requests that waited for the answer to the same request of somebody else in the scope.
    pub coalesced: u64,
}

/// What a cache is to forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clearing<'a> {
    /// The answers of one scope.
    Scope(&'a Scope),
    /// The answers about one model, of all scopes.
    Model(&'a str),
    /// Everything.
    All,
}

/// Answers that are known by the very bytes of the message that asked for them.
///
/// The front of a connection asks [`recall`](Self::recall) before anything is parsed, so an implementation neither
/// blocks nor allocates more than it must. It gives back only what it would also give through the layer that
/// [`around`](Self::around) puts on: kept for exactly this scope, not expired, and of the model's current generation.
///
/// One value serves one server, as it is bound to the generations of that server's store. Everything but `recall` may
/// be left as it is by an implementation that is only a look-up.
pub trait AnswerCache: Send + Sync {
    /// The current answer to this message (its id cut out) for callers of this scope.
    fn recall(&self, scope: &Scope, message: &[u8]) -> Option<Remembered>;

    /// Puts the layer that keeps answers around the events of a server, inside of authorization.
    fn around(&self, events: BoxService) -> BoxService {
        events
    }

    /// What was done for this scope.
    fn stats(&self, scope: &Scope) -> CacheStats {
        let _ = scope;
        CacheStats::default()
    }

    /// Forgets answers. What is being worked out meanwhile is not kept either.
    fn clear(&self, what: Clearing<'_>) {
        let _ = what;
    }

    /// Sets for how long answers are kept that name no time themselves: those of a scope, or of all.
    fn keep_for(&self, scope: Option<&Scope>, ttl: Duration) {
        let _ = (scope, ttl);
    }
}
