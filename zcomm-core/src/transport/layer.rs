//! The layer through which requests leave for the address they name.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use pin_project_lite::pin_project;
use tokio::sync::OnceCell;
use tower::util::Oneshot;
use tower::{Layer, Service, ServiceExt};

use super::way::Way;
use super::{BoxService, ChannelToken, Transport, TransportCx};
use crate::body::Body;
use crate::error::{Error, Phase};
use crate::secret::Secret;

/// How many channels are kept open at once; the one that was opened first makes room.
const MOST_CHANNELS: usize = 256;

/// Sends a request whose scheme one of its transports serves through that; any other goes on inward.
///
/// Opened channels are kept per scheme, authority and token: one opened with a token never serves another. Requests
/// that find none wait for one opening, not for one each, and share its failure. A channel that turns out closed is
/// opened anew by the next request. What a channel receives unasked is dropped: who wants it opens the transport itself.
///
/// It belongs innermost: nothing that is put inside it sees a request that left.
#[derive(Clone)]
pub struct TransportLayer {
    routes: Arc<Routes>,
}

impl TransportLayer {
    /// Serves the schemes of these transports; where two serve the same, the first does.
    pub fn new(transports: impl IntoIterator<Item = Arc<dyn Transport>>) -> Self {
        let routes = Routes {
            transports: transports.into_iter().collect(),
            open: Mutex::default(),
        };
        Self {
            routes: Arc::new(routes),
        }
    }

    /// A whole service: what no transport serves is [`Error::NoTransport`].
    pub fn into_service(self) -> BoxService {
        BoxService::new(self.into_routed())
    }

    /// The same, unboxed, for a stack that is boxed as a whole.
    pub fn into_routed(self) -> Routed<Nowhere> {
        let known = self.routes.schemes().into();
        self.layer(Nowhere { known })
    }
}

/// Where requests end that no transport serves: each is [`Error::NoTransport`].
#[derive(Clone, Debug)]
pub struct Nowhere {
    known: Arc<[String]>,
}

impl Service<Request<Body>> for Nowhere {
    type Response = Response<Body>;
    type Error = Error;
    type Future = std::future::Ready<Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        std::future::ready(Err(Error::NoTransport {
            scheme: request.uri().scheme_str().unwrap_or_default().to_owned(),
            known: self.known.to_vec(),
        }))
    }
}

impl fmt::Debug for TransportLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportLayer")
            .field("schemes", &self.routes.schemes())
            .finish()
    }
}

impl<S> Layer<S> for TransportLayer {
    type Service = Routed<S>;

    fn layer(&self, inner: S) -> Routed<S> {
        Routed {
            inner,
            routes: Arc::clone(&self.routes),
        }
    }
}

/// The service that [`TransportLayer`] makes.
#[derive(Clone)]
pub struct Routed<S> {
    inner: S,
    routes: Arc<Routes>,
}

impl<S: fmt::Debug> fmt::Debug for Routed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S> Service<Request<Body>> for Routed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = RoutedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(transport) = self.routes.transport(request.uri()) else {
            let answer = self.inner.call(request);
            return Leaving::Inward { answer }.into();
        };
        let token = request.extensions().get::<ChannelToken>();
        let way = Way::of(request.uri(), token.map(|token| &token.0));
        let slot = self.routes.slot(&way);
        let calls = match slot.get() {
            Some(Ok(calls)) => calls.clone(),
            // Boxed, since nearly every request finds a channel that is open.
            _ => {
                let transport = Arc::clone(transport);
                let answer = leave(Arc::clone(&self.routes), transport, way, request);
                let answer = Box::pin(answer);
                return Leaving::Opening { answer }.into();
            }
        };
        let routes = Arc::clone(&self.routes);
        let door = Door { routes, way, slot };
        let answer = calls.oneshot(request);
        Leaving::Open { answer, door }.into()
    }
}

pin_project! {
    /// The future that [`Routed`] returns.
    pub struct RoutedFuture<F> {
        #[pin]
        leaving: Leaving<F>,
    }
}

pin_project! {
    /// How far a request is on its way out.
    #[project = LeavingProjection]
    enum Leaving<F> {
        Open {
            #[pin]
            answer: Oneshot<BoxService, Request<Body>>,
            door: Door,
        },
        Opening { answer: Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>> },
        Inward {
            #[pin]
            answer: F,
        },
    }
}

impl<F> From<Leaving<F>> for RoutedFuture<F> {
    fn from(leaving: Leaving<F>) -> Self {
        Self { leaving }
    }
}

impl<F> fmt::Debug for RoutedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedFuture").finish_non_exhaustive()
    }
}

impl<F> Future for RoutedFuture<F>
where
    F: Future<Output = Result<Response<Body>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().leaving.project() {
            LeavingProjection::Inward { answer } => answer.poll(cx),
            LeavingProjection::Opening { answer } => answer.as_mut().poll(cx),
            LeavingProjection::Open { answer, door } => {
                let answer = ready!(answer.poll(cx));
                door.close_after(&answer);
                Poll::Ready(answer)
            }
        }
    }
}

/// An opening, whose end is the same for all who wait for it.
type Slot = Arc<OnceCell<Result<BoxService, Arc<Error>>>>;

struct Routes {
    transports: Vec<Arc<dyn Transport>>,
    open: Mutex<Channels>,
}

#[derive(Default)]
struct Channels {
    slots: HashMap<Way, (u64, Slot)>,
    opened: u64,
}

impl Routes {
    fn schemes(&self) -> Vec<String> {
        self.transports
            .iter()
            .flat_map(|transport| transport.schemes())
            .map(|&scheme| scheme.to_owned())
            .collect()
    }

    fn transport(&self, target: &Uri) -> Option<&Arc<dyn Transport>> {
        let scheme = target.scheme_str()?;
        self.transports
            .iter()
            .find(|transport| transport.schemes().contains(&scheme))
    }

    fn slot(&self, way: &Way) -> Slot {
        let mut channels = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = channels.slots.get(way) {
            return Arc::clone(slot);
        }
        if channels.slots.len() >= MOST_CHANNELS {
            channels.drop_oldest();
        }
        channels.opened += 1;
        let (age, slot) = (channels.opened, Slot::default());
        channels.slots.insert(way.kept(), (age, Arc::clone(&slot)));
        slot
    }

    /// Forgets a channel, unless another has taken its place meanwhile.
    fn forget(&self, way: &Way, slot: &Slot) {
        let mut channels = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if channels
            .slots
            .get(way)
            .is_some_and(|(_, current)| Arc::ptr_eq(current, slot))
        {
            channels.slots.remove(way);
        }
    }
}

impl Channels {
    fn drop_oldest(&mut self) {
        let oldest = self
            .slots
            .iter()
            .min_by_key(|(_, (age, _))| *age)
            .map(|(way, _)| way.clone());
        if let Some(way) = oldest {
            self.slots.remove(&way);
        }
    }
}

/// A channel that a request found, and where it is kept.
struct Door {
    routes: Arc<Routes>,
    way: Way,
    slot: Slot,
}

impl Door {
    /// Forgets a channel that turned out closed.
    fn close_after(&self, answer: &Result<Response<Body>, Error>) {
        if matches!(answer, Err(Error::Closed { .. })) {
            self.routes.forget(&self.way, &self.slot);
        }
    }
}

/// Sends a request whose channel is still to be opened, or was not to be had.
async fn leave(
    routes: Arc<Routes>,
    transport: Arc<dyn Transport>,
    way: Way,
    request: Request<Body>,
) -> Result<Response<Body>, Error> {
    let slot = routes.slot(&way);
    let token = request.extensions().get::<ChannelToken>();
    let token = token.map(|token| token.0.clone());
    let opened = slot.get_or_init(|| open(&*transport, request.uri(), token));
    let calls = match opened.await {
        Ok(calls) => calls.clone(),
        Err(error) => {
            routes.forget(&way, &slot);
            return Err(Error::Shared(Arc::clone(error)));
        }
    };
    let answer = calls.oneshot(request).await;
    Door { routes, way, slot }.close_after(&answer);
    answer
}

async fn open(
    transport: &dyn Transport,
    target: &Uri,
    token: Option<Secret>,
) -> Result<BoxService, Arc<Error>> {
    let cx = TransportCx {
        token,
        ..TransportCx::default()
    };
    let target = bare(target);
    let opened = tokio::time::timeout(cx.limit, transport.open(&target, &cx)).await;
    match opened {
        Ok(opened) => opened.map(|channel| channel.calls).map_err(Arc::new),
        Err(late) => Err(Arc::new(Error::Transport {
            phase: Phase::Timeout,
            host: host(&target).to_owned(),
            source: late.into(),
        })),
    }
}

/// The scheme and authority alone: a channel serves every path behind them.
fn bare(target: &Uri) -> Uri {
    let mut parts = target.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).unwrap_or_else(|_| target.clone())
}

/// Host and port, without credentials.
fn host(target: &Uri) -> &str {
    let authority = target
        .authority()
        .map_or("", |authority| authority.as_str());
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tower::service_fn;

    use super::*;
    use crate::transport::Channel;

    /// Opens channels that answer with their number and break when asked to.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Transport for Counting {
        fn schemes(&self) -> &[&str] {
            &["count"]
        }

        async fn open(&self, target: &Uri, _cx: &TransportCx) -> Result<Channel, Error> {
            let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::task::yield_now().await;
            match target.host() {
                Some("dead") => {
                    return Err(Error::Closed {
                        host: format!("dead {number}"),
                    });
                }
                Some("silent") => std::future::pending().await,
                _ => {}
            }
            let host = target.host().unwrap().to_owned();
            Ok(Channel::new(service_fn(move |request: Request<Body>| {
                let closed = Error::Closed { host: host.clone() };
                async move {
                    match request.uri().path() {
                        "/break" => Err(closed),
                        _ => Ok(Response::new(Body::from(number.to_string()))),
                    }
                }
            })))
        }
    }

    fn stack() -> BoxService {
        TransportLayer::new([Arc::new(Counting::default()) as Arc<dyn Transport>]).into_service()
    }

    async fn channel_of(
        stack: &BoxService,
        uri: &str,
        token: Option<&str>,
    ) -> Result<String, Error> {
        let mut request = Request::get(uri).body(Body::empty()).unwrap();
        if let Some(token) = token {
            request.extensions_mut().insert(ChannelToken(token.into()));
        }
        let reply = stack.clone().oneshot(request).await?;
        Ok(String::from_utf8(reply.body().as_bytes().unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_channel_is_kept_per_authority_and_token() {
        let stack = stack();

        let mut seen = Vec::new();
        for (uri, token) in [
            ("count://a/x", None),
            ("count://A/y", None),
            ("count://b/x", None),
            ("count://a/x", Some("t")),
            ("count://a/x", Some("u")),
            ("count://a/x", Some("t")),
        ] {
            seen.push(channel_of(&stack, uri, token).await.unwrap());
        }

        assert_eq!(seen, ["1", "1", "2", "3", "4", "3"]);
    }

    #[tokio::test]
    async fn requests_at_once_share_one_opening() {
        let stack = stack();

        let (one, two) = tokio::join!(
            channel_of(&stack, "count://a/", None),
            channel_of(&stack, "count://a/", None)
        );

        assert_eq!((one.unwrap(), two.unwrap()), ("1".into(), "1".into()));
    }

    #[tokio::test]
    async fn a_closed_channel_is_opened_anew() {
        let stack = stack();
        channel_of(&stack, "count://a/", None).await.unwrap();

        let error = channel_of(&stack, "count://a/break", None)
            .await
            .unwrap_err();

        assert!(matches!(error, Error::Closed { .. }), "{error:?}");
        assert_eq!(channel_of(&stack, "count://a/", None).await.unwrap(), "2");
    }

    #[tokio::test]
    async fn a_scheme_that_nothing_serves_goes_inward() {
        let inner =
            service_fn(async |_: Request<Body>| Ok::<_, Error>(Response::new(Body::from("inner"))));
        let layer = TransportLayer::new([Arc::new(Counting::default()) as Arc<dyn Transport>]);

        let within = channel_of(&BoxService::new(layer.layer(inner)), "/dispatch", None).await;
        let nowhere = channel_of(&stack(), "gopher://a/", None).await;

        assert_eq!(within.unwrap(), "inner");
        assert_eq!(
            nowhere.unwrap_err().to_string(),
            "no transport serves `gopher://`; known here: count"
        );
    }

    #[tokio::test]
    async fn requests_at_once_share_one_failure() {
        let stack = stack();

        let (one, two) = tokio::join!(
            channel_of(&stack, "count://dead/", None),
            channel_of(&stack, "count://dead/", None),
        );
        let later = channel_of(&stack, "count://dead/", None).await;

        let texts = [one, two, later].map(|failed| failed.unwrap_err().to_string());
        assert_eq!(
            texts,
            [1, 1, 2].map(|number| format!("the connection to `dead {number}` is closed"))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_opening_that_never_ends_is_a_timeout() {
        let error = channel_of(&stack(), "count://user:secret@silent/", None)
            .await
            .unwrap_err();

        assert_eq!(error.code(), crate::Code::Timeout);
        assert_eq!(error.to_string(), "waiting failed for `silent`");
    }

    #[tokio::test]
    async fn other_userinfo_is_another_channel() {
        let stack = stack();

        let ada = channel_of(&stack, "count://ada:pw@a/", None).await.unwrap();
        let eve = channel_of(&stack, "count://eve:pw@a/", None).await.unwrap();
        let nobody = channel_of(&stack, "count://a/", None).await.unwrap();

        assert_eq!([ada, eve, nobody], ["1", "2", "3"]);
    }
}
