//! What is counted and timed of each call, through the `metrics` facade. Installs no recorder, and names no host.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use metrics::{counter, gauge, histogram};
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

/// One call, from its beginning to the head of its answer, or to where it is given up.
#[derive(Debug)]
pub(super) struct Measured {
    method: &'static str,
    target: &'static str,
    call: Option<Arc<Call>>,
}

impl Measured {
    pub(super) fn begin(request: &Request<Body>) -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self {
            method: method(request.method()),
            target: target(request.uri()),
            call: Call::of(request.extensions()).cloned(),
        }
    }

    pub(super) fn end(&self, answer: &Result<Response<Body>, Error>, took: Duration) {
        let (method, target, outcome) = (self.method, self.target, outcome(answer));
        let labels = [("method", method), ("target", target), ("outcome", outcome)];
        counter!(REQUESTS, &labels).increment(1);
        histogram!(SECONDS, &labels).record(took);
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
        // A call that nobody waits for any longer has sent its requests all the same.
        let attempts = self.call.as_ref().map_or(0, |call| call.attempts());
        let labels = [("method", self.method), ("target", self.target)];
        counter!(ATTEMPTS, &labels).increment(attempts.into());
    }
}

/// Whatever somebody calls a method of their own must not become a label.
fn method(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let found = known.into_iter().find(|known| method == known);
    found.unwrap_or("other")
}

/// What kind of host it is, told by its name alone: each host for itself would be labels without end.
fn target(uri: &Uri) -> &'static str {
    let host = uri.host().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => "loopback",
        Ok(address) if is_public(address) => "public",
        Ok(_) => "private",
        Err(_) => target_of_name(host),
    }
}

fn target_of_name(host: &str) -> &'static str {
    let (_, last) = host.rsplit_once('.').unwrap_or(("", host));
    if last.eq_ignore_ascii_case("localhost") {
        return "loopback";
    }
    // Names that no public resolver knows: of one label, RFC 6762, RFC 8375, and the one reserved for private use.
    let private = ["internal", "local", "arpa", "lan"];
    match last.len() == host.len() || private.iter().any(|name| last.eq_ignore_ascii_case(name)) {
        true => "private",
        false => "public",
    }
}

fn outcome(answer: &Result<Response<Body>, Error>) -> &'static str {
    match answer.as_ref().map(|answer| answer.status().as_u16()) {
        Ok(100..=199) => "1xx",
        Ok(200..=299) => "2xx",
        Ok(300..=399) => "3xx",
        Ok(400..=499) => "4xx",
        Ok(_) => "5xx",
        Err(error) => error.code().as_str(),
    }
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
            assert_eq!(target(&url.parse().unwrap()), kind, "{url}");
        }
    }

    #[test]
    fn methods_of_ones_own_are_not_told_apart() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        assert_eq!(method(&"BREW".parse().unwrap()), "other");
    }
}
