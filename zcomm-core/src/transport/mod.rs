//! The way out to an address: the trait [`Transport`], what it opens, and how a test makes one of a service.

mod credential;
mod layer;
mod way;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use http::{Request, Response, Uri};
use tower::Service;
use tower::util::BoxCloneSyncService;

use crate::body::Body;
use crate::error::Error;
use crate::secret::Secret;

pub use credential::Credential;
pub use layer::{Nowhere, Routed, RoutedFuture, TransportLayer};

/// A service of the one seam, boxed so that its type can be named.
pub type BoxService = BoxCloneSyncService<Request<Body>, Response<Body>, Error>;

/// What the other side sends without being asked, one message at a time.
pub type EventStream = BoxStream<'static, Result<Bytes, Error>>;

/// Opens the way to an address.
///
/// [`TransportLayer`] asks [`open`](Self::open) when the first request for a scheme, authority and credential comes by,
/// and keeps what it gets for those that follow.
///
/// Implementors keep to the time that the context gives, name the phase in which opening failed, and put no
/// credential into an error. The calls of a channel run concurrently. A dropped future of `open` leaves nothing behind.
///
/// ```
/// use async_trait::async_trait;
/// use http::{Request, Response, Uri};
/// use tower::service_fn;
/// use zcomm_core::{Body, Channel, Error, Transport, TransportCx};
///
/// /// Answers `echo://anything` with what it was sent.
/// struct Echo;
///
/// #[async_trait]
/// impl Transport for Echo {
///     fn schemes(&self) -> &[&str] {
///         &["echo"]
///     }
///
///     async fn open(&self, _target: &Uri, _cx: &TransportCx) -> Result<Channel, Error> {
///         Ok(Channel::new(service_fn(async |request: Request<Body>| Ok(Response::new(request.into_body())))))
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync {
    /// The schemes it serves, in lower case.
    fn schemes(&self) -> &[&str];

    /// Opens the way to the scheme and authority of `target`.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`], with the phase.
    async fn open(&self, target: &Uri, cx: &TransportCx) -> Result<Channel, Error>;

    /// As whom it sends, by what it adds itself: a certificate, cookies. It cannot be told, so nothing is cached.
    ///
    /// Asked for every request that a cache could answer, so it only looks up what is known. It never changes, or is
    /// [`Credential::Unknown`].
    fn credential(&self) -> Credential {
        Credential::Unknown
    }
}

/// What a transport may need for opening a channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportCx {
    /// The token that the whole channel is opened with, where the protocol has such a thing.
    pub token: Option<Secret>,
    /// How long opening may take.
    pub limit: Duration,
}

impl Default for TransportCx {
    /// No token, ten seconds.
    fn default() -> Self {
        Self {
            token: None,
            limit: Duration::from_secs(10),
        }
    }
}

/// The token for opening a channel. Requests carry it as an extension; another token is another channel.
#[derive(Clone, Debug)]
pub struct ChannelToken(pub Secret);

/// An open way: calls go out, and events may come in.
pub struct Channel {
    /// Sends a request and waits for its response.
    pub calls: BoxService,
    /// What comes unasked, where the protocol has such a thing.
    pub events: Option<EventStream>,
}

impl Channel {
    /// A channel whose calls go to `service`, and which receives nothing unasked.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Error>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self {
            calls: BoxCloneSyncService::new(service),
            events: None,
        }
    }

    /// The same channel with a stream of what comes unasked.
    #[must_use]
    pub fn with_events(mut self, events: EventStream) -> Self {
        self.events = Some(events);
        self
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("events", &self.events.is_some())
            .finish_non_exhaustive()
    }
}

/// A transport for `scheme` that is nothing but a service: for tests, and for what lives in the same process.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
/// use zcomm_core::{Body, Error, TransportLayer, transport};
///
/// let canned = service_fn(async |_: Request<Body>| Ok::<_, Error>(Response::new(Body::from("pong"))));
/// let stack = TransportLayer::new([transport::from_service("mem", canned)]).into_service();
/// let reply = stack.oneshot(Request::get("mem://here/ping").body(Body::empty()).unwrap()).await.unwrap();
/// assert_eq!(reply.body().as_bytes().unwrap(), b"pong");
/// # });
/// ```
pub fn from_service<S>(scheme: &'static str, service: S) -> std::sync::Arc<dyn Transport>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    std::sync::Arc::new(ServiceTransport {
        schemes: [scheme],
        calls: BoxService::new(service),
    })
}

struct ServiceTransport {
    schemes: [&'static str; 1],
    calls: BoxService,
}

#[async_trait]
impl Transport for ServiceTransport {
    fn schemes(&self) -> &[&str] {
        &self.schemes
    }

    async fn open(&self, _target: &Uri, _cx: &TransportCx) -> Result<Channel, Error> {
        Ok(Channel {
            calls: self.calls.clone(),
            events: None,
        })
    }
}
