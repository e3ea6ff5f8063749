//! Why a caller was not let in, in the words a peer is told.

use crate::code::Code;
use crate::error::BoxError;

/// Why an [`AuthPolicy`](crate::AuthPolicy) did not identify a caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing was presented, and something is needed.
    #[error("Authentication required")]
    AuthenticationRequired,
    /// What was presented is not valid, or no longer.
    #[error("Invalid token")]
    InvalidToken,
    /// Too many attempts failed before this one.
    #[error("Too many attempts")]
    TooManyAttempts,
    /// The policy itself could not decide; the cause is for the log, not for the peer.
    #[error("Authentication is unavailable")]
    Unavailable {
        /// What kept the policy from deciding.
        #[source]
        source: BoxError,
    },
}

impl Refusal {
    /// The stable code that goes over the wire.
    pub fn code(&self) -> Code {
        match self {
            Self::AuthenticationRequired | Self::InvalidToken => Code::Unauthorized,
            Self::TooManyAttempts => Code::TooManyRequests,
            Self::Unavailable { .. } => Code::Unavailable,
        }
    }

    /// Whether the same credentials may be accepted later.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
