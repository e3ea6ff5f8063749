//! The transport for `http` and `https`: reqwest, with its own redirects and retries switched off, and hyper where that
//! is all it takes. Follows no redirect and holds no cookie.

mod builder;
mod connect;
mod deferred;
mod failure;
mod plain;
mod resolve;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use reqwest::Url;
use tower::{Service, service_fn};
use zcomm_core::{Body, BoxError, Channel, Credential, Phase, Transport, TransportCx};

use crate::call::{Call, Host};
use crate::error::Error;

pub use builder::ReqwestTransportBuilder;
pub(crate) use deferred::DeferredTransport;
use plain::Plain;
pub(crate) use resolve::is_public;

/// Sends requests for `http` and `https` through reqwest: HTTP/1.1 and 2, rustls with ring, proxies of the environment.
///
/// Plain `http` that needs no proxy and no cookie goes through hyper alone, with the same limits, name look-up and
/// decompression: reqwest would take twice as many instructions for it.
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
    plain: Option<Plain>,
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
        let transport = Arc::new(self.clone());
        let send = move |request| Self::send(Arc::clone(&transport), request);
        Ok(Channel::new(service_fn(send)))
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
        Box::pin(Self::send(Arc::new(self.clone()), request))
    }
}

impl ReqwestTransport {
    async fn send(
        transport: Arc<Self>,
        request: Request<Body>,
    ) -> Result<Response<Body>, zcomm_core::Error> {
        let host = Host::of(request.uri());
        if transport.public_only {
            resolve::refuse_private_literal(request.uri())?;
        }
        let own_limit = Call::of(request.extensions()).and_then(|call| call.connect_limit);
        let connect_limit = own_limit.unwrap_or(transport.connect_limit);
        let encrypted = request.uri().scheme_str() == Some("https");

        if let Some(plain) = &transport.plain
            && plain.serves(request.uri())
        {
            let sent = plain.send(request, host);
            return connect::within(connect_limit, sent).await;
        }

        let executed = match into_reqwest(request) {
            Ok(request) => {
                if transport.public_only {
                    resolve::refuse_private_host(request.url(), host.name())?;
                }
                transport.client.execute(request)
            }
            Err(source) => {
                let (phase, host) = (Phase::Url, host.name().to_owned());
                return Err(zcomm_core::Error::Transport {
                    phase,
                    host,
                    source,
                });
            }
        };
        let sent = connect::within(connect_limit, executed).await;
        let answer = sent.map_err(|error| failure::of_request(error, host.name(), encrypted))?;
        Ok(from_reqwest(answer, host))
    }
}

fn into_reqwest(request: Request<Body>) -> Result<reqwest::Request, BoxError> {
    let (head, body) = request.into_parts();
    let known = Call::of(&head.extensions).and_then(|call| call.url(&head.uri));
    let url = match known {
        Some(url) => url.clone(),
        None => Url::parse(&head.uri.to_string())?,
    };
    let mut request = reqwest::Request::new(head.method, url);
    *request.headers_mut() = head.headers;
    *request.version_mut() = head.version;
    // Bytes at hand let reqwest send the request again where a kept connection was stale.
    *request.body_mut() = Some(match body.as_bytes() {
        Some(_) => body.into_bytes().unwrap_or_default().into(),
        None => reqwest::Body::wrap(body),
    });
    Ok(request)
}

fn from_reqwest(answer: reqwest::Response, host: Host) -> Response<Body> {
    let answer = Response::<reqwest::Body>::from(answer);
    let named =
        move |error: reqwest::Error| failure::of_body(error.without_url().into(), host.name());
    answer.map(|body| Body::stream(body.map_err(named)))
}
