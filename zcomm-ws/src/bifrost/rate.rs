//! How often a connection may send. Counts and judges; closes nothing.

use std::time::{Duration, Instant};

/// How long a connection may be over its rate before that ends it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Messages per second, in the long run; 0 sets no limit.
    pub(super) per_second: u32,
    /// Messages at once.
    pub(super) burst: u32,
    /// How long a request may take.
    pub(super) request: Duration,
    /// Bytes that one reply may have.
    pub(super) reply: usize,
    /// How long the first message may take, where it is to say who is there.
    pub(super) auth: Duration,
    /// Subscriptions that one client may have.
    pub(super) subscriptions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_second: 1000,
            burst: 2000,
            request: Duration::from_secs(30),
            reply: 16 << 20,
            auth: Duration::from_secs(10),
            subscriptions: 100,
        }
    }
}

/// What becomes of a message, as far as its rate goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It is within the rate.
    Kept,
    /// It is over the rate.
    Exceeded,
    /// It is over the rate, and so have others been for too long.
    Flood,
}

/// A bucket that fills steadily and is emptied by messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
    left: f64,
    last: Instant,
    /// Since when the bucket has been empty whenever a message came.
    over: Option<Instant>,
}

impl Rate {
    /// A full bucket; nothing where there is no limit.
    pub(super) fn new(limits: Limits, now: Instant) -> Option<Self> {
        let burst = f64::from(limits.burst.max(1));
        (limits.per_second > 0).then(|| Self {
            per_second: f64::from(limits.per_second),
            burst,
            left: burst,
            last: now,
            over: None,
        })
    }

    /// Takes one message.
    pub(super) fn take(&mut self, now: Instant) -> Pace {
        let passed = now.saturating_duration_since(self.last);
        self.last = now;
        self.left = (self.left + passed.as_secs_f64() * self.per_second).min(self.burst);
        // Whoever pauses until the bucket is full is no longer the same flood.
        if self.left >= self.burst {
            self.over = None;
        }
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Pace::Kept;
        }
        let since = *self.over.get_or_insert(now);
        if now.saturating_duration_since(since) >= PATIENCE {
            Pace::Flood
        } else {
            Pace::Exceeded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: u32, burst: u32) -> Limits {
        Limits {
            per_second,
            burst,
            ..Limits::default()
        }
    }

    #[test]
    fn a_burst_passes_and_then_only_the_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(limits(10, 3), start).unwrap();

        let burst: Vec<Pace> = (0..4).map(|_| rate.take(start)).collect();
        let later = start + Duration::from_millis(150);

        assert_eq!(burst, [Pace::Kept, Pace::Kept, Pace::Kept, Pace::Exceeded]);
        assert_eq!(
            (rate.take(later), rate.take(later)),
            (Pace::Kept, Pace::Exceeded)
        );
    }

    #[test]
    fn going_on_over_the_rate_is_a_flood() {
        let start = Instant::now();
        let mut rate = Rate::new(limits(1, 3), start).unwrap();

        let paces: Vec<Pace> = (0..60)
            .map(|tenth| rate.take(start + Duration::from_millis(tenth * 100)))
            .collect();

        assert!(!paces[..52].contains(&Pace::Flood), "{paces:?}");
        assert!(paces[52..].contains(&Pace::Flood), "{paces:?}");
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert!(Rate::new(limits(0, 0), Instant::now()).is_none());
    }
}
