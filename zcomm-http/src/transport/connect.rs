//! The limit for opening a connection, per request: reqwest itself knows one per client only.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tower::{Layer, Service};
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
            inner,
            default: self.default,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Connecting<S> {
    inner: S,
    default: Duration,
}

impl<S, R> Service<R> for Connecting<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let limit = LIMIT.try_with(|limit| *limit).unwrap_or(self.default);
        let opening = self.inner.call(target);
        Box::pin(async move {
            match tokio::time::timeout(limit, opening).await {
                Ok(opened) => opened,
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
