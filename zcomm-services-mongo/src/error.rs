//! Why a server's answer could not be taken for MongoDB, or was a refusal. Probes turn these into words of a status.

use std::io;

use zcomm_core::Code;

/// What kept a session from being opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens, or the connection broke.
    #[error("the connection failed")]
    Connection(#[from] io::Error),
    /// Somebody listens, and it does not speak the protocol of MongoDB.
    #[error("what listens there is not MongoDB: it says `{said}`")]
    NotMongo {
        /// The beginning of what it said, without what cannot be printed.
        said: String,
    },
    /// It speaks the protocol, and refuses.
    #[error("it refuses: {message} ({number})")]
    Refused {
        /// The error's number.
        number: i64,
        /// What it said.
        message: String,
    },
    /// It could not prove that it knows the password, as the real server would.
    #[error("what listens there does not know the password itself")]
    Impostor,
    /// It is one of a replica set that was never put together.
    #[error("its replica set is not put together yet")]
    NotInitiated,
    /// It is one of a replica set that has nobody to write to.
    #[error("its replica set has not chosen who is written to")]
    Electing,
    /// The system has no random numbers to log in with.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// `Unauthorized`, `AuthenticationFailed`, and what servers say of users that they do not know.
const LOGIN: [i64; 3] = [13, 18, 11];

impl Error {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::NotMongo { .. } => "not_mongo",
            Self::Refused { .. } => "refused",
            Self::Impostor => "impostor",
            Self::NotInitiated => "not_initiated",
            Self::Electing => "electing",
            Self::Random(_) => "random",
        }
    }

    /// Whether the same question may be answered later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::Electing)
    }

    /// Whether it is about who asks, and not about what.
    pub(crate) fn is_login(&self) -> bool {
        matches!(self, Self::Refused { number, .. } if LOGIN.contains(number))
    }
}

impl From<Error> for zcomm_core::Error {
    fn from(error: Error) -> Self {
        Self::other(Code::Unavailable, error)
    }
}
