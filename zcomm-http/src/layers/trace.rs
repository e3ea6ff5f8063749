//! The layer that logs and measures each call. Knows nothing of what is in it.

mod measures;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::instrument::{Instrument, Instrumented};
use zcomm_core::{Body, Error};

use crate::redact::Redacted;
use measures::Measured;

pub use measures::{ATTEMPTS, IN_FLIGHT, REQUESTS, SECONDS};

/// Puts each call into a span, logs how it went, both at the level `debug`, and measures it.
///
/// Addresses are [redacted](Redacted). A failure is logged here at `debug` only: whoever asked gets it and decides how
/// grave it is. It belongs outermost.
///
/// What is measured goes to the recorder of the [`metrics`] facade that the application has installed; without any it
/// goes nowhere, at the cost of some 200 ns a call.
///
/// | metric | kind | labels |
/// |---|---|---|
/// | [`zcomm_http_client_requests_total`](REQUESTS) | counter: calls that ended | `method` `target` `outcome` |
/// | [`zcomm_http_client_request_seconds`](SECONDS) | histogram: time up to the head of the answer | `method` `target` `outcome` |
/// | [`zcomm_http_client_attempts_total`](ATTEMPTS) | counter: requests that went out, retries and redirects included | `method` `target` |
/// | [`zcomm_http_client_in_flight`](IN_FLIGHT) | gauge: calls that wait for the head of their answer | |
///
/// `method` is one of the seven known ones or `other`; `target` is the class of the host: `loopback`, `private` or
/// `public`; `outcome` is `1xx` to `5xx`, or the code of an [`Error`]. No label holds a host, a path or anything else
/// that others can choose. A body that breaks after its head is in none of them.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TraceLayer;

impl TraceLayer {
    /// The layer; there is nothing to set.
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

/// The service that [`TraceLayer`] makes.
#[derive(Clone, Debug)]
pub struct Trace<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Trace<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let measured = Measured::begin(&request);
        let (method, url) = (request.method(), Redacted(request.uri()));
        let span = tracing::debug_span!("http", %method, %url);
        let inner = span.in_scope(|| self.inner.call(request));
        TraceFuture {
            inner: inner.instrument(span),
            start: Instant::now(),
            measured,
        }
    }
}

pin_project! {
    /// The future that [`Trace`] returns.
    #[derive(Debug)]
    pub struct TraceFuture<F> {
        #[pin]
        inner: Instrumented<F>,
        start: Instant,
        measured: Measured,
    }
}

impl<F> Future for TraceFuture<F>
where
    F: Future<Output = Result<Response<Body>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let answer = ready!(this.inner.as_mut().poll(cx));
        let span = this.inner.span();
        let elapsed = this.start.elapsed();
        this.measured.end(&answer, elapsed);
        let elapsed_ms = elapsed.as_millis();
        match &answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(parent: span, status, elapsed_ms, "answered");
            }
            Err(error) => {
                let code = error.code().as_str();
                tracing::debug!(parent: span, code, %error, elapsed_ms, "failed");
            }
        }
        Poll::Ready(answer)
    }
}

#[cfg(test)]
mod tests;
