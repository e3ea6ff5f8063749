//! What a server counts, kept so that counting costs a connection next to nothing. Writes no text: `text` does.

mod histogram;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use zcomm_core::ConnectionId;

use crate::frame::CloseCode;
use histogram::Histogram;
pub(crate) use text::Depths;

/// Connections of different shards never touch the same memory.
const SHARDS: usize = 16;

/// Upper bounds of the handler's time, in nanoseconds.
const TIMES: [u64; 8] = [
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
];

/// Upper bounds of how many a message went to.
const RECEIVERS: [u64; 6] = [0, 1, 10, 100, 1000, 10_000];

/// Why streams and requests are turned away; the last stands for whatever is not listed.
const REASONS: [&str; 17] = [
    "too_many_connections",
    "invalid_origin",
    "unauthorized",
    "forbidden",
    "too_many_requests",
    "unavailable",
    "bad_request",
    "timeout",
    "internal",
    "invalid_host",
    "invalid_handshake",
    "invalid_proxy_header",
    "handshake_timeout",
    "tls_failed",
    "tls_on_plain_port",
    "plain_on_tls_port",
    "other",
];

/// How connections end; the last stands for whatever is not listed.
const CODES: [u16; 15] = [
    1000, 1001, 1002, 1003, 1006, 1007, 1008, 1009, 1011, 1013, 4001, 4002, 4003, 4004, 0,
];

/// The counters of one server.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    shards: [Shard; SHARDS],
    receivers: Histogram<6>,
    refused: [AtomicU64; REASONS.len()],
    ended: [AtomicU64; CODES.len()],
    accepted: AtomicU64,
}

/// Two lines of a cache: neighbours are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    messages_in: AtomicU64,
    bytes_in: AtomicU64,
    messages_out: AtomicU64,
    bytes_out: AtomicU64,
    times: Histogram<8>,
}

/// What one poll of a connection has done, counted without any sharing and added up at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) messages_in: u64,
    pub(crate) bytes_in: u64,
    pub(crate) messages_out: u64,
    pub(crate) bytes_out: u64,
}

impl Metrics {
    #[inline]
    pub(crate) fn add(&self, id: ConnectionId, tally: Tally) {
        let shard = self.shard(id);
        for (counter, count) in [
            (&shard.messages_in, tally.messages_in),
            (&shard.bytes_in, tally.bytes_in),
            (&shard.messages_out, tally.messages_out),
            (&shard.bytes_out, tally.bytes_out),
        ] {
            if count != 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    /// How long a handler took for one message, of those that are looked at.
    pub(crate) fn handled(&self, id: ConnectionId, time: Duration) {
        let nanos = time.as_nanos().try_into().unwrap_or(u64::MAX);
        self.shard(id).times.record(&TIMES, nanos);
    }

    /// How many took a message that was sent to many.
    pub(crate) fn fanned_out(&self, receivers: usize) {
        self.receivers.record(&RECEIVERS, receivers as u64);
    }

    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, reason: &str) {
        let at = REASONS.iter().position(|known| *known == reason);
        self.refused[at.unwrap_or(REASONS.len() - 1)].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, code: CloseCode) {
        let code = u16::from(code);
        let at = CODES.iter().position(|known| *known == code);
        self.ended[at.unwrap_or(CODES.len() - 1)].fetch_add(1, Ordering::Relaxed);
    }

    fn shard(&self, id: ConnectionId) -> &Shard {
        &self.shards[id.as_u64() as usize % SHARDS]
    }
}
