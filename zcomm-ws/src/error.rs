//! What can go wrong in this crate, apart from a peer's frames.

use std::io;
use std::net::SocketAddr;

use zcomm_core::ConnectionId;
use zcomm_core::net::Holder;

use crate::frame::FrameError;

/// Why a server could not start, or a message could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, not this machine's, or not ours to take.
    #[error(
        "cannot listen on {address}{}; the port is the setting `websocket.port` (WEBSOCKET_PORT)",
        HeldBy(holder.as_ref())
    )]
    Bind {
        /// Where the server was to listen.
        address: SocketAddr,
        /// Who listens there, where that can be read.
        holder: Option<Holder>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The name to listen on means no address.
    #[error("`{host}` is no address to listen on (setting `websocket.host`)")]
    Host {
        /// The name.
        host: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others could reach the server, and nobody would be asked who they are.
    #[error(
        "{address} is not for this machine alone, and no authentication is required: set `websocket.require_auth` with a token, or `websocket.allow_insecure`"
    )]
    Insecure {
        /// Where the server was to listen.
        address: SocketAddr,
    },
    /// An allowed origin has not the form of one.
    #[error(
        "`{origin}` is no origin like `https://example.org` (setting `websocket.allowed_origins`)"
    )]
    OriginInvalid {
        /// What was given.
        origin: String,
    },
    /// The connection ended, or is about to.
    #[error("connection {connection} is closed")]
    Closed {
        /// Its number.
        connection: ConnectionId,
    },
    /// Too much is waiting for the peer already.
    #[error("too much is waiting to be sent to connection {connection}")]
    OutboxFull {
        /// Its number.
        connection: ConnectionId,
    },
    /// A value that cannot be written as JSON.
    #[error("the message cannot be written as JSON")]
    Json {
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// A peer's frame, or one of ours, breaks the protocol.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Error {
    /// A stable name for logs and replies.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "bind_failed",
            Self::Host { .. } => "host_invalid",
            Self::Insecure { .. } => "insecure",
            Self::OriginInvalid { .. } => "origin_invalid",
            Self::Closed { .. } => "closed",
            Self::OutboxFull { .. } => "outbox_full",
            Self::Json { .. } => "json",
            Self::Frame(error) => error.code(),
        }
    }

    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Bind { .. } | Self::OutboxFull { .. } => true,
            Self::Frame(error) => error.is_retryable(),
            _ => false,
        }
    }
}

struct HeldBy<'a>(Option<&'a Holder>);

impl std::fmt::Display for HeldBy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(holder) => write!(f, ", which {holder} holds"),
            None => Ok(()),
        }
    }
}
