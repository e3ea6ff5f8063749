//! The layer that holds requests until a service they need answers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt};

use super::{Endpoint, ServiceDriver, ServiceState};
use crate::body::Body;
use crate::error::Error;

/// How long a probe's good news is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long to wait between two probes.
const PAUSE: Duration = Duration::from_millis(50);

/// Lets a request wait until the service it needs answers, then fails by name.
///
/// One request at a time probes, the others wait for what it finds. While the service is known to answer, a request
/// costs a look at a clock; after an answer that says `unavailable`, the next one probes again.
///
/// It belongs just outside what talks to the service, and inside the cache, which needs no service for a hit.
///
/// ```
/// # use async_trait::async_trait;
/// # use zcomm_core::service::*;
/// # struct Down(DriverInfo);
/// # #[async_trait]
/// # impl ServiceDriver for Down {
/// #     fn about(&self) -> &DriverInfo { &self.0 }
/// #     fn recipes(&self, _: &StartPlan) -> Recipes { Recipes::none() }
/// #     async fn probe(&self, _: &Endpoint) -> Probe { Probe::stopped() }
/// #     fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
/// #         ConnectionInfo::new(probe.state, at.clone(), "")
/// #     }
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// # let driver = std::sync::Arc::new(Down(DriverInfo::new("redis", "Redis", 6379)));
/// use tower::{Layer, ServiceExt, service_fn};
/// use zcomm_core::{Body, Error};
///
/// let app = service_fn(async |_: http::Request<Body>| Ok::<_, Error>(http::Response::new(Body::empty())));
/// let stack = RequireLayer::new(driver, Endpoint::local(6379)).layer(app);
/// let error = stack.oneshot(http::Request::new(Body::empty())).await.unwrap_err();
/// assert_eq!(error.to_string(), "redis does not answer at 127.0.0.1:6379 (stopped) after 10 s");
/// # });
/// ```
#[derive(Clone)]
pub struct RequireLayer {
    gate: Arc<Gate>,
}

impl RequireLayer {
    /// Waits up to ten seconds for the service at `endpoint`.
    pub fn new(driver: Arc<dyn ServiceDriver>, endpoint: Endpoint) -> Self {
        Self::with_patience(driver, endpoint, Duration::from_secs(10))
    }

    /// Waits up to `patience` for the service at `endpoint`.
    pub fn with_patience(
        driver: Arc<dyn ServiceDriver>,
        endpoint: Endpoint,
        patience: Duration,
    ) -> Self {
        Self {
            gate: Arc::new(Gate::new(driver, endpoint, patience)),
        }
    }
}

impl fmt::Debug for RequireLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.gate.describe("RequireLayer", f)
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require {
            inner,
            gate: Arc::clone(&self.gate),
        }
    }
}

/// The service that [`RequireLayer`] makes.
#[derive(Clone)]
pub struct Require<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> fmt::Debug for Require<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.gate.describe("Require", f)
    }
}

impl<S> Service<Request<Body>> for Require<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            gate.pass().await?;
            let answer = ready.oneshot(request).await;
            if answer
                .as_ref()
                .is_err_and(|error| error.code() == crate::Code::Unavailable)
            {
                gate.doubt().await;
            }
            answer
        })
    }
}

struct Gate {
    driver: Arc<dyn ServiceDriver>,
    endpoint: Endpoint,
    patience: Duration,
    /// When the service was last seen to answer. Whoever probes holds the lock; that is what makes the others wait.
    seen: Mutex<Option<Instant>>,
    /// What the last probe found, for those who waited in vain.
    state: std::sync::Mutex<ServiceState>,
}

impl Gate {
    fn new(driver: Arc<dyn ServiceDriver>, endpoint: Endpoint, patience: Duration) -> Self {
        let state = std::sync::Mutex::new(ServiceState::Unknown);
        Self {
            driver,
            endpoint,
            patience,
            seen: Mutex::default(),
            state,
        }
    }

    async fn pass(&self) -> Result<(), Error> {
        let start = Instant::now();
        let waited = tokio::time::timeout(self.patience, self.wait_until_seen()).await;
        waited.map_err(|_| Error::ServiceUnavailable {
            service: self.driver.about().name.to_owned(),
            endpoint: self.endpoint.to_string(),
            state: *self.state.lock().unwrap_or_else(PoisonError::into_inner),
            waited: start.elapsed(),
        })
    }

    async fn wait_until_seen(&self) {
        let mut seen = self.seen.lock().await;
        if seen.is_some_and(|at| at.elapsed() < BELIEVED) {
            return;
        }
        loop {
            let probe = self.driver.probe(&self.endpoint).await;
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = probe.state;
            if probe.is_running() {
                *seen = Some(Instant::now());
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn doubt(&self) {
        *self.seen.lock().await = None;
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("service", &self.driver.about().name)
            .field("endpoint", &self.endpoint.to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tower::service_fn;

    use super::*;
    use crate::service::{ConnectionInfo, DriverInfo, Probe, Recipes, ServiceIdentity, StartPlan};
    use crate::transport::BoxService;

    /// Answers from the n-th probe on.
    struct Waking {
        info: DriverInfo,
        asleep: usize,
        probes: AtomicUsize,
    }

    #[async_trait]
    impl ServiceDriver for Waking {
        fn about(&self) -> &DriverInfo {
            &self.info
        }

        fn recipes(&self, _plan: &StartPlan) -> Recipes {
            Recipes::none()
        }

        async fn probe(&self, _at: &Endpoint) -> Probe {
            tokio::task::yield_now().await;
            if self.probes.fetch_add(1, Ordering::Relaxed) < self.asleep {
                return Probe::starting("loading");
            }
            Probe::running(ServiceIdentity::default(), Duration::ZERO)
        }

        fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
            ConnectionInfo::new(probe.state, at.clone(), "")
        }
    }

    fn waking(asleep: usize) -> Arc<Waking> {
        Arc::new(Waking {
            info: DriverInfo::new("naps", "Naps", 7),
            asleep,
            probes: AtomicUsize::new(0),
        })
    }

    fn stack(driver: &Arc<Waking>) -> BoxService {
        let app = service_fn(async |request: Request<Body>| match request.uri().path() {
            "/gone" => Err(Error::Closed {
                host: "naps".into(),
            }),
            _ => Ok(Response::new(Body::empty())),
        });
        BoxService::new(RequireLayer::new(Arc::clone(driver) as _, Endpoint::local(7)).layer(app))
    }

    async fn get(stack: &BoxService, path: &'static str) -> Result<Response<Body>, Error> {
        stack
            .clone()
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_until_the_service_answers() {
        let driver = waking(3);
        let start = Instant::now();

        get(&stack(&driver), "/").await.unwrap();

        assert_eq!(
            (start.elapsed(), driver.probes.load(Ordering::Relaxed)),
            (PAUSE * 3, 4)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn requests_at_once_share_one_round_of_probes() {
        let driver = waking(2);
        let stack = stack(&driver);

        let answers = futures_util::future::join_all((0..8).map(|_| get(&stack, "/"))).await;

        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(driver.probes.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_with_the_service_named() {
        let error = get(&stack(&waking(usize::MAX)), "/").await.unwrap_err();

        assert_eq!(
            error.to_string(),
            "naps does not answer at 127.0.0.1:7 (starting) after 10 s"
        );
        assert_eq!(error.code(), crate::Code::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn good_news_is_believed_until_a_request_fails() {
        let driver = waking(0);
        let stack = stack(&driver);

        for path in ["/", "/", "/gone", "/"] {
            let _ = get(&stack, path).await;
        }

        assert_eq!(driver.probes.load(Ordering::Relaxed), 2);
    }
}
