//! The layer that lets a host have so many requests at once, and per second.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use tower::util::Oneshot;
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, Error};

use super::hosts::Hosts;
use crate::call::host;

/// How many requests a host gets.
///
/// ```
/// use zcomm_http::HostLimit;
///
/// let limit = HostLimit::default().at_once(4).per_second(10);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HostLimit {
    at_once: usize,
    interval: Option<Duration>,
}

impl Default for HostLimit {
    fn default() -> Self {
        Self {
            at_once: 128,
            interval: None,
        }
    }
}

impl HostLimit {
    /// How many requests may be under way, from the first byte sent to the last one read. 128.
    #[must_use]
    pub fn at_once(mut self, requests: usize) -> Self {
        self.at_once = requests.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// How many requests may begin in a second, evenly spread. As many as there are.
    #[must_use]
    pub fn per_second(mut self, requests: u32) -> Self {
        self.interval = Some(Duration::from_secs(1) / requests.max(1));
        self
    }
}

/// Lets requests wait while their host has as many as it may have.
///
/// There is no error of its own: the call's time limits the wait. It belongs inside retry, so that every attempt waits
/// for its turn.
#[derive(Clone, Debug)]
pub struct HostLimitLayer {
    limit: HostLimit,
    gates: Arc<Hosts<Gate>>,
}

impl HostLimitLayer {
    /// Lets each host have what `limit` says.
    pub fn new(limit: HostLimit) -> Self {
        Self {
            limit,
            gates: Arc::default(),
        }
    }
}

impl<S> Layer<S> for HostLimitLayer {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`HostLimitLayer`] makes.
#[derive(Clone, Debug)]
pub struct Limited<S> {
    inner: S,
    layer: HostLimitLayer,
}

impl<S> Service<Request<Body>> for Limited<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = LimitedFuture<S>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // The gate comes first, so the inner service is waited for in the future.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let limit = self.layer.limit;
        let host = host(request.uri());
        let gate = self.layer.gates.of(host, || Gate::new(limit));
        let place = gate.free_place();
        LimitedFuture {
            entering: place.is_none().then(|| Box::pin(gate.enter()) as _),
            place,
            inner: self.inner.clone().oneshot(request),
        }
    }
}

pin_project! {
    /// The future that [`Limited`] returns.
    pub struct LimitedFuture<S>
    where
        S: Service<Request<Body>>,
    {
        // Only where there is no place at once.
        entering: Option<BoxFuture<'static, OwnedSemaphorePermit>>,
        place: Option<OwnedSemaphorePermit>,
        // Does nothing before it is polled.
        #[pin]
        inner: Oneshot<S, Request<Body>>,
    }
}

impl<S: Service<Request<Body>>> fmt::Debug for LimitedFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedFuture").finish_non_exhaustive()
    }
}

impl<S> Future for LimitedFuture<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(entering) = this.entering {
            *this.place = Some(ready!(entering.as_mut().poll(cx)));
            *this.entering = None;
        }
        let answer = ready!(this.inner.poll(cx));
        let place = this.place.take();
        Poll::Ready(answer.map(|answer| answer.map(|body| body.holding(place))))
    }
}

/// The gate before one host.
#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
    interval: Option<Duration>,
    next: Mutex<Instant>,
}

impl Gate {
    fn new(limit: HostLimit) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limit.at_once)),
            interval: limit.interval,
            next: Mutex::new(Instant::now()),
        }
    }

    /// A place, if there is one at once.
    fn free_place(&self) -> Option<OwnedSemaphorePermit> {
        match self.interval {
            Some(_) => None,
            None => Arc::clone(&self.places).try_acquire_owned().ok(),
        }
    }

    async fn enter(self: Arc<Self>) -> OwnedSemaphorePermit {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.expect("the gate never closes");
        if let Some(interval) = self.interval {
            sleep_until(self.turn(interval)).await;
        }
        place
    }

    fn turn(&self, interval: Duration) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(Instant::now());
        *next = turn + interval;
        turn
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::future::join_all;
    use http_body_util::Full;
    use tower::service_fn;
    use zcomm_core::BoxService;

    use super::*;

    fn stack(limit: HostLimit) -> BoxService {
        let service = service_fn(async |_| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Response::new(Body::stream(Full::new(Bytes::from("x")))))
        });
        BoxService::new(HostLimitLayer::new(limit).layer(service))
    }

    async fn get(stack: &BoxService, url: &str) -> Response<Body> {
        let request = Request::get(url).body(Body::empty()).unwrap();
        stack.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_the_limit_wait_for_their_host_alone() {
        let stack = stack(HostLimit::default().at_once(2));
        let start = Instant::now();
        let read = async |url| {
            get(&stack, url).await.into_body().collect(9).await.unwrap();
            start.elapsed().as_secs()
        };

        let at = join_all([
            read("http://a/"),
            read("http://a/"),
            read("http://a/"),
            read("http://b/"),
        ]);

        assert_eq!(at.await, [1, 1, 2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_not_read_keeps_its_place_until_it_is_dropped() {
        let stack = stack(HostLimit::default().at_once(1));
        let unread = get(&stack, "http://a/").await;

        let waiting = tokio::time::timeout(Duration::from_secs(60), get(&stack, "http://a/")).await;
        assert!(waiting.is_err());

        drop(unread);
        assert_eq!(get(&stack, "http://a/").await.status(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_begin_evenly_spread() {
        let stack = stack(HostLimit::default().per_second(4));
        let start = Instant::now();
        let at = join_all((0..3).map(|_| async {
            get(&stack, "http://a/").await;
            start.elapsed().as_millis()
        }));

        assert_eq!(at.await, [1000, 1250, 1500]);
    }
}
