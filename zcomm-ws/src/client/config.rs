//! The limits and deadlines of a client. Checks nothing: any value is one that a client can live with.

use std::time::Duration;

/// What a client allows itself and its server.
///
/// ```
/// use std::time::Duration;
/// use zcomm_ws::client::ClientConfig;
///
/// let mut config = ClientConfig::default();
/// config.call_timeout = Duration::from_secs(5);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// How long opening may take in all: look-up, connecting, TLS, handshake and greeting. Default: 10 s.
    pub open_timeout: Duration,
    /// How long a request may take, the wait for a connection included. Default: 30 s.
    pub call_timeout: Duration,
    /// How long the end of a connection may take. Default: 2 s.
    pub close_timeout: Duration,
    /// How often the server is asked for a sign of life. Default: 30 s.
    pub ping_interval: Duration,
    /// How long it may take to give one. Default: 10 s.
    pub pong_timeout: Duration,
    /// How many requests may await their replies at once; others wait. Default: 32, as servers have it.
    pub max_in_flight: usize,
    /// How many messages may wait to be sent; whoever sends more waits. Default: 64.
    pub queue: usize,
    /// How many unasked messages may wait for a reader; of more, the oldest are lost. Default: 1024.
    pub events: usize,
    /// The largest message that is taken, in bytes. Default: 17 MiB, a little more than the largest reply.
    pub max_message_size: usize,
    /// The largest message that is sent, in bytes. Default: 1 MiB, what servers take.
    pub max_request_size: usize,
    /// Whether to offer permessage-deflate. Needs the feature `compression`. Default: false.
    pub compression: bool,
    /// Whether both ends may remember messages to compress the next ones better: some 300 KB. Default: false.
    pub compression_context_takeover: bool,
    /// Whether the server speaks first, as zBifrost does: the connection is open only after that. Default: true.
    pub greeting: bool,
    /// Whether a lost connection is opened again. Default: true.
    pub reconnect: bool,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            open_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(2),
            ping_interval: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(10),
            max_in_flight: 32,
            queue: 64,
            events: 1024,
            max_message_size: 17 << 20,
            max_request_size: 1 << 20,
            compression: false,
            compression_context_takeover: false,
            greeting: true,
            reconnect: true,
        }
    }
}
