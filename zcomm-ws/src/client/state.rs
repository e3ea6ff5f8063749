//! Where a client's connection stands, for those who look on.

use std::time::Duration;

use super::ClientError;

/// Where a client's connection stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// It is being opened.
    Connecting,
    /// Requests go out and replies come in.
    Open,
    /// It was lost, and is opened again after a wait. Requests wait as well.
    Waiting {
        /// How long the wait takes.
        delay: Duration,
        /// What was lost, or why opening failed.
        because: ClientError,
    },
    /// The token expired; it is opened again as soon as there is another.
    TokenExpired,
    /// It is over.
    Closed {
        /// Why.
        because: ClientError,
    },
}

impl State {
    /// Whether requests go out.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether nothing will ever go out again.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}
