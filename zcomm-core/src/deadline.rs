//! The layer that ends a request when its time is over, with our error type.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower::{Layer, Service};

use crate::error::Error;

/// How long one request may take, where it differs from its stack. Requests carry it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Duration);

/// Answers [`Error::Timeout`] when the inner service takes longer than a request's time.
///
/// tower's own layer would change the error type to a box. It belongs inside tracing and outside everything whose
/// time is to count. The inner future is dropped when the time is over.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// use std::time::Duration;
/// use tower::{Layer, ServiceExt, service_fn};
/// use zcomm_core::{Body, DeadlineLayer, Error};
///
/// let never = service_fn(async |_: http::Request<Body>| std::future::pending::<Result<(), Error>>().await);
/// let error = DeadlineLayer::new(Duration::from_secs(30)).layer(never).oneshot(http::Request::default()).await;
/// assert_eq!(error.unwrap_err().to_string(), "no answer within 30 s");
/// # });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DeadlineLayer {
    limit: Duration,
}

impl DeadlineLayer {
    /// Gives each request this much time, unless it carries a [`Deadline`] of its own.
    pub const fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed {
            inner,
            limit: self.limit,
        }
    }
}

/// The service that [`DeadlineLayer`] makes.
#[derive(Clone, Debug)]
pub struct Timed<S> {
    inner: S,
    limit: Duration,
}

impl<S, B> Service<Request<B>> for Timed<S>
where
    S: Service<Request<B>, Error = Error>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = TimedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> TimedFuture<S::Future> {
        let limit = request
            .extensions()
            .get::<Deadline>()
            .map_or(self.limit, |own| own.0);
        TimedFuture {
            inner: self.inner.call(request),
            sleep: None,
            limit,
        }
    }
}

pin_project! {
    /// The future that [`Timed`] returns.
    #[derive(Debug)]
    pub struct TimedFuture<F> {
        #[pin]
        inner: F,
        // Made at the first `Pending` only: most answers are there at once, and a timer costs a lock.
        #[pin]
        sleep: Option<Sleep>,
        limit: Duration,
    }
}

impl<F, T> Future for TimedFuture<F>
where
    F: Future<Output = Result<T, Error>>,
{
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(answer) = this.inner.poll(cx) {
            return Poll::Ready(answer);
        }
        if this.sleep.is_none() {
            this.sleep.set(Some(tokio::time::sleep(*this.limit)));
        }
        let sleep = this.sleep.as_pin_mut().expect("the timer was set above");
        sleep
            .poll(cx)
            .map(|()| Err(Error::Timeout { limit: *this.limit }))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::time::Instant;
    use tower::{ServiceExt, service_fn};

    use super::*;

    async fn after(delay: Duration, request: Request<()>) -> Result<&'static str, Error> {
        let slow = service_fn(move |_: Request<()>| async move {
            tokio::time::sleep(delay).await;
            Ok::<_, Error>("done")
        });
        DeadlineLayer::new(Duration::from_secs(5))
            .layer(slow)
            .oneshot(request)
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_passes() {
        assert_eq!(
            after(Duration::from_secs(4), Request::new(()))
                .await
                .unwrap(),
            "done"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_is_a_timeout_at_the_limit() {
        let start = Instant::now();

        let error = after(Duration::from_secs(6), Request::new(()))
            .await
            .unwrap_err();

        assert!(
            matches!(error, Error::Timeout { limit } if limit == Duration::from_secs(5)),
            "{error:?}"
        );
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_brings_a_limit_of_its_own() {
        let mut request = Request::new(());
        request
            .extensions_mut()
            .insert(Deadline(Duration::from_secs(1)));
        let start = Instant::now();

        let error = after(Duration::from_secs(2), request).await.unwrap_err();

        assert_eq!(
            (error.code(), start.elapsed()),
            (crate::Code::Timeout, Duration::from_secs(1))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn errors_keep_their_type() {
        let failing =
            service_fn(async |_: Request<()>| Err::<Infallible, _>(Error::TooLarge { limit: 7 }));

        let error = DeadlineLayer::new(Duration::from_secs(5))
            .layer(failing)
            .oneshot(Request::new(()))
            .await;

        assert!(matches!(error, Err(Error::TooLarge { limit: 7 })));
    }
}
