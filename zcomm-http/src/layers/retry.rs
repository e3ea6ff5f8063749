//! The layer that tries again what may be tried again.

mod after;
mod budget;
mod kept;
mod policy;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::{BoxFuture, join};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, sleep, timeout_at};
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, Error};

use super::again::Again;
use super::hosts::Hosts;
use crate::call::{Call, host};
use budget::Budget;
use kept::kept;

pub use policy::Retry;
pub(crate) use policy::is_retryable_status;

/// Tries again what may be tried again, after a while.
///
/// That is a request with an idempotent method, with an `Idempotency-Key`, or with a [`Retry`] of its own, whose body
/// is no stream; answered with 408, 425, 429, 500, 502, 503 or 504, or not at all because of a fault of the connection.
///
/// An answer outranks an error: when attempts, time or budget run out, the last answer that came is returned, if one
/// came at all. Of an answer that is followed by another attempt, the first 64 KiB are kept; a body that is longer, or
/// slow, ends with an error after them: it would hold a place with its host, for which that attempt may have to wait.
///
/// Each host has a budget, so that retries add a fifth to the load of a host in trouble, and not a multiple.
/// The layer belongs outside of the limits per host and attempt, and inside the circuit breaker.
#[derive(Clone, Debug)]
pub struct RetryLayer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    retry: Retry,
    budgets: Hosts<Budget>,
}

impl RetryLayer {
    /// Retries as `retry` says.
    pub fn new(retry: Retry) -> Self {
        let shared = Shared {
            retry,
            budgets: Hosts::default(),
        };
        Self {
            shared: Arc::new(shared),
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
    type Future = RetriedFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        RetriedFuture {
            attempts: self.attempts(&request),
            first: self.inner.call(request),
            further: None,
        }
    }
}

impl<S: Clone> Retried<S> {
    /// What further attempts take, if there may be any.
    fn attempts(&self, request: &Request<Body>) -> Option<Attempts<S>> {
        let call = Call::of(request.extensions());
        let own = call.and_then(|call| call.retry.as_ref());
        let shared = &self.layer.shared;
        let retry = own.unwrap_or(&shared.retry);
        if !retry.covers(request, own.is_some()) {
            return None;
        }
        let budget = shared.budgets.of(host(request.uri()), Budget::new);
        budget.deposit();
        let known = call.and_then(|call| call.again());
        Some(Attempts {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
            call: call.cloned(),
            budget,
            again: known.unwrap_or_else(|| Arc::new(Again::of(request))),
        })
    }
}

pin_project! {
    /// The future that [`Retried`] returns.
    pub struct RetriedFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        first: S::Future,
        // Taken when the first attempt is over.
        attempts: Option<Attempts<S>>,
        // Boxed, as all that only a further attempt needs: nearly every call ends with its first one.
        further: Option<BoxFuture<'static, Result<Response<Body>, Error>>>,
    }
}

impl<S: Service<Request<Body>>> fmt::Debug for RetriedFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetriedFuture").finish_non_exhaustive()
    }
}

impl<S> Future for RetriedFuture<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Send + 'static,
    S::Future: Send,
{
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(further) = this.further {
            return further.as_mut().poll(cx);
        }
        let outcome = ready!(this.first.poll(cx));
        let Some(attempts) = this.attempts.take() else {
            return Poll::Ready(outcome);
        };
        let Some(wait) = attempts.wait_after(&outcome, 1) else {
            return Poll::Ready(outcome);
        };
        let further = this.further.insert(Box::pin(attempts.run(outcome, wait)));
        further.as_mut().poll(cx)
    }
}

/// The attempts of one call after the first.
struct Attempts<S> {
    inner: S,
    layer: RetryLayer,
    call: Option<Arc<Call>>,
    budget: Arc<Budget>,
    again: Arc<Again>,
}

impl<S> Attempts<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    /// Makes them, the next one after `wait`.
    async fn run(
        mut self,
        mut outcome: Result<Response<Body>, Error>,
        mut wait: Duration,
    ) -> Result<Response<Body>, Error> {
        let mut last = None;
        for made in 1.. {
            tracing::debug!(attempt = made, wait_ms = wait.as_millis(), "retrying");
            let waited = sleep(wait);
            match outcome {
                Ok(answer) => last = Some(join(kept(answer, self.until()), waited).await.0),
                Err(_) => waited.await,
            }
            outcome = match self.until().filter(|_| last.is_some()) {
                None => self.attempt().await,
                Some(until) => self.attempt_until(until).await,
            };
            match self.wait_after(&outcome, made + 1) {
                Some(next) => wait = next,
                None => break,
            }
        }
        match (outcome, last) {
            (Err(_), Some(last)) => Ok(last),
            (outcome, _) => outcome,
        }
    }

    async fn attempt(&mut self) -> Result<Response<Body>, Error> {
        let request = self.again.request();
        let request = request.expect("a request is only retried with its body at hand");
        self.inner.ready().await?.call(request).await
    }

    /// An attempt that ends with the call's time, since there is an answer to be returned instead.
    async fn attempt_until(&mut self, until: Instant) -> Result<Response<Body>, Error> {
        let ended = timeout_at(until, self.attempt()).await;
        ended.unwrap_or(Err(Error::Timeout {
            limit: Duration::ZERO,
        }))
    }
}

impl<S> Attempts<S> {
    fn retry(&self) -> &Retry {
        let own = self.call.as_ref().and_then(|call| call.retry.as_ref());
        own.unwrap_or(&self.layer.shared.retry)
    }

    /// When the call's whole time is over.
    fn until(&self) -> Option<Instant> {
        self.call.as_ref().and_then(|call| call.until())
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn wait_after(&self, outcome: &Result<Response<Body>, Error>, made: u32) -> Option<Duration> {
        let retry = self.retry();
        if made >= retry.most_attempts() {
            return None;
        }
        let wait = retry.wait_after(outcome, made)?;
        let in_time = self
            .until()
            .is_none_or(|until| wait < until.saturating_duration_since(Instant::now()));
        (in_time && self.budget.withdraw()).then_some(wait)
    }
}

#[cfg(test)]
mod tests;
