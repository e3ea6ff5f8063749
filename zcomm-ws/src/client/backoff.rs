//! How long a client waits before it comes back. Waits for nothing itself.

use std::time::Duration;

/// The most that the first wait may take; it doubles with each attempt.
const FIRST: Duration = Duration::from_millis(500);
/// The most that any wait may take, whatever the server asks for.
const LONGEST: Duration = Duration::from_secs(20);
/// A connection that lived this long makes what was before it forgotten.
const STABLE: Duration = Duration::from_secs(60);

/// Counts attempts and says how long to wait: a random part of a span that doubles, so that a thousand clients that
/// were cut at once do not come back at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// Notes how long a connection lived.
    pub(super) fn lived(&mut self, span: Duration) {
        if span >= STABLE {
            self.attempts = 0;
        }
    }

    /// The next wait, at least as long as the server asked for, within bounds.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let span = span(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        let asked = asked.unwrap_or_default();
        (asked.min(LONGEST) + span.mul_f64(part())).min(LONGEST)
    }
}

/// The span that a wait is drawn from.
fn span(attempts: u32) -> Duration {
    FIRST.saturating_mul(1 << attempts.min(10)).min(LONGEST)
}

/// A random number from 0 to 1.
pub(super) fn part() -> f64 {
    // Without random bytes the whole span is waited: slow, and safe.
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_twenty_seconds_and_start_anew_after_a_stable_minute() {
        let mut backoff = Backoff::default();

        for attempt in 0..40 {
            assert!(backoff.next(None) <= span(attempt), "attempt {attempt}");
        }
        backoff.lived(Duration::from_secs(59));
        assert_eq!(span(backoff.attempts), LONGEST);
        backoff.lived(STABLE);

        assert!(backoff.next(None) <= FIRST);
    }

    #[test]
    fn what_the_server_asks_for_is_a_floor_within_bounds() {
        let mut backoff = Backoff::default();

        let asked = Duration::from_secs(3);
        let wait = backoff.next(Some(asked));
        let endless = backoff.next(Some(Duration::MAX));

        assert!((asked..=asked + FIRST).contains(&wait), "{wait:?}");
        assert_eq!(endless, LONGEST);
    }
}
