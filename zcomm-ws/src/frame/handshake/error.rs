//! What can be wrong with a handshake, and the status it is answered with.

use crate::frame::FrameError;

/// Why a handshake was refused, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The head is not HTTP/1.1 as RFC 9112 has it.
    #[error("the head is malformed: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The head is longer, or has more headers, than is taken.
    #[error("the head is larger than {limit} {unit}")]
    HeadTooLarge {
        /// The limit.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// A value to be sent could end its line, or isn't a token where one is needed.
    #[error("`{field}` holds characters that it may not hold")]
    Unsendable {
        /// Which value.
        field: &'static str,
    },
    /// The method is not GET.
    #[error("a handshake is a GET request")]
    Method,
    /// A header that must be there once is missing, doubled or not what it has to be.
    #[error("header `{name}` {problem}")]
    Header {
        /// The header's name.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A version other than 13.
    #[error("only version 13 of the protocol is spoken here")]
    Version,
    /// The server answered with something other than 101.
    #[error("the server answered {status} instead of 101")]
    Status {
        /// The status.
        status: u16,
    },
    /// The accept key belongs to another request.
    #[error("the accept key does not belong to this request")]
    AcceptMismatch,
    /// A subprotocol in the answer that wasn't offered.
    #[error("subprotocol `{protocol}` was not offered")]
    ProtocolNotOffered {
        /// What the server chose.
        protocol: String,
    },
    /// An extension in the answer whose parameters don't fit the offer.
    #[error("extension `{extension}` is not what was offered")]
    ExtensionMismatch {
        /// What the server answered.
        extension: String,
    },
    /// An extension in the answer that wasn't offered.
    #[error("extension `{extension}` was not offered")]
    ExtensionNotOffered {
        /// What the server chose.
        extension: String,
    },
    /// The operating system gave no random bytes for the key.
    #[error("no key for the handshake")]
    Random(#[source] FrameError),
}

impl HandshakeError {
    /// The HTTP status that answers a refused request.
    pub fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Version => 426,
            Self::HeadTooLarge { .. } => 431,
            Self::Random(_) | Self::Unsendable { .. } => 500,
            _ => 400,
        }
    }

    /// A stable name for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "handshake_malformed",
            Self::HeadTooLarge { .. } => "handshake_head_too_large",
            Self::Unsendable { .. } => "handshake_unsendable",
            Self::Method => "handshake_method",
            Self::Header { .. } => "handshake_header",
            Self::Version => "handshake_version",
            Self::Status { .. } => "handshake_status",
            Self::AcceptMismatch => "handshake_accept_mismatch",
            Self::ProtocolNotOffered { .. } => "handshake_protocol_not_offered",
            Self::ExtensionNotOffered { .. } => "handshake_extension_not_offered",
            Self::ExtensionMismatch { .. } => "handshake_extension_mismatch",
            Self::Random(_) => "random_unavailable",
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Random(_))
            || matches!(
                self,
                Self::Status {
                    status: 429 | 502..=504
                }
            )
    }
}
