//! The layer that tries again what may be tried again.

mod after;
mod budget;
mod policy;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Body as _;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, Error};

use super::hosts::Hosts;
use crate::call::{Call, host};
use budget::Budget;

pub use policy::Retry;
pub(crate) use policy::is_retryable_status;

/// The largest body of an answer that is read before the next attempt, so that its connection can be used again.
const SMALL_BODY: u64 = 64 * 1024;
/// How long reading that body may take.
const SMALL_BODY_TIME: Duration = Duration::from_millis(500);

/// Tries again what may be tried again, after a while.
///
/// That is a request with an idempotent method, with an `Idempotency-Key`, or with a [`Retry`] of its own, whose body
/// is no stream; answered with 408, 425, 429, 500, 502, 503 or 504, or not at all because of a fault of the connection.
///
/// An answer outranks an error: when attempts, time or budget run out, the last answer that came is returned, if one
/// came at all. Each host has a budget, so that retries add a fifth to the load of a host in trouble, and not a multiple.
/// The layer belongs outside of the limits per host and attempt, and inside the circuit breaker.
#[derive(Clone, Debug)]
pub struct RetryLayer {
    retry: Retry,
    budgets: Arc<Hosts<Budget>>,
}

impl RetryLayer {
    /// Retries as `retry` says.
    pub fn new(retry: Retry) -> Self {
        Self {
            retry,
            budgets: Arc::default(),
        }
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retried<S>;

    fn layer(&self, inner: S) -> Retried<S> {
        Retried {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`RetryLayer`] makes.
#[derive(Clone, Debug)]
pub struct Retried<S> {
    inner: S,
    layer: RetryLayer,
}

impl<S> Service<Request<Body>> for Retried<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call::of(request.extensions());
        let own = call.and_then(|call| call.retry.clone());
        let asked_for = own.is_some();
        let retry = own.unwrap_or_else(|| self.layer.retry.clone());
        // The inner service that is ready is the one to call; a clone of it takes its place.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        if !retry.covers(&request, asked_for) {
            return Box::pin(inner.oneshot(request));
        }
        let attempts = Attempts {
            inner,
            retry,
            budget: self.layer.budgets.of(host(request.uri()), Budget::new),
            until: call.and_then(|call| call.until()),
            next: Some(request),
            last: None,
        };
        Box::pin(attempts.run())
    }
}

/// The attempts of one call.
struct Attempts<S> {
    inner: S,
    retry: Retry,
    budget: Arc<Budget>,
    until: Option<Instant>,
    /// The request of the attempt that comes next.
    next: Option<Request<Body>>,
    last: Option<Response<Body>>,
}

impl<S> Attempts<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    async fn run(mut self) -> Result<Response<Body>, Error> {
        self.budget.deposit();
        for made in 1.. {
            let copy = self.next.as_ref().and_then(copy);
            let outcome = match self.until.filter(|_| self.last.is_some()) {
                None => self.attempt().await,
                // Boxed, as all that only a further attempt needs: nearly every call ends with its first one.
                Some(until) => Box::pin(self.attempt_until(until)).await,
            };
            let wait = self.wait_after(&outcome, made);
            let (Some(wait), Some(copy)) = (wait, copy) else {
                return self.finish(outcome);
            };
            tracing::debug!(attempt = made, wait_ms = wait.as_millis(), "retrying");
            Box::pin(self.keep(outcome)).await;
            sleep(wait).await;
            self.next = Some(copy);
        }
        unreachable!("the attempts are counted in `wait_after`")
    }

    async fn attempt(&mut self) -> Result<Response<Body>, Error> {
        self.inner.ready().await?;
        let request = self.next.take();
        let request = request.expect("each round begins with a request");
        self.inner.call(request).await
    }

    /// An attempt that ends with the call's time, since there is an answer to be returned instead.
    async fn attempt_until(&mut self, until: Instant) -> Result<Response<Body>, Error> {
        let ended = timeout_at(until, self.attempt()).await;
        ended.unwrap_or(Err(Error::Timeout {
            limit: Duration::ZERO,
        }))
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn wait_after(&self, outcome: &Result<Response<Body>, Error>, made: u32) -> Option<Duration> {
        if made >= self.retry.most_attempts() {
            return None;
        }
        let wait = self.retry.wait_after(outcome, made)?;
        let in_time = self.until.is_none_or(|until| Instant::now() + wait < until);
        (in_time && self.budget.withdraw()).then_some(wait)
    }

    fn finish(self, outcome: Result<Response<Body>, Error>) -> Result<Response<Body>, Error> {
        match (outcome, self.last) {
            (Err(_), Some(last)) => Ok(last),
            (outcome, _) => outcome,
        }
    }

    async fn keep(&mut self, outcome: Result<Response<Body>, Error>) {
        if let Ok(answer) = outcome {
            self.last = settled(answer).await;
        }
    }
}

/// The answer with its body read, if that is small; nothing, if it cannot be read.
async fn settled(answer: Response<Body>) -> Option<Response<Body>> {
    let small = answer
        .size_hint()
        .exact()
        .is_some_and(|size| size <= SMALL_BODY);
    if !small {
        return Some(answer);
    }
    let (head, body) = answer.into_parts();
    let bytes = timeout(SMALL_BODY_TIME, body.collect(SMALL_BODY as usize)).await;
    let bytes = bytes.ok()?.ok()?;
    Some(Response::from_parts(head, bytes.into()))
}

/// The same request once more, unless its body is a stream.
pub(super) fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

#[cfg(test)]
mod tests;
