//! The limit for opening a connection, per request: reqwest itself knows one per client only.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tower::{Layer, Service, ServiceExt};
use zcomm_core::BoxError;

tokio::task_local! {
    // reqwest gives its connector the address and nothing else of the request; but it opens a connection inside
    // the future of the request that needs one, so what is set around that future can be seen there.
    static LIMIT: Duration;
}

/// Runs a request whose connection may take `limit` to open: name look-up, connecting and TLS together.
pub(super) fn within<F: Future>(limit: Duration, request: F) -> impl Future<Output = F::Output> {
    LIMIT.scope(limit, request)
}

/// Ends the opening of a connection at the limit of the request that wanted it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectLayer {
    /// Where a connection is opened outside of any request.
    pub(super) default: Duration,
}

impl<S> Layer<S> for ConnectLayer {
    type Service = Connecting<S>;

    fn layer(&self, inner: S) -> Connecting<S> {
        Connecting {
            inner: Arc::new(inner),
            default: self.default,
        }
    }
}

/// The service that [`ConnectLayer`] makes.
#[derive(Debug)]
pub(super) struct Connecting<S> {
    // Clients clone their connector several times for each request, and nearly every request connects to nothing.
    inner: Arc<S>,
    default: Duration,
}

impl<S> Clone for Connecting<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            default: self.default,
        }
    }
}

impl<S, R> Service<R> for Connecting<S>
where
    S: Service<R> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Response: Send + 'static,
    S::Future: Send,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The inner service is waited for in the future, as a part of opening the connection.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: R) -> Self::Future {
        let limit = LIMIT.try_with(|limit| *limit).unwrap_or(self.default);
        let opening = S::clone(&self.inner).oneshot(target);
        Box::pin(async move {
            match tokio::time::timeout(limit, opening).await {
                Ok(opened) => opened.map_err(Into::into),
                Err(_) => Err(ConnectTimedOut { limit }.into()),
            }
        })
    }
}

/// No connection came about in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no connection within {limit:?}")]
pub(super) struct ConnectTimedOut {
    pub(super) limit: Duration,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;
    use tower::service_fn;

    use super::*;

    const DEFAULT: Duration = Duration::from_secs(10);

    /// What comes of opening takes this long, and after how long that is.
    async fn opened(takes: Duration, limit: Option<Duration>) -> (Result<u8, String>, Duration) {
        let connector = service_fn(move |()| async move {
            tokio::time::sleep(takes).await;
            Ok::<_, BoxError>(7)
        });
        let layer = ConnectLayer { default: DEFAULT };
        let mut connecting = layer.layer(connector);
        let start = Instant::now();
        let opening = async { connecting.ready().await.unwrap().call(()).await };
        let outcome = match limit {
            Some(limit) => within(limit, opening).await,
            None => opening.await,
        };
        (outcome.map_err(|error| error.to_string()), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_opens_its_connection_within_its_own_limit() {
        let second = Duration::from_secs(1);

        assert_eq!(opened(second, None).await, (Ok(7), second));
        assert_eq!(opened(second, Some(second * 2)).await, (Ok(7), second));
        let late = Err("no connection within 1s".to_owned());
        assert_eq!(opened(second * 2, Some(second)).await, (late, second));
    }

    #[tokio::test(start_paused = true)]
    async fn outside_of_a_request_the_default_holds() {
        let late = Err("no connection within 10s".to_owned());

        assert_eq!(opened(DEFAULT * 2, None).await, (late, DEFAULT));
    }

    /// Counts its copies.
    #[derive(Debug)]
    struct Counted(Arc<AtomicU32>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Ordering::Relaxed);
            Self(Arc::clone(&self.0))
        }
    }

    #[tokio::test]
    async fn a_connector_is_copied_only_to_connect() {
        let (copies, layer) = (Arc::default(), ConnectLayer { default: DEFAULT });
        let counted = Counted(Arc::clone(&copies));
        let connecting = layer.layer(service_fn(move |()| {
            let _ = &counted;
            std::future::ready(Ok::<_, BoxError>(()))
        }));

        let mut copy = connecting.clone();
        assert_eq!(copies.load(Ordering::Relaxed), 0);
        copy.call(()).await.unwrap();

        assert_eq!(copies.load(Ordering::Relaxed), 1);
    }
}
