//! What a client can be told, its defaults, and the order of its layers.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tower::util::option_layer;
use tower::{Layer, Service};
use zcomm_core::{Body, BoxService, Transport, TransportLayer};

use super::{HttpClient, Shared};
use crate::error::Error;
use crate::layers::{
    AttemptLayer, Breaker, BreakerLayer, CredentialLayer, HostLimit, HostLimitLayer, RedirectLayer,
    Retry, RetryLayer, SignLayer, Signer, TotalLayer, TraceLayer,
};
use crate::transport::ReqwestTransport;

type Wrap = Box<dyn FnOnce(BoxService) -> BoxService + Send>;

/// Builds an [`HttpClient`]; each method's text ends with what holds without it.
///
/// The layers, outermost first: trace, total time, redirects, credential, those of [`layer`](Self::layer), circuit breaker, retry,
/// limit per host, time per attempt, signer, transport.
///
/// ```
/// use std::time::Duration;
/// use zcomm_http::{HttpClient, Retry};
///
/// let client = HttpClient::builder()
///     .timeout(Duration::from_secs(5))
///     .retry(Retry::default().attempts(5))
///     .without_breaker()
///     .build();
/// assert!(client.is_ok());
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct HttpClientBuilder {
    transports: Vec<Arc<dyn Transport>>,
    total: Duration,
    read: Duration,
    attempt: Option<Duration>,
    redirects: usize,
    retry: Retry,
    breaker: Option<Breaker>,
    host_limit: Option<HostLimit>,
    signer: Option<Arc<dyn Signer>>,
    layers: Vec<Wrap>,
    headers: HeaderMap,
    max_body: usize,
    flaw: Option<Error>,
}

/// A service of the stack that is not boxed: all of them are, together.
trait Inner:
    Service<
        Request<Body>,
        Response = Response<Body>,
        Error = zcomm_core::Error,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Inner for S where
    S: Service<
            Request<Body>,
            Response = Response<Body>,
            Error = zcomm_core::Error,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// What stands around the application's layers.
#[derive(Clone, Debug)]
pub(super) struct Outer {
    credential: CredentialLayer,
    redirects: RedirectLayer,
    total: TotalLayer,
}

impl Outer {
    /// The whole stack with the application's layers `inside`, for which requests say as whom they go out.
    pub(super) fn around_layers(&self, inside: BoxService) -> BoxService {
        self.around(self.redirects.layer(self.credential.layer(inside)))
    }

    /// The whole stack without any: nobody asks as whom a request goes out, and nothing changes it on its way.
    fn around_nothing<S: Inner>(&self, inside: S) -> BoxService {
        self.around(self.redirects.sharing(true).layer(inside))
    }

    fn around<S: Inner>(&self, redirected: S) -> BoxService {
        let total = self.total.layer(redirected);
        BoxService::new(TraceLayer::new().layer(total))
    }
}

impl Default for HttpClientBuilder {
    fn default() -> Self {
        let mut headers = HeaderMap::new();
        let agent = concat!("zcomm/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        Self {
            transports: Vec::new(),
            total: Duration::from_secs(30),
            read: Duration::from_secs(15),
            attempt: None,
            redirects: 10,
            retry: Retry::default(),
            breaker: Some(Breaker::default()),
            host_limit: Some(HostLimit::default()),
            signer: None,
            layers: Vec::new(),
            headers,
            max_body: 32 * 1024 * 1024,
            flaw: None,
        }
    }
}

impl std::fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("total", &self.total)
            .field("read", &self.read)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl HttpClientBuilder {
    /// Sends requests through this; of several the first that serves a scheme. A [`ReqwestTransport`].
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transports.push(transport);
        self
    }

    /// Limits a call as a whole: all attempts, redirects, and the body. 30 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.total = limit;
        self
    }

    /// Limits the pause between two pieces of a body. 15 seconds.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.read = limit;
        self
    }

    /// Limits each attempt, up to the head of its answer. No limit but that of the call.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt = Some(limit);
        self
    }

    /// Follows at most so many redirects. Ten.
    pub fn follow_redirects(mut self, most: usize) -> Self {
        self.redirects = most;
        self
    }

    /// Says what is retried, how often, and how far apart. [`Retry::default`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Says when a host that fails is left alone, and for how long. [`Breaker::default`].
    pub fn breaker(mut self, breaker: Breaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Leaves no host alone, however often it fails.
    pub fn without_breaker(mut self) -> Self {
        self.breaker = None;
        self
    }

    /// Limits how many requests a host gets at once and per second. [`HostLimit::default`].
    pub fn host_limit(mut self, limit: HostLimit) -> Self {
        self.host_limit = Some(limit);
        self
    }

    /// Sends each host as many requests as there are.
    pub fn without_host_limit(mut self) -> Self {
        self.host_limit = None;
        self
    }

    /// Signs every attempt, but none that a redirect sent to another origin. Nothing is signed.
    pub fn signer(mut self, signer: impl Signer + 'static) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// Puts a layer around what is inside of redirects and outside of the breaker: it sees each request once, before
    /// any retry. Of several the first is outermost. A cache finds the scope of a request in its extensions.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<BoxService> + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>
            + Clone
            + Send
            + Sync
            + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        self.layers
            .push(Box::new(move |inner| BoxService::new(layer.layer(inner))));
        self
    }

    /// Adds a header to every request that has none of the name. A user agent, and `Accept: */*`.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            (name, value) => self.flaw_in_header(name.err(), value.err()),
        }
        self
    }

    /// Takes no more than so many bytes of a body, counted after decompression. 32 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`Error::Header`] for a header that HTTP does not allow, [`Error::Build`] where no transport was given and none
    /// can be made.
    pub fn build(mut self) -> Result<HttpClient, Error> {
        if let Some(flaw) = self.flaw.take() {
            return Err(flaw);
        }
        if self.transports.is_empty() {
            self = self.transport(Arc::new(ReqwestTransport::new()?));
        }
        Ok(self.assemble())
    }

    /// The client of what is known to be right.
    pub(super) fn assemble(mut self) -> HttpClient {
        let layers = std::mem::take(&mut self.layers);
        let (headers, max_body) = (std::mem::take(&mut self.headers), self.max_body);
        let outer = Outer {
            credential: CredentialLayer::new(self.transports.clone(), self.signer.clone()),
            redirects: RedirectLayer::new(self.redirects),
            total: TotalLayer::new(self.total, self.read),
        };
        let inside = self.inside();
        let inner = BoxService::new(inside.clone());
        let (stack, inner) = match layers.is_empty() {
            true => (outer.around_nothing(inside), inner),
            false => {
                let layered = layers
                    .into_iter()
                    .rev()
                    .fold(inner, |inner, wrap| wrap(inner));
                (outer.around_layers(layered.clone()), layered)
            }
        };
        HttpClient {
            shared: Arc::new(Shared {
                stack,
                inner,
                outer,
                headers,
                max_body,
            }),
        }
    }

    /// What each hop of a call passes inside of the application's layers, innermost first.
    fn inside(self) -> impl Inner {
        let transport = TransportLayer::new(self.transports).into_routed();
        let signed = option_layer(self.signer.map(SignLayer::new)).layer(transport);
        let attempt = AttemptLayer::new(self.attempt).layer(signed);
        let limited = option_layer(self.host_limit.map(HostLimitLayer::new)).layer(attempt);
        let retried = RetryLayer::new(self.retry).layer(limited);
        option_layer(self.breaker.map(BreakerLayer::new)).layer(retried)
    }

    fn flaw_in_header(
        &mut self,
        name: Option<http::header::InvalidHeaderName>,
        value: Option<http::header::InvalidHeaderValue>,
    ) {
        let source = match (name, value) {
            (Some(name), _) => name.into(),
            (None, Some(value)) => value.into(),
            (None, None) => return,
        };
        let name = "a default header".to_owned();
        self.flaw.get_or_insert(Error::Header { name, source });
    }
}
