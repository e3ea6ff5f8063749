//! The layer that logs each call. Knows nothing of what is in it.

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

/// Puts each call into a span and logs how it went, both at the level `debug`.
///
/// Addresses are [redacted](Redacted). A failure is logged here at `debug` only: whoever asked gets it and decides how
/// grave it is. It belongs outermost.
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
        let (method, url) = (request.method(), Redacted(request.uri()));
        let span = tracing::debug_span!("http", %method, %url);
        let inner = span.in_scope(|| self.inner.call(request));
        TraceFuture {
            inner: inner.instrument(span),
            start: Instant::now(),
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
        let elapsed_ms = this.start.elapsed().as_millis();
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
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tower::{ServiceExt, service_fn};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// What is logged of a request to which the service answers so.
    async fn logged(answer: fn() -> Result<Response<Body>, Error>) -> String {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(log.clone())
            .with_ansi(false)
            .without_time();
        let _guard = tracing::subscriber::set_default(subscriber.finish());
        let service = service_fn(move |_| async move { answer() });
        let url = "http://ada:s3cr3t@h/path?token=s3cr3t";
        let request = Request::get(url).body(Body::empty()).unwrap();

        let _ = TraceLayer::new().layer(service).oneshot(request).await;

        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn calls_are_logged_without_their_secrets() {
        let answered = logged(|| Ok(Response::new(Body::empty()))).await;
        let failed = logged(|| Err(Error::Closed { host: "h".into() })).await;

        let span = "DEBUG http{method=GET url=http://h/path?token=***}";
        assert!(answered.starts_with(span), "{answered}");
        assert!(answered.contains("answered status=200"), "{answered}");
        assert!(failed.starts_with(span), "{failed}");
        assert!(failed.contains("failed code=\"unavailable\""), "{failed}");
        assert!(!answered.contains("s3cr3t") && !failed.contains("s3cr3t"));
    }
}
