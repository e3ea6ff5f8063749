//! The layer that counts attempts and ends one that takes too long.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower::{Layer, Service};
use zcomm_core::Body;

use crate::call::{Call, Host};
use crate::error::{Error, Limit, Place};

/// Gives each attempt a time for the head of its answer, if there is one to give.
///
/// It belongs inside retry, so that an attempt which hangs leaves time for another, and inside the limit per host, so
/// that waiting for a turn does not count.
#[derive(Clone, Copy, Debug)]
pub struct AttemptLayer {
    limit: Option<Duration>,
}

impl AttemptLayer {
    /// Attempts may take so long; or as long as the whole call.
    pub const fn new(limit: Option<Duration>) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for AttemptLayer {
    type Service = Attempt<S>;

    fn layer(&self, inner: S) -> Attempt<S> {
        Attempt {
            inner,
            limit: self.limit,
        }
    }
}

/// The service that [`AttemptLayer`] makes.
#[derive(Clone, Debug)]
pub struct Attempt<S> {
    inner: S,
    limit: Option<Duration>,
}

impl<S> Service<Request<Body>> for Attempt<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>,
{
    type Response = Response<Body>;
    type Error = zcomm_core::Error;
    type Future = AttemptFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call::of(request.extensions());
        if let Some(call) = call {
            call.count_attempt();
        }
        let limit = call.and_then(|call| call.attempt_limit).or(self.limit);
        let timer = limit.map(|limit| Timer {
            limit,
            host: Host::of(request.uri()),
        });
        AttemptFuture {
            inner: self.inner.call(request),
            sleep: None,
            timer,
        }
    }
}

#[derive(Debug)]
struct Timer {
    limit: Duration,
    host: Host,
}

pin_project! {
    /// The future that [`Attempt`] returns.
    #[derive(Debug)]
    pub struct AttemptFuture<F> {
        #[pin]
        inner: F,
        timer: Option<Timer>,
        // Boxed, as most attempts have no limit of their own.
        sleep: Option<Pin<Box<Sleep>>>,
    }
}

impl<F> Future for AttemptFuture<F>
where
    F: Future<Output = Result<Response<Body>, zcomm_core::Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Poll::Ready(answer) = this.inner.poll(cx) {
            return Poll::Ready(answer);
        }
        let Some(timer) = this.timer else {
            return Poll::Pending;
        };
        let made = || Box::pin(tokio::time::sleep(timer.limit));
        let sleep = this.sleep.get_or_insert_with(made);
        sleep.as_mut().poll(cx).map(|()| {
            let late = Error::Timeout {
                which: Limit::Attempt,
                limit: timer.limit,
                at: Place::new(timer.host.name()),
            };
            Err(late.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;
    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_is_counted_and_ended() {
        let hanging = service_fn(async |_| std::future::pending().await);
        let call = Arc::new(Call::default());
        let mut request = Request::get("http://h:1/").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Arc::clone(&call));
        let start = Instant::now();

        let layer = AttemptLayer::new(Some(Duration::from_secs(2)));
        let error = layer.layer(hanging).oneshot(request).await.unwrap_err();

        let error = Error::from_stack(error, Place::new("?"));
        assert_eq!(
            error.to_string(),
            "`h:1` took longer than the attempt time limit of 2 s"
        );
        assert_eq!(
            (start.elapsed(), call.attempts()),
            (Duration::from_secs(2), 1)
        );
    }
}
