//! Why a server's answer could not be taken for PostgreSQL, or was a refusal. Probes turn these into words of a status.

use std::io;

use zcomm_core::Code;

/// What kept a session from being opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens, or the connection broke.
    #[error("the connection failed")]
    Connection(#[from] io::Error),
    /// Somebody listens, and it does not speak the protocol of PostgreSQL.
    #[error("what listens there is not PostgreSQL: it says `{said}`")]
    NotPostgres {
        /// The beginning of what it said, without what cannot be printed.
        said: String,
    },
    /// It speaks the protocol, and refuses.
    #[error("it refuses: {message} ({state})")]
    Refused {
        /// The SQLSTATE.
        state: String,
        /// What it said.
        message: String,
    },
    /// It asks for a password, and none is known.
    #[error("it asks for a password, and none is known")]
    NoPassword,
    /// It asks for a proof of identity that zcomm does not give: a password in the clear, MD5, Kerberos.
    #[error("it asks for a login of kind {kind}, and only SCRAM-SHA-256 is spoken here")]
    UnknownLogin {
        /// The number in its request (PostgreSQL's protocol, Authentication messages).
        kind: u32,
    },
    /// It could not prove that it knows the password, as the real server would.
    #[error("what listens there does not know the password itself")]
    Impostor,
    /// The system has no random numbers to log in with.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

impl Error {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::NotPostgres { .. } => "not_postgres",
            Self::Refused { .. } => "refused",
            Self::NoPassword => "no_password",
            Self::UnknownLogin { .. } => "unknown_login",
            Self::Impostor => "impostor",
            Self::Random(_) => "random",
        }
    }

    /// Whether the same question may be answered later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Refused { state, .. } => is_starting(state),
            _ => false,
        }
    }
}

/// `cannot_connect_now`: it starts, recovers or shuts down.
pub(crate) fn is_starting(state: &str) -> bool {
    state == "57P03"
}

impl From<Error> for zcomm_core::Error {
    fn from(error: Error) -> Self {
        Self::other(Code::Unavailable, error)
    }
}
