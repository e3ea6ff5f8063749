//! What is kept, for whom, and since when. Decides nothing.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use zcomm_core::data::Stamp;
use zcomm_core::{CacheKey, CacheWish, Command};

use super::New;
use super::account::{Account, Epoch};
use crate::http::Variants;

/// Something kept, with the account of the scope that it is kept for.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) account: Arc<Account>,
    pub(crate) kept: Kept,
    pub(super) epoch: Epoch,
    pub(super) weight: u32,
    pub(super) lifetime: Duration,
    born: Instant,
    /// Whether its end has been counted.
    counted: AtomicBool,
    gone: AtomicBool,
    uses: AtomicU32,
}

/// What there is to keep.
#[derive(Debug)]
pub(crate) enum Kept {
    /// The answer to a request.
    Answer(Answer),
    /// The message that leads to an answer.
    Alias(Alias),
    /// What a server elsewhere answered at one address.
    Http(Variants),
}

/// An answer as it is given out from the cache.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What the model's generation was before the answer was worked out; nothing for what is about no model.
    pub(crate) stamp: Option<Stamp>,
    /// For how long, where its caller said so.
    pub(crate) ttl: Option<Duration>,
}

/// The bytes of a message, which stand for the key of their answer.
#[derive(Debug)]
pub(crate) struct Alias {
    /// Weak: whether an answer is kept is not for its aliases to say, whose weight does not count it.
    pub(crate) entry: Weak<Entry>,
    pub(crate) key: Arc<CacheKey>,
    pub(crate) command: Arc<Command>,
}

impl Kept {
    /// What it weighs beside its key.
    pub(super) fn size(&self) -> u64 {
        let bytes = match self {
            Self::Answer(answer) => answer.body.len() + headers_size(&answer.headers),
            Self::Alias(alias) => alias.key.as_bytes().len(),
            Self::Http(variants) => variants.size(),
        };
        bytes as u64
    }
}

/// What headers weigh.
pub(crate) fn headers_size(headers: &HeaderMap) -> usize {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| name.as_str().len() + value.len() + 64)
        .sum()
}

impl Entry {
    pub(super) fn new(new: New, weight: u32) -> Self {
        Self {
            account: new.account,
            kept: new.kept,
            epoch: new.epoch,
            weight,
            lifetime: new.lifetime,
            born: Instant::now(),
            counted: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            uses: AtomicU32::new(0),
        }
    }

    /// The answer, where it is one that is still true.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match &self.kept {
            Kept::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    /// Whether an answer is young enough: for its own time or else its scope's, and for what this caller wishes.
    pub(crate) fn is_young(&self, answer: &Answer, wish: CacheWish, default: Duration) -> bool {
        let age = self.born.elapsed();
        let own = answer.ttl.unwrap_or_else(|| self.account.ttl(default));
        if age >= own {
            self.expire();
            return false;
        }
        wish.ttl.is_none_or(|ttl| age < ttl)
    }

    /// Counts a use; every so often it is to be told to the table of keys.
    pub(crate) fn count_use(&self) -> bool {
        self.uses.fetch_add(1, Ordering::Relaxed) % 8 == 7
    }

    /// Whether its end has come already.
    pub(crate) fn is_over(&self) -> bool {
        self.counted.load(Ordering::Relaxed)
    }

    /// After which time its memory is given back.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Books, once, that its time is over.
    pub(super) fn expire(&self) {
        if self.counts() {
            self.account.counters().expired();
        }
    }

    /// Books, once, that it had to make room.
    pub(super) fn crowd_out(&self) {
        if self.counts() {
            self.account.counters().evicted();
        }
    }

    /// Whether its end is to be counted. Messages that lead to an answer are nobody's business.
    fn counts(&self) -> bool {
        !matches!(self.kept, Kept::Alias(_)) && !self.counted.swap(true, Ordering::Relaxed)
    }

    /// Marks it as no longer kept; only the first time is true.
    pub(super) fn leave(&self) -> bool {
        !self.gone.swap(true, Ordering::AcqRel)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}
