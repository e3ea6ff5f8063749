//! The layer that ends a call when its whole time is over, body included, or when the body pauses too long.

mod body;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{Layer, Service};
use zcomm_core::{Body, Deadline, Error};

use super::FOREVER;
use crate::call::{Call, Host};
use body::{TimedBody, Times};

/// Gives each call a time for everything: attempts, waits between them, redirects, and reading the body.
///
/// A request may bring a [`Deadline`] of its own. [`zcomm_core::DeadlineLayer`] ends with the head of an answer; here
/// the body counts, too, and may not pause for longer than the read limit either. It belongs inside [`TraceLayer`]
/// and outside everything whose time is to count.
///
/// [`TraceLayer`]: crate::layers::TraceLayer
#[derive(Clone, Copy, Debug)]
pub struct TotalLayer {
    total: Duration,
    read: Duration,
}

impl TotalLayer {
    /// Calls may take `total`, and the pieces of a body may be `read` apart.
    pub const fn new(total: Duration, read: Duration) -> Self {
        Self { total, read }
    }
}

impl<S> Layer<S> for TotalLayer {
    type Service = Total<S>;

    fn layer(&self, inner: S) -> Total<S> {
        Total {
            inner,
            limits: *self,
        }
    }
}

/// The service that [`TotalLayer`] makes.
#[derive(Clone, Debug)]
pub struct Total<S> {
    inner: S,
    limits: TotalLayer,
}

impl<S> Service<Request<Body>> for Total<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = TotalFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let extensions = request.extensions();
        let call = Call::of(extensions);
        let total = extensions
            .get::<Deadline>()
            .map_or(self.limits.total, |own| own.0);
        let until = Instant::now() + total.min(FOREVER);
        if let Some(call) = call {
            call.set_until(until);
        }
        let times = Times {
            total,
            until,
            read: call
                .and_then(|call| call.read_limit)
                .unwrap_or(self.limits.read)
                .min(FOREVER),
            host: Host::of(request.uri()),
        };
        TotalFuture {
            inner: self.inner.call(request),
            sleep: None,
            times: Some(times),
        }
    }
}

pin_project! {
    /// The future that [`Total`] returns.
    #[derive(Debug)]
    pub struct TotalFuture<F> {
        #[pin]
        inner: F,
        // Boxed, so that the future stays small: it is moved outward through the layers.
        sleep: Option<Pin<Box<Sleep>>>,
        // Taken when the answer is there.
        times: Option<Times>,
    }
}

impl<F> Future for TotalFuture<F>
where
    F: Future<Output = Result<Response<Body>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The inner service goes first: at the very end it may still give the last answer that it had.
        if let Poll::Ready(answer) = this.inner.poll(cx) {
            let times = this
                .times
                .take()
                .expect("a future is not polled after its end");
            return Poll::Ready(answer.map(|answer| answer.map(|body| times.limit(body))));
        }
        let times = this
            .times
            .as_ref()
            .expect("a future is not polled after its end");
        let made = || Box::pin(sleep_until(times.until));
        let sleep = this.sleep.get_or_insert_with(made);
        let limit = times.total;
        sleep
            .as_mut()
            .poll(cx)
            .map(|()| Err(Error::Timeout { limit }))
    }
}

impl Times {
    fn limit(self, body: Body) -> Body {
        // Bytes at hand take no time.
        match body.as_bytes() {
            Some(_) => body,
            None => Body::stream(TimedBody::new(body, self)),
        }
    }
}

#[cfg(test)]
mod tests;
