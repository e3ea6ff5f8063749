//! What can go wrong in this crate, apart from a peer's frames.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// zBifrost was asked to take tokens as messages.
    #[error("zBifrost takes no token by message yet: leave `first_message_auth` off")]
    FirstMessage,
    /// An allowed origin has not the form of one.
    #[error(
        "`{origin}` is no origin like `https://example.org` (setting `websocket.allowed_origins`)"
    )]
    OriginInvalid {
        /// What was given.
        origin: String,
    },
    /// A proxy to trust is no address.
    #[error(
        "`{proxy}` is no address like `10.0.0.1`, nor a network like `10.0.0.0/8` (setting `websocket.trusted_proxies`)"
    )]
    ProxyInvalid {
        /// What was given.
        proxy: String,
    },
    /// TLS is asked for, and this build has none.
    #[error(
        "`websocket.ssl_enabled` is set, and this build has no TLS: it needs the feature `tls` of zcomm"
    )]
    TlsMissing,
    /// Compression is asked for, and this build has none.
    #[error(
        "`websocket.compression` is set, and this build has no compression: it needs the feature `compression` of zcomm"
    )]
    CompressionMissing,
    /// TLS is asked for, and one of its files is not named.
    #[error("`websocket.ssl_enabled` is set, and `{key}` names no file")]
    TlsUnset {
        /// The setting that is missing.
        key: &'static str,
    },
    /// A certificate or key that cannot be used.
    #[error("cannot use the {file} {} (setting `{}`)", path.display(), file.setting())]
    TlsFile {
        /// Which of the two it is.
        file: TlsFile,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A certificate and a key that do not belong together.
    #[error("the key {} is not that of the certificate {}", key.display(), certificate.display())]
    TlsMismatch {
        /// Where the certificate is.
        certificate: PathBuf,
        /// Where the key is.
        key: PathBuf,
    },
    /// The system tells this process of no signals.
    #[error("cannot wait for the signals that end a server")]
    Signals {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `run` was called inside an async runtime, which it would block.
    #[error("`run()` was called inside an async runtime; use `serve().await` there")]
    InsideRuntime,
    /// The system gave no threads for a runtime.
    #[error("cannot start a runtime")]
    Runtime {
        /// What the system said.
        #[source]
        source: io::Error,
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
            Self::FirstMessage => "first_message",
            Self::OriginInvalid { .. } => "origin_invalid",
            Self::ProxyInvalid { .. } => "proxy_invalid",
            Self::TlsMissing => "tls_missing",
            Self::CompressionMissing => "compression_missing",
            Self::TlsUnset { .. } => "tls_unset",
            Self::TlsFile { .. } => "tls_file",
            Self::TlsMismatch { .. } => "tls_mismatch",
            Self::Signals { .. } => "no_signals",
            Self::InsideRuntime => "inside_runtime",
            Self::Runtime { .. } => "no_runtime",
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

/// One of the two files of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFile {
    /// The certificate and its chain.
    Certificate,
    /// The private key.
    Key,
}

impl TlsFile {
    /// The setting that names it.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Certificate => "websocket.ssl_cert",
            Self::Key => "websocket.ssl_key",
        }
    }
}

impl fmt::Display for TlsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}

struct HeldBy<'a>(Option<&'a Holder>);

impl fmt::Display for HeldBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(holder) => write!(f, ", which {holder} holds"),
            None => Ok(()),
        }
    }
}
