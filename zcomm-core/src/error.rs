//! What can go wrong on the way through the seam, with the code that a client is told.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::auth::Refusal;
use crate::code::Code;
use crate::registry::{Fix, RegistryError};
use crate::service::ServiceState;

/// The source of an error whose type belongs to somebody else.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The one error type of every [`Service`](tower::Service) in a zcomm stack.
///
/// A status of 400 and above is an answer, not an error. Errors are what kept an answer from coming.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The way to a host could not be opened or broke.
    #[error("{phase} failed for `{host}`")]
    Transport {
        /// What was being done.
        phase: Phase,
        /// Host and port, without credentials.
        host: String,
        /// What the system or library said.
        #[source]
        source: BoxError,
    },
    /// The connection that carried a call is gone, before or while the answer was awaited.
    #[error("the connection to `{host}` is closed")]
    Closed {
        /// Host and port, without credentials.
        host: String,
    },
    /// No transport is there for the address.
    #[error(
        "no transport serves `{scheme}://`; known here: {}{}",
        Listed(known),
        Missing(scheme)
    )]
    NoTransport {
        /// The scheme that was asked for.
        scheme: String,
        /// Every scheme that the stack serves.
        known: Vec<String>,
    },
    /// The time that was given is over.
    #[error("no answer within {}", Seconds(*limit))]
    Timeout {
        /// The time that was given.
        limit: Duration,
    },
    /// The caller could not be identified.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller is known and may not do this.
    #[error("{who} may not {action}")]
    Forbidden {
        /// The user's name, or `a guest`.
        who: String,
        /// What was asked for, as [`Action`](crate::Action) prints it.
        action: String,
    },
    /// A service that a request needs does not answer.
    #[error("{service} does not answer at {endpoint} ({state}) after {}", Seconds(*waited))]
    ServiceUnavailable {
        /// The driver's name.
        service: String,
        /// Where it was looked for.
        endpoint: String,
        /// What was found there.
        state: ServiceState,
        /// How long the request waited.
        waited: Duration,
    },
    /// A body is larger than it may be.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// A body broke off while it was read.
    #[error("the body could not be read to its end")]
    Body {
        /// What broke it.
        #[source]
        source: BoxError,
    },
    /// A plugin is missing, unknown or there twice.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// One failure that several requests waited for.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// An error of another crate, with what a client is told of it.
    #[error(transparent)]
    Other(#[from] Coded),
}

impl Error {
    /// Wraps the error of another crate under the code that a client is to see.
    pub fn other(code: Code, source: impl Into<BoxError>) -> Self {
        Self::Other(Coded {
            code,
            error: source.into(),
            details: None,
        })
    }

    /// The same with members that a program can read: which field, what is allowed.
    pub fn other_with(code: Code, source: impl Into<BoxError>, details: Value) -> Self {
        Self::Other(Coded {
            code,
            error: source.into(),
            details: Some(details),
        })
    }

    /// What a client is told beside the sentence and the code, as a JSON object.
    pub fn details(&self) -> Option<&Value> {
        match self {
            Self::Shared(error) => error.details(),
            Self::Other(coded) => coded.details.as_ref(),
            _ => None,
        }
    }

    /// The failure itself, where several requests share it: for a match over the variants.
    pub fn root(&self) -> &Self {
        match self {
            Self::Shared(error) => error.root(),
            own => own,
        }
    }

    /// The stable code that goes over the wire.
    pub fn code(&self) -> Code {
        match self {
            Self::Transport {
                phase: Phase::Timeout,
                ..
            }
            | Self::Timeout { .. } => Code::Timeout,
            Self::Transport { .. } | Self::Closed { .. } | Self::ServiceUnavailable { .. } => {
                Code::Unavailable
            }
            Self::NoTransport { .. } => Code::BadRequest,
            Self::Refused(refusal) => refusal.code(),
            Self::Forbidden { .. } => Code::Forbidden,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Body { .. } => Code::BadRequest,
            Self::Registry(_) => Code::Internal,
            Self::Shared(error) => error.code(),
            Self::Other(coded) => coded.code,
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// Another crate's error and the [`Code`] that stands for it. Prints as that error, with that error's sources.
#[derive(Debug)]
pub struct Coded {
    code: Code,
    error: BoxError,
    details: Option<Value>,
}

impl Coded {
    /// The other crate's error, to be looked at or downcast.
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.error.as_ref()
    }
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Coded {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// What a transport was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Reading the address.
    Url,
    /// Looking the name up.
    Dns,
    /// Reaching the host.
    Connect,
    /// Agreeing on encryption.
    Tls,
    /// Agreeing on the protocol above.
    Handshake,
    /// Waiting: a deadline of the transport's own ran out.
    Timeout,
    /// Following a redirect.
    Redirect,
    /// Sending the request.
    Request,
    /// Reading the body.
    Body,
    /// Making sense of the body.
    Decode,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "reading the address",
            Self::Dns => "name look-up",
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Handshake => "the handshake",
            Self::Timeout => "waiting",
            Self::Redirect => "following a redirect",
            Self::Request => "sending the request",
            Self::Body => "reading the body",
            Self::Decode => "decoding the body",
        })
    }
}

/// Prints names with commas between them, or says that there are none.
struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&self.0.join(", "))
    }
}

/// Prints a duration as people say it: `1.5 s`, `250 ms`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            return write!(f, "{} ms", self.0.as_millis());
        }
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

/// What would bring a scheme of zcomm's own.
struct Missing<'a>(&'a str);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Fix::of(self.0) {
            Fix::Link => Ok(()),
            fix => write!(f, ". {fix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_sentences_with_the_values_in_them() {
        let unknown = Error::NoTransport {
            scheme: "gopher".into(),
            known: vec![],
        };
        let late = Error::Timeout {
            limit: Duration::from_millis(1500),
        };

        assert_eq!(
            unknown.to_string(),
            "no transport serves `gopher://`; known here: none"
        );
        assert_eq!(late.to_string(), "no answer within 1.5 s");
    }

    #[test]
    fn what_may_succeed_later_is_told_apart() {
        let closed = Error::Closed { host: "a:1".into() };

        assert!(closed.is_retryable());
        assert!(!Error::TooLarge { limit: 1 }.is_retryable());
    }
}
