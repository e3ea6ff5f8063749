//! What a message asks for once it is resolved. Made by a protocol, read by policies, caches and handlers.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::action::{Action, Operation};
use crate::data::{Query, Write};

/// What a message asks for, parsed once. Requests carry it as the extension `Arc<Command>`.
///
/// ```
/// use zcomm_core::{Action, Command};
///
/// let ping = Command::Event("ping".to_owned());
/// assert_eq!(ping.action(), Action::Event("ping"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Read rows. Nothing else is ever answered from a cache.
    Read {
        /// Which rows.
        query: Query,
        /// What the caller wishes of caches.
        cache: CacheWish,
    },
    /// Write rows.
    Write(Write),
    /// Call a function that the application registered.
    Call {
        /// Its name.
        function: String,
        /// What it is given.
        args: Vec<Json>,
    },
    /// Run a command that the application registered under a key.
    Run {
        /// The key.
        key: String,
        /// The whole message.
        message: Map<String, Json>,
    },
    /// Resolve a route.
    Link(String),
    /// Read a file below the configured root.
    Open(String),
    /// An event that names no rows.
    Event(String),
}

/// What a caller wishes of caches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheWish {
    /// How long the answer may be kept, if the caller said.
    pub ttl: Option<Duration>,
    /// Whether the answer is neither to come from a cache nor to go into one.
    pub bypass: bool,
}

impl CacheWish {
    /// Keeping the answer for this long.
    #[must_use]
    pub fn kept_for(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// No cache at all.
    #[must_use]
    pub fn bypassing(mut self) -> Self {
        self.bypass = true;
        self
    }
}

impl Command {
    /// What a policy has to know of it.
    pub fn action(&self) -> Action<'_> {
        match self {
            Self::Read { query, .. } => Action::Data {
                model: query.model.name(),
                operation: Operation::Read,
            },
            Self::Write(write) => Action::Data {
                model: write.model.name(),
                operation: write.operation(),
            },
            Self::Call { function, .. } => Action::Call(function),
            Self::Run { key, .. } => Action::Run(key),
            Self::Link(path) => Action::Link(path),
            Self::Open(path) => Action::Open(path),
            Self::Event(name) => Action::Event(name),
        }
    }
}
