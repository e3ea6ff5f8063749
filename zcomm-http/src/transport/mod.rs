//! The transport for `http` and `https`: reqwest, with its own redirects and retries switched off.

mod builder;
mod connect;
mod deferred;
mod failure;
mod resolve;

use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use tower::Service;
use zcomm_core::{Body, Channel, Credential, Phase, Transport, TransportCx};

use crate::call::{Call, host};
use crate::error::Error;

pub use builder::ReqwestTransportBuilder;
pub(crate) use deferred::DeferredTransport;
pub(crate) use resolve::is_public;

/// Sends requests for `http` and `https` through reqwest: HTTP/1.1 and 2, rustls with ring, proxies of the environment.
///
/// It follows no redirect and retries nothing that may have been seen by the server: that is for the layers above. What
/// it does retry is a request that met a kept connection just closed by the server, before any byte of it was sent.
///
/// ```
/// use zcomm_core::Transport;
/// use zcomm_http::ReqwestTransport;
///
/// let transport = ReqwestTransport::new().unwrap();
/// assert_eq!(transport.schemes(), ["http", "https"]);
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    connect_limit: Duration,
    public_only: bool,
    credential: Credential,
}

impl ReqwestTransport {
    /// A transport with the defaults that its [builder](Self::builder) names.
    ///
    /// # Errors
    ///
    /// [`Error::Build`] where TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A transport that differs from the defaults.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::default()
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    fn schemes(&self) -> &[&str] {
        &["http", "https"]
    }

    /// Connects to nothing yet: reqwest does so with the first request, and keeps connections for all channels.
    async fn open(&self, _: &Uri, _: &TransportCx) -> Result<Channel, zcomm_core::Error> {
        Ok(Channel::new(self.clone()))
    }

    fn credential(&self) -> Credential {
        self.credential
    }
}

impl Service<Request<Body>> for ReqwestTransport {
    type Response = Response<Body>;
    type Error = zcomm_core::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, zcomm_core::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), zcomm_core::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}

impl ReqwestTransport {
    async fn send(self, request: Request<Body>) -> Result<Response<Body>, zcomm_core::Error> {
        let host = host(request.uri()).to_owned();
        if self.public_only {
            resolve::refuse_private_literal(request.uri())?;
        }
        let own_limit = Call::of(request.extensions()).and_then(|call| call.connect_limit);
        let connect_limit = own_limit.unwrap_or(self.connect_limit);
        let encrypted = request.uri().scheme_str() == Some("https");

        let request = into_reqwest(request).map_err(|error| zcomm_core::Error::Transport {
            phase: Phase::Url,
            host: host.clone(),
            source: failure::Root::boxed(error),
        })?;
        let sent = connect::within(connect_limit, self.client.execute(request)).await;
        let answer = sent.map_err(|error| failure::of_request(error, &host, encrypted))?;
        Ok(from_reqwest(answer, host))
    }
}

fn into_reqwest(request: Request<Body>) -> reqwest::Result<reqwest::Request> {
    let (parts, body) = request.into_parts();
    // Bytes at hand let reqwest send the request again where a kept connection was stale.
    let body = match body.try_clone() {
        Some(bytes) => bytes_of(bytes),
        None => reqwest::Body::wrap(body),
    };
    reqwest::Request::try_from(Request::from_parts(parts, body))
}

fn bytes_of(body: Body) -> reqwest::Body {
    use futures_util::FutureExt;

    let bytes = body.collect(usize::MAX).now_or_never();
    bytes
        .expect("bytes at hand are there at once")
        .expect("bytes at hand have no limit and do not break")
        .into()
}

fn from_reqwest(answer: reqwest::Response, host: String) -> Response<Body> {
    let answer = Response::<reqwest::Body>::from(answer);
    answer.map(|body| Body::stream(body.map_err(move |error| failure::of_body(error, &host))))
}
