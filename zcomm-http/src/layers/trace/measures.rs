//! What is counted and timed of each call, through the `metrics` facade. Installs no recorder, and names no host.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, Uri};
use metrics::{Key, Level, Metadata, counter, gauge, histogram, with_recorder};
use zcomm_core::{Body, Error};

use crate::call::Call;
use crate::transport::is_public;

/// Calls that ended, by `method`, `target` and `outcome`.
pub const REQUESTS: &str = "zcomm_http_client_requests_total";
/// Seconds up to the head of the answer, retries and redirects included; by `method`, `target` and `outcome`.
pub const SECONDS: &str = "zcomm_http_client_request_seconds";
/// Requests that went out for those calls, retries and redirects included; by `method` and `target`.
pub const ATTEMPTS: &str = "zcomm_http_client_attempts_total";
/// Calls that wait for the head of their answer.
pub const IN_FLIGHT: &str = "zcomm_http_client_in_flight";

const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other",
];
const TARGETS: [&str; 3] = ["loopback", "private", "public"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The names and labels of what is measured of calls that are alike: making them costs more than all else here.
#[derive(Debug)]
struct Keys {
    attempts: Key,
    /// By the class of the status: calls, and their seconds.
    answered: [(Key, Key); CLASSES.len()],
}

impl Keys {
    /// Those of this method and kind of host, given by their places; made when they are first asked for.
    fn of((method, target): (usize, usize)) -> &'static Self {
        type Made = [[OnceLock<Keys>; TARGETS.len()]; METHODS.len()];
        static MADE: Made = [const { [const { OnceLock::new() }; _] }; _];
        MADE[method][target].get_or_init(|| Self::new(METHODS[method], TARGETS[target]))
    }

    fn new(method: &'static str, target: &'static str) -> Self {
        let labels = [("method", method), ("target", target)];
        Self {
            attempts: Key::from_parts(ATTEMPTS, &labels),
            answered: CLASSES.map(|class| {
                let [method, target] = labels;
                let labels = [method, target, ("outcome", class)];
                (
                    Key::from_parts(REQUESTS, &labels),
                    Key::from_parts(SECONDS, &labels),
                )
            }),
        }
    }
}

/// One call, from its beginning to the head of its answer, or to where it is given up.
#[derive(Debug)]
pub(super) struct Measured {
    kind: (usize, usize),
    call: Option<Arc<Call>>,
}

impl Measured {
    pub(super) fn begin(request: &Request<Body>) -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self {
            kind: (method(request.method()), target(request.uri())),
            call: Call::of(request.extensions()).cloned(),
        }
    }

    pub(super) fn end(&self, answer: &Result<Response<Body>, Error>, took: Duration) {
        match answer {
            Ok(answer) => {
                let class = class(answer.status());
                let (requests, seconds) = &Keys::of(self.kind).answered[class];
                count(requests, 1);
                let metadata = metadata();
                with_recorder(|to| to.register_histogram(seconds, &metadata).record(took));
            }
            Err(error) => {
                let (method, target) = (METHODS[self.kind.0], TARGETS[self.kind.1]);
                let outcome = error.code().as_str();
                let labels = [("method", method), ("target", target), ("outcome", outcome)];
                counter!(REQUESTS, &labels).increment(1);
                histogram!(SECONDS, &labels).record(took);
            }
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
        // A call that nobody waits for any longer has sent its requests all the same.
        let attempts = self.call.as_ref().map_or(0, |call| call.attempts());
        count(&Keys::of(self.kind).attempts, attempts.into());
    }
}

fn count(key: &Key, by: u64) {
    let metadata = metadata();
    with_recorder(|to| to.register_counter(key, &metadata).increment(by));
}

/// What the macros of the facade say of a metric.
const fn metadata() -> Metadata<'static> {
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()))
}

/// The place in `METHODS`: whatever somebody calls a method of their own must not become a label.
fn method(method: &Method) -> usize {
    let found = METHODS.into_iter().position(|known| method == known);
    found.unwrap_or(METHODS.len() - 1)
}

/// The place in `TARGETS`: what kind of host it is, told by its name alone. Each host for itself would be labels
/// without end.
fn target(uri: &Uri) -> usize {
    let host = uri.host().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => 0,
        Ok(address) if is_public(address) => 2,
        Ok(_) => 1,
        Err(_) => target_of_name(host),
    }
}

fn target_of_name(host: &str) -> usize {
    let (_, last) = host.rsplit_once('.').unwrap_or(("", host));
    if last.eq_ignore_ascii_case("localhost") {
        return 0;
    }
    // Names that no public resolver knows: of one label, RFC 6762, RFC 8375, and the one reserved for private use.
    let private = ["internal", "local", "arpa", "lan"];
    match last.len() == host.len() || private.iter().any(|name| last.eq_ignore_ascii_case(name)) {
        true => 1,
        false => 2,
    }
}

/// The place in `CLASSES`.
fn class(status: StatusCode) -> usize {
    let class = usize::from(status.as_u16() / 100);
    class.clamp(1, CLASSES.len()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart_by_kind_only() {
        for (url, kind) in [
            ("http://127.0.0.1:80/", "loopback"),
            ("http://[::1]/", "loopback"),
            ("http://localhost/", "loopback"),
            ("http://app.localhost/", "loopback"),
            ("http://10.0.0.1/", "private"),
            ("http://redis:6379/", "private"),
            ("http://printer.LOCAL/", "private"),
            ("http://db.internal/", "private"),
            ("https://api.example.com/", "public"),
            ("https://1.1.1.1/", "public"),
            ("https://[2606:4700::1111]/", "public"),
        ] {
            assert_eq!(TARGETS[target(&url.parse().unwrap())], kind, "{url}");
        }
    }

    #[test]
    fn methods_of_ones_own_are_not_told_apart() {
        assert_eq!(METHODS[method(&Method::PATCH)], "PATCH");
        assert_eq!(METHODS[method(&"BREW".parse().unwrap())], "other");
        assert_eq!(METHODS[method(&"other".parse().unwrap())], "other");
    }
}
