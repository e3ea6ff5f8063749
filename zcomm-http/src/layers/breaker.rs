//! The layer that leaves a host alone for a while when it failed too often in a row.

mod circuit;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use zcomm_core::{Body, Phase};

use super::hosts::Hosts;
use crate::call::{Call, host};
use crate::error::{Error, Place};
use circuit::{Circuit, Permit};

/// When a host is left alone, and for how long.
///
/// ```
/// use std::time::Duration;
/// use zcomm_http::Breaker;
///
/// let breaker = Breaker::default().failures(3).pause(Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Breaker {
    failures: u32,
    pause: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 10,
            pause: Duration::from_secs(10),
        }
    }
}

impl Breaker {
    /// How many calls in a row have to fail. Ten.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// How long a host is left alone before one call may try it again. Ten seconds.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

/// Answers [`Error::CircuitOpen`] at once, in place of calls to a host that failed too often in a row.
///
/// Only what kept an answer from coming counts: a 503 is an answer, and a host that gives one is there. After the
/// pause one call tries the host; its outcome decides for all others. It belongs outside of retry, so that it counts
/// calls and not attempts.
#[derive(Clone, Debug)]
pub struct BreakerLayer {
    breaker: Breaker,
    circuits: Arc<Hosts<Circuit>>,
}

impl BreakerLayer {
    /// Leaves hosts alone as `breaker` says.
    pub fn new(breaker: Breaker) -> Self {
        Self {
            breaker,
            circuits: Arc::default(),
        }
    }
}

impl<S> Layer<S> for BreakerLayer {
    type Service = Broken<S>;

    fn layer(&self, inner: S) -> Broken<S> {
        Broken {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`BreakerLayer`] makes.
#[derive(Clone, Debug)]
pub struct Broken<S> {
    inner: S,
    layer: BreakerLayer,
}

impl<S> Service<Request<Body>> for Broken<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>,
{
    type Response = Response<Body>;
    type Error = zcomm_core::Error;
    type Future = BrokenFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let host = host(request.uri());
        let breaker = self.layer.breaker;
        let circuit = self.layer.circuits.of(host, || Circuit::new(breaker));
        let until = Call::of(request.extensions()).and_then(|call| call.until());
        let (permit, refusal) = match Permit::of(circuit, until) {
            Ok(permit) => (Some(permit), None),
            Err(wait) => {
                let at = Place::new(host);
                (None, Some(Box::new(Error::CircuitOpen { at, wait })))
            }
        };
        BrokenFuture {
            inner: permit.is_some().then(|| self.inner.call(request)),
            permit,
            refusal,
        }
    }
}

pin_project! {
    /// The future that [`Broken`] returns.
    #[derive(Debug)]
    pub struct BrokenFuture<F> {
        #[pin]
        inner: Option<F>,
        // Taken when the answer is there.
        permit: Option<Permit>,
        refusal: Option<Box<Error>>,
    }
}

impl<F> Future for BrokenFuture<F>
where
    F: Future<Output = Result<Response<Body>, zcomm_core::Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(refusal) = this.refusal.take() {
            return Poll::Ready(Err((*refusal).into()));
        }
        let inner = this.inner.as_pin_mut();
        let answer = ready!(inner.expect("what is not refused is called").poll(cx));
        let permit = this.permit.take();
        permit
            .expect("a future is not polled after its end")
            .judge(&answer);
        Poll::Ready(answer)
    }
}

impl Permit {
    fn judge(self, answer: &Result<Response<Body>, zcomm_core::Error>) {
        match answer {
            Ok(_) => self.succeeded(),
            Err(error) if speaks_against_host(error) => self.failed(),
            Err(_) => {}
        }
    }
}

/// Whether an error says something about the host, and not about the request.
fn speaks_against_host(error: &zcomm_core::Error) -> bool {
    match error {
        zcomm_core::Error::Transport { phase, source, .. } => {
            let ours = source.downcast_ref::<Error>();
            let about_host = ours.is_none_or(|error| matches!(error, Error::Timeout { .. }));
            about_host && *phase != Phase::Url
        }
        zcomm_core::Error::Closed { .. } | zcomm_core::Error::Timeout { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
