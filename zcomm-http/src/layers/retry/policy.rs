//! What is retried, how often, and how far apart. Waits for nothing itself.

use std::time::Duration;

use http::{HeaderName, Method, Request, Response, StatusCode};
use zcomm_core::{Body, Error, Phase};

use super::after::retry_after;
use crate::layers::FOREVER;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How often a request is tried, and how far apart.
///
/// The wait before an attempt is random, between nothing and a time that doubles with each: many clients that failed
/// together do not come back together. A server's `Retry-After` goes before that.
///
/// ```
/// use std::time::Duration;
/// use zcomm_http::Retry;
///
/// let patient = Retry::default().attempts(6).first_wait(Duration::from_secs(1));
/// let never = Retry::none();
/// ```
#[derive(Clone, Debug)]
pub struct Retry {
    attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
    longest_retry_after: Duration,
    jitter: fn(Duration) -> Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
            longest_retry_after: Duration::from_secs(30),
            jitter: full_jitter,
        }
    }
}

impl Retry {
    /// One attempt, and no other.
    #[must_use]
    pub fn none() -> Self {
        Self::default().attempts(1)
    }

    /// How many attempts there are, the first included. Three.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The most to wait before the second attempt; it doubles with each further one. 200 milliseconds.
    #[must_use]
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// The most to wait before any attempt, where the server does not say how long. Ten seconds.
    #[must_use]
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// The longest `Retry-After` that is waited for; a longer one ends the attempts at once. 30 seconds.
    #[must_use]
    pub fn longest_retry_after(mut self, wait: Duration) -> Self {
        self.longest_retry_after = wait;
        self
    }

    #[cfg(test)]
    pub(super) fn without_jitter(mut self) -> Self {
        self.jitter = |most| most;
        self
    }

    pub(super) fn most_attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether a request may be tried more than once.
    pub(super) fn covers(&self, request: &Request<Body>, asked_for: bool) -> bool {
        self.attempts > 1
            && request.body().as_bytes().is_some()
            && (asked_for
                || is_idempotent(request.method())
                || request.headers().contains_key(IDEMPOTENCY_KEY))
    }

    /// How long to wait before the next attempt; nothing, if the outcome is final.
    pub(super) fn wait_after(
        &self,
        outcome: &Result<Response<Body>, Error>,
        made: u32,
    ) -> Option<Duration> {
        match outcome {
            Ok(answer) if !is_retryable_status(answer.status()) => None,
            Ok(answer) => match retry_after(answer.headers()) {
                Some(wait) => (wait <= self.longest_retry_after).then(|| wait.min(FOREVER)),
                None => Some(self.backoff(made)),
            },
            Err(error) => is_fault(error).then(|| self.backoff(made)),
        }
    }

    fn backoff(&self, made: u32) -> Duration {
        let doublings = made.saturating_sub(1).min(31);
        let most = self.first_wait.saturating_mul(1 << doublings);
        (self.jitter)(most.min(self.longest_wait).min(FOREVER))
    }
}

/// Whether an answer with this status may be another one soon.
pub(crate) fn is_retryable_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent()
}

/// Whether an error is a fault of the connection, and not of the request or of what it asks for.
fn is_fault(error: &Error) -> bool {
    let Error::Transport { phase, source, .. } = error else {
        return matches!(error, Error::Closed { .. });
    };
    let ours = source.downcast_ref::<crate::Error>();
    ours.is_none_or(crate::Error::is_retryable)
        && matches!(
            phase,
            Phase::Dns | Phase::Connect | Phase::Request | Phase::Timeout | Phase::Handshake
        )
}

fn full_jitter(most: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry::default().without_jitter();

        let waits: Vec<_> = [1, 2, 3, 6, 7, 99]
            .map(|made| retry.backoff(made).as_millis())
            .into();

        assert_eq!(waits, [200, 400, 800, 6400, 10_000, 10_000]);
    }

    #[test]
    fn jitter_uses_the_whole_range() {
        let most = Duration::from_secs(1);
        let waits: Vec<_> = (0..1000).map(|_| full_jitter(most)).collect();

        assert!(waits.iter().all(|wait| *wait <= most));
        assert!(waits.iter().any(|wait| *wait < most / 10));
        assert!(waits.iter().any(|wait| *wait > most * 9 / 10));
    }

    #[test]
    fn a_stream_is_never_sent_twice() {
        let stream = Body::stream(http_body_util::Full::new(bytes::Bytes::from("x")));
        let request = Request::put("http://h/").body(stream).unwrap();

        assert!(!Retry::default().covers(&request, true));
    }
}
