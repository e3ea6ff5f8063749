//! The limits and rules of a server, as values. Checks nothing: `bind` does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outbox::OutboxLimits;
use crate::frame::Limits;

/// How a server refuses a client whose upgrade request is well-formed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reject {
    /// Accepts the upgrade and closes with 1008 and a reason, which is all that a browser's page can see.
    #[default]
    Close,
    /// Answers the handshake with 401, 403, 429 or 503.
    Http,
}

/// Where a server listens, whom it lets in, and how much it takes.
///
/// ```
/// use zcomm_ws::server::ServerConfig;
///
/// let config: ServerConfig = serde_json::from_str(r#"{"port": 0, "max_connections": 5}"#).unwrap();
/// assert_eq!(config.max_connections, 5);
/// assert_eq!(config.host, "127.0.0.1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Address or name to listen on. Default: `127.0.0.1`.
    pub host: String,
    /// Port to listen on; 0 takes a free one. Default: 8765.
    pub port: u16,
    /// Whether a client must show a token. Default: no.
    pub require_auth: bool,
    /// Whether the token may come as the first message. Only for handlers that then wait for it. Default: no.
    pub first_message_auth: bool,
    /// Permits to listen beyond this machine without authentication. Default: no.
    pub allow_insecure: bool,
    /// Origins of the pages that may connect; none means pages of this machine. Default: none.
    pub allowed_origins: Vec<String>,
    /// Values of `Host` that are answered besides those of this machine. Default: none.
    pub allowed_hosts: Vec<String>,
    /// Proxies, as addresses or networks like `10.0.0.0/8`, whose word about their clients' addresses is believed: in
    /// `Forwarded`, in `X-Forwarded-For` and by the PROXY protocol. Default: none.
    pub trusted_proxies: Vec<String>,
    /// Whether to speak TLS, and nothing else. Needs the feature `tls`. Default: no.
    pub ssl_enabled: bool,
    /// The certificate and its chain, as PEM. Default: none.
    pub ssl_cert: Option<PathBuf>,
    /// The certificate's private key, as PEM. Default: none.
    pub ssl_key: Option<PathBuf>,
    /// How often both files are looked at for a change. Default: 10 s.
    pub ssl_reload_interval: Duration,
    /// Whether `GET /metrics` is answered: to anybody where the server is for this machine alone, else to whoever
    /// shows a token. Default: yes.
    pub metrics: bool,
    /// Lets pages from disk in without a token, where this server is on loopback and lists `file://`. For raw
    /// handlers; a protocol over data never sets it. Default: no.
    pub files_without_token: bool,
    /// How a client is refused. Default: by close code.
    pub reject: Reject,
    /// Subprotocols that are spoken, the preferred one first. Default: `zcomm`.
    pub subprotocols: Vec<String>,
    /// The largest message that is taken. Default: 1 MiB.
    pub max_message_size: usize,
    /// Fragments that one message may consist of. Default: 4096.
    pub max_fragments: u32,
    /// Messages larger than this are sent in several frames, between which pings and pongs may go; 0 never parts them.
    /// Default: 0.
    pub max_frame_size: usize,
    /// Whether permessage-deflate is agreed on with clients that offer it. Needs the feature `compression`.
    /// Default: no.
    pub compression: bool,
    /// Whether both ends may remember messages to compress the next ones better: some 300 KB for each connection that
    /// makes use of it. Without it an idle connection keeps nothing. Default: no.
    pub compression_context_takeover: bool,
    /// Messages below this size are sent as they are. Default: 256 bytes.
    pub compression_threshold: usize,
    /// From the accepted connection to the finished handshake. Default: 5 s.
    pub handshake_timeout: Duration,
    /// The largest head of a request. Default: 16 KiB.
    pub max_head_size: usize,
    /// Headers that a request may have. Default: 100.
    pub max_headers: usize,
    /// How long to wait for the peer's half of the closing handshake. Default: 2 s.
    pub close_timeout: Duration,
    /// How long a peer may take nothing of what is sent to it. Default: 30 s.
    pub write_timeout: Duration,
    /// How long a peer may be silent before it is pinged. Default: 30 s.
    pub ping_interval: Duration,
    /// How long an answer to a ping may take. Default: 10 s.
    pub pong_timeout: Duration,
    /// Bytes that may wait for a slow peer. Default: 1 MiB.
    pub outbox_size: usize,
    /// Messages that may wait for a slow peer. Default: 1024.
    pub outbox_messages: usize,
    /// Futures of one connection that may wait at the same time. Default: 32.
    pub max_in_flight: usize,
    /// Connections in all. Default: 10 000.
    pub max_connections: usize,
    /// Connections from one address; this machine is exempt. Default: 200.
    pub max_connections_per_address: usize,
    /// Connections of one user; guests are exempt. Default: 20.
    pub max_connections_per_user: usize,
    /// New connections per second; more wait to be accepted. Default: 500.
    pub connection_rate: u32,
    /// Failed authentications of one address per minute. Default: 10.
    pub auth_failures_per_minute: u32,
    /// How long a refusal is held back. Default: 100 ms.
    pub refusal_delay: Duration,
    /// How long a server that stops waits for its clients. Default: 10 s.
    pub drain_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8765,
            require_auth: false,
            first_message_auth: false,
            allow_insecure: false,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            ssl_enabled: false,
            ssl_cert: None,
            ssl_key: None,
            ssl_reload_interval: Duration::from_secs(10),
            metrics: true,
            files_without_token: false,
            reject: Reject::Close,
            subprotocols: vec!["zcomm".to_owned()],
            max_message_size: 1 << 20,
            max_fragments: 4096,
            max_frame_size: 0,
            compression: false,
            compression_context_takeover: false,
            compression_threshold: 256,
            handshake_timeout: Duration::from_secs(5),
            max_head_size: 16 * 1024,
            max_headers: 100,
            close_timeout: Duration::from_secs(2),
            write_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(10),
            outbox_size: 1 << 20,
            outbox_messages: 1024,
            max_in_flight: 32,
            max_connections: 10_000,
            max_connections_per_address: 200,
            max_connections_per_user: 20,
            connection_rate: 500,
            auth_failures_per_minute: 10,
            refusal_delay: Duration::from_millis(100),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl ServerConfig {
    /// Whether a server bound there serves this machine alone. A name that it answers to besides is a way in for others,
    /// and so is a proxy.
    pub fn is_local(&self, bound: SocketAddr) -> bool {
        bound.ip().is_loopback() && self.allowed_hosts.is_empty() && self.trusted_proxies.is_empty()
    }

    /// Whether pages from disk need no token.
    pub(super) fn lets_files_in(&self, bound: SocketAddr) -> bool {
        self.files_without_token && self.is_local(bound)
    }

    pub(super) fn frame_limits(&self) -> Limits {
        Limits::default()
            .message_size(self.max_message_size)
            .fragments(self.max_fragments)
    }

    pub(super) fn outbox_limits(&self) -> OutboxLimits {
        OutboxLimits {
            bytes: self.outbox_size,
            messages: self.outbox_messages,
        }
    }
}
