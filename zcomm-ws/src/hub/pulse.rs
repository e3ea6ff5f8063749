//! The heartbeat of all connections, in one sweep: no timer per connection. Sends no frames itself.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use zcomm_core::ConnectionId;

use super::Hub;
use crate::frame::CloseCode;
use crate::server::{CloseReason, Shared};

/// How often a silent peer is pinged, and how long it may take to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    interval: u64,
    timeout: u64,
}

impl Beat {
    pub(crate) fn new(interval: Duration, timeout: Duration) -> Self {
        Self {
            interval: millis(interval),
            timeout: millis(timeout),
        }
    }

    /// How often to sweep: once a second, or more often where the times are short.
    pub(crate) fn period(self) -> Duration {
        let shortest = self.interval.min(self.timeout);
        Duration::from_millis((shortest / 4).clamp(10, 1000))
    }

    /// Each connection has its own moment within an eighth of the interval, so that pings don't come in gusts.
    fn interval_of(self, id: ConnectionId) -> u64 {
        // Knuth's multiplicative hash: neighbouring numbers land far apart.
        let hash = id.as_u64().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        self.interval - hash % (self.interval / 8).max(1)
    }
}

impl Hub {
    /// Sets the coarse clock, has silent peers pinged, and closes those who did not answer.
    pub(crate) fn sweep(&self, beat: Beat) {
        let (now, clock) = (millis(self.0.start.elapsed()) + 1, SystemTime::now());
        self.0.now.store(now, Ordering::Relaxed);
        self.0.all.each_shard(|members| {
            for shared in members.values().filter_map(Weak::upgrade) {
                check(&shared, beat, now);
                if shared.is_expired(clock) {
                    let reason = CloseReason::from(CloseCode::TokenExpired);
                    shared.outbox().request_close(reason, false);
                }
            }
        });
    }
}

fn check(shared: &Shared, beat: Beat, now: u64) {
    let pulse = &shared.pulse;
    if let Some(waited) = pulse.unanswered(now) {
        if waited >= beat.timeout {
            let reason = CloseReason::from(CloseCode::NoPong);
            shared.outbox().request_close(reason, true);
        }
        return;
    }
    if pulse.silence(now) >= beat.interval_of(shared.id()) {
        pulse.ping_asked(now);
        shared.outbox().request_ping();
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
