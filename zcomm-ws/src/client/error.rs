//! What can go wrong between a client and its server. Names hosts and codes, never an address with its token.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use zcomm_core::{Code, Error, Phase};

use crate::frame::{CloseCode, FrameError, HandshakeError};

/// Why a client has no connection, or a request no result.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none that a socket can be opened to.
    #[error("the address {problem}; it looks like `wss://example.org/ws`")]
    Address {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Compression is asked for, and this build has none.
    #[error("this build has no compression: it needs the feature `compression` of zcomm")]
    CompressionMissing,
    /// The way to the server could not be opened.
    #[error("{phase} failed for `{host}`")]
    Open {
        /// What was being done.
        phase: Phase,
        /// Host and port.
        host: String,
        /// What the system or library said.
        #[source]
        source: Arc<io::Error>,
    },
    /// Opening took longer than it may.
    #[error("`{host}` cannot be reached within {limit:?}: {phase} took too long")]
    OpenTimeout {
        /// What was being done when the time was over.
        phase: Phase,
        /// Host and port.
        host: String,
        /// The time for all of it.
        limit: Duration,
    },
    /// The server does not speak WebSocket, or refused to.
    #[error("the handshake with `{host}` failed")]
    Handshake {
        /// Host and port.
        host: String,
        /// What is wrong with its answer.
        #[source]
        source: HandshakeError,
    },
    /// Subprotocols were offered, and the server chose none.
    #[error("`{host}` speaks none of the subprotocols that were offered")]
    NoSubprotocol {
        /// Host and port.
        host: String,
    },
    /// The server sent something that no server may send.
    #[error("`{host}` broke the protocol")]
    Protocol {
        /// Host and port.
        host: String,
        /// The rule that it broke.
        #[source]
        source: FrameError,
    },
    /// The connection ended, and the server may or may not have carried the request out.
    #[error("the connection to `{host}` is closed: {}", Ending(*code, reason))]
    Closed {
        /// Host and port.
        host: String,
        /// The code of the CLOSE; [`CloseCode::Abnormal`] where none came.
        code: CloseCode,
        /// Its reason, often empty.
        reason: String,
    },
    /// There was no connection while the request could wait. It was not sent.
    #[error("there was no connection to `{host}` within {limit:?}; the request was not sent")]
    NotSent {
        /// Host and port.
        host: String,
        /// How long the request waited.
        limit: Duration,
    },
    /// No reply came in time; the server may still carry the request out.
    #[error("no reply to `{event}` within {limit:?}")]
    Timeout {
        /// What was asked.
        event: String,
        /// How long the reply could take.
        limit: Duration,
    },
    /// The server replied that it cannot or will not.
    #[error("{error} ({code})")]
    Answered {
        /// The reply's code.
        code: String,
        /// The reply's sentence.
        error: String,
        /// The reply's details, where there are any.
        details: Option<Value>,
    },
    /// A reply is not what was expected of it.
    #[error("the reply is not of the expected form")]
    Reply {
        /// What serde said.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// Arguments that are no JSON object.
    #[error("the arguments of `{event}` are no JSON object")]
    Arguments {
        /// What was to be asked.
        event: String,
        /// What serde said, where it came to words.
        #[source]
        source: Option<Arc<serde_json::Error>>,
    },
    /// Arguments that name another event than the one to be asked.
    #[error("the arguments of `{event}` hold another `event`")]
    OtherEvent {
        /// What was to be asked.
        event: String,
    },
    /// A request that is larger than a server takes.
    #[error("a request of {size} bytes is beyond the limit of {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A request that a socket has no way to carry.
    #[error("{problem}")]
    Unsuited {
        /// Why it cannot be carried.
        problem: &'static str,
    },
    /// What came unasked was not read fast enough, and this much of it is lost.
    #[error("{missed} messages were lost: they were not read fast enough")]
    Lagged {
        /// How many.
        missed: u64,
    },
}

impl ClientError {
    /// A stable name for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "address_invalid",
            Self::CompressionMissing => "compression_missing",
            Self::Open { .. } => "open_failed",
            Self::OpenTimeout { .. } => "open_timeout",
            Self::Handshake { source, .. } => source.code(),
            Self::NoSubprotocol { .. } => "no_subprotocol",
            Self::Protocol { source, .. } => source.code(),
            Self::Closed { .. } => "closed",
            Self::NotSent { .. } => "not_sent",
            Self::Timeout { .. } => "timeout",
            Self::Answered { .. } => "answered",
            Self::Reply { .. } => "reply_invalid",
            Self::Arguments { .. } => "arguments_invalid",
            Self::OtherEvent { .. } => "other_event",
            Self::TooLarge { .. } => "too_large",
            Self::Unsuited { .. } => "unsuited",
            Self::Lagged { .. } => "lagged",
        }
    }

    /// Whether the same may succeed later, unchanged. It says nothing about whether it was done already.
    pub fn is_retryable(&self) -> bool {
        match self {
            // rustls reports what it refuses, a wrong certificate above all, as invalid data.
            Self::Open { source, .. } => source.kind() != io::ErrorKind::InvalidData,
            Self::Handshake { source, .. } => source.is_retryable(),
            Self::Closed { code, .. } => allows_return(*code),
            Self::Answered { code, .. } => Code::from_wire(code).is_some_and(Code::is_retryable),
            Self::OpenTimeout { .. } | Self::NotSent { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }
}

/// Whether a client may come back by itself after such an end.
fn allows_return(code: CloseCode) -> bool {
    matches!(
        u16::from(code),
        1001 | 1006 | 1011..=1013 | 4000..=4499
    )
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        let (phase, host) = match &error {
            ClientError::Open { phase, host, .. } => (*phase, host),
            ClientError::OpenTimeout { host, .. } => (Phase::Timeout, host),
            ClientError::NotSent { host, .. } => (Phase::Connect, host),
            ClientError::Handshake { host, .. }
            | ClientError::NoSubprotocol { host }
            | ClientError::Protocol { host, .. } => (Phase::Handshake, host),
            ClientError::Closed { host, .. } => return Self::Closed { host: host.clone() },
            ClientError::Timeout { limit, .. } => return Self::Timeout { limit: *limit },
            ClientError::TooLarge { limit, .. } => return Self::TooLarge { limit: *limit },
            ClientError::Lagged { .. } => return Self::other(Code::Unavailable, error),
            ClientError::Reply { .. } => return Self::other(Code::Internal, error),
            _ => return Self::other(Code::BadRequest, error),
        };
        Self::Transport {
            phase,
            host: host.clone(),
            source: Box::new(error),
        }
    }
}

struct Ending<'a>(CloseCode, &'a str);

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(code, reason) = self;
        write!(f, "{} {code}", u16::from(*code))?;
        if !reason.is_empty() {
            // The server chose these words: they may not steer a terminal.
            write!(f, ", {}", reason.escape_debug())?;
        }
        Ok(())
    }
}
