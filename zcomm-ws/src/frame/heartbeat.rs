//! Whether a peer still lives, told by its answers. Owns no timer and reads no clock.

use std::time::{Duration, Instant};

/// Remembers the oldest ping that nothing answered.
///
/// Any byte that arrives is a sign of life, a pong is only the one that can be asked for. Times are of the monotonic
/// clock: setting the computer's clock kills nobody.
///
/// ```
/// use std::time::{Duration, Instant};
/// use zcomm_ws::frame::Heartbeat;
///
/// let start = Instant::now();
/// let at = |millis| start + Duration::from_millis(millis);
/// let timeout = Duration::from_millis(4000);
///
/// let mut heartbeat = Heartbeat::new();
/// assert!(heartbeat.is_alive(at(0), timeout));
///
/// heartbeat.ping_sent(at(1000));
/// assert!(heartbeat.is_alive(at(4999), timeout));
/// // A second ping is no answer to the first.
/// heartbeat.ping_sent(at(4000));
/// assert!(!heartbeat.is_alive(at(6000), timeout));
///
/// heartbeat.received();
/// assert!(heartbeat.is_alive(at(6000), timeout));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heartbeat {
    oldest_unanswered: Option<Instant>,
}

impl Heartbeat {
    /// A heartbeat that waits for nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a ping went out.
    pub fn ping_sent(&mut self, now: Instant) {
        self.oldest_unanswered.get_or_insert(now);
    }

    /// Notes that bytes arrived, a pong or anything else.
    pub fn received(&mut self) {
        self.oldest_unanswered = None;
    }

    /// Whether a ping waits for its answer.
    pub fn is_waiting(&self) -> bool {
        self.oldest_unanswered.is_some()
    }

    /// When the peer counts as dead if nothing arrives until then; `None` while no ping waits, or for a timeout that
    /// no clock reaches.
    pub fn deadline(&self, timeout: Duration) -> Option<Instant> {
        self.oldest_unanswered
            .and_then(|sent| sent.checked_add(timeout))
    }

    /// Whether the peer may still be taken for alive.
    pub fn is_alive(&self, now: Instant, timeout: Duration) -> bool {
        // `now` may come from a coarse clock and lie before the ping: then nothing has elapsed.
        self.oldest_unanswered
            .is_none_or(|sent| now.saturating_duration_since(sent) < timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[test]
    fn the_deadline_is_that_of_the_oldest_unanswered_ping() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new();
        assert_eq!(heartbeat.deadline(TIMEOUT), None);

        heartbeat.ping_sent(start);
        heartbeat.ping_sent(start + Duration::from_secs(9));
        assert_eq!(heartbeat.deadline(TIMEOUT), Some(start + TIMEOUT));
        assert_eq!(heartbeat.deadline(Duration::MAX), None);

        heartbeat.received();
        assert!(!heartbeat.is_waiting());
        heartbeat.ping_sent(start + Duration::from_secs(20));
        assert_eq!(
            heartbeat.deadline(TIMEOUT),
            Some(start + Duration::from_secs(30))
        );
    }

    #[test]
    fn a_coarse_clock_that_lags_behind_kills_nobody() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new();

        heartbeat.ping_sent(start + Duration::from_secs(1));

        assert!(heartbeat.is_alive(start, TIMEOUT));
        assert!(!heartbeat.is_alive(start + Duration::from_secs(11), TIMEOUT));
    }
}
