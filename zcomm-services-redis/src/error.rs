//! Why a server's answer could not be taken for Redis. Probes turn these into words of a status.

use std::io;

use zcomm_core::Code;

/// What kept an answer from being one of Redis.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens, or the connection broke.
    #[error("the connection failed")]
    Connection(#[from] io::Error),
    /// Somebody listens, and it does not speak the protocol of Redis.
    #[error("what listens there is not Redis: it says `{said}`")]
    NotRedis {
        /// The beginning of what it said, without what cannot be printed.
        said: String,
    },
    /// It speaks the protocol, and refuses.
    #[error("it refuses: {message}")]
    Refused {
        /// What it said.
        message: String,
    },
    /// An answer is longer than any that is expected.
    #[error("what listens there is not Redis: its answer is longer than {limit} bytes")]
    TooLong {
        /// The most that is read.
        limit: usize,
    },
}

impl Error {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::NotRedis { .. } => "not_redis",
            Self::Refused { .. } => "refused",
            Self::TooLong { .. } => "too_long",
        }
    }

    /// Whether the same question may be answered later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Refused { message } => is_starting(message),
            Self::NotRedis { .. } | Self::TooLong { .. } => false,
        }
    }
}

/// Whether a refusal means that the server is about to be ready.
pub(crate) fn is_starting(message: &str) -> bool {
    ["LOADING", "BUSY", "MASTERDOWN"]
        .iter()
        .any(|word| message.starts_with(word))
}

/// Whether a refusal is about who asks, and not about what.
pub(crate) fn is_login(message: &str) -> bool {
    ["NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "ERR AUTH"]
        .iter()
        .any(|word| message.starts_with(word))
}

impl From<Error> for zcomm_core::Error {
    fn from(error: Error) -> Self {
        Self::other(Code::Unavailable, error)
    }
}
