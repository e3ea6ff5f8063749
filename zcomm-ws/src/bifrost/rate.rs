//! How often a connection may send. Counts; does not close.

use std::time::{Duration, Instant};

/// A bucket that fills steadily and is emptied by messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
    left: f64,
    last: Instant,
}

/// What one connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Messages per second, in the long run.
    pub(super) per_second: u32,
    /// Messages at once.
    pub(super) burst: u32,
    /// How long a request may take.
    pub(super) request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_second: 1000,
            burst: 2000,
            request: Duration::from_secs(30),
        }
    }
}

impl Rate {
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let burst = f64::from(limits.burst);
        Self {
            per_second: f64::from(limits.per_second),
            burst,
            left: burst,
            last: now,
        }
    }

    /// Takes one message; false if there is none left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = now;
        self.left = (self.left + passed * self.per_second).min(self.burst);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_only_the_rate() {
        let start = Instant::now();
        let limits = Limits {
            per_second: 10,
            burst: 3,
            ..Limits::default()
        };
        let mut rate = Rate::new(limits, start);

        let burst: Vec<bool> = (0..4).map(|_| rate.take(start)).collect();
        let later = start + Duration::from_millis(150);

        assert_eq!(burst, [true, true, true, false]);
        assert_eq!((rate.take(later), rate.take(later)), (true, false));
    }
}
