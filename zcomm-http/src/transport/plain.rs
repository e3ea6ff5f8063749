//! The short way for plain `http`: hyper's own client. Knows neither TLS nor proxies nor cookies.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, Entry};
use http::{Extensions, HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::{Layer, Service};
use tower_http::decompression::Decompression;
use zcomm_core::Body;

use super::connect::{ConnectLayer, Connecting};
use super::failure;
use super::resolve::SystemResolver;
use crate::call::Host;

/// Sends what needs none of the things that reqwest adds to hyper, with less than half of its instructions.
///
/// It does to a connection and to a request what reqwest does by default, so that nobody can tell which way a request
/// went.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    client: Client<Connecting<HttpConnector<SystemResolver>>, Body>,
    proxies: Option<Arc<Matcher>>,
}

impl Plain {
    pub(super) fn new(
        connect: ConnectLayer,
        resolver: SystemResolver,
        idle_timeout: Duration,
    ) -> Self {
        let connector = connect.layer(connector(resolver));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(idle_timeout)
            .build(connector);
        Self {
            client,
            proxies: None,
        }
    }

    /// The same, with the proxies of the environment to look out for.
    pub(super) fn beside_proxies(mut self) -> Self {
        self.proxies = Some(Arc::new(Matcher::from_system()));
        self
    }

    /// Whether a request to this address may go this way.
    pub(super) fn serves(&self, uri: &Uri) -> bool {
        let proxied = |proxies: &Arc<Matcher>| proxies.intercept(uri).is_some();
        uri.scheme_str() == Some("http") && !self.proxies.as_ref().is_some_and(proxied)
    }

    pub(super) fn send(
        &self,
        mut request: Request<Body>,
        host: Host,
    ) -> impl Future<Output = Result<Response<Body>, zcomm_core::Error>> + use<> {
        // What the layers tell each other is nothing to hyper, which has extensions of its own.
        *request.extensions_mut() = Extensions::new();
        if let Entry::Vacant(entry) = request.headers_mut().entry(ACCEPT) {
            entry.insert(HeaderValue::from_static("*/*"));
        }
        let answer = Decompression::new(&self.client).call(request);
        async move {
            match answer.await {
                Ok(answer) => Ok(answer.map(|body| {
                    Body::stream(body.map_err(move |error| failure::of_body(error, host.name())))
                })),
                Err(error) => Err(failure::of_request(error, host.name(), false)),
            }
        }
    }
}

/// Sockets with the options that reqwest gives its own.
fn connector(resolver: SystemResolver) -> HttpConnector<SystemResolver> {
    const KEEP_ALIVE: Duration = Duration::from_secs(15);

    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.set_nodelay(true);
    connector.set_keepalive(Some(KEEP_ALIVE));
    connector.set_keepalive_interval(Some(KEEP_ALIVE));
    connector.set_keepalive_retries(Some(3));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    connector.set_tcp_user_timeout(Some(Duration::from_secs(30)));
    connector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Plain {
        let limit = Duration::from_secs(1);
        let resolver = SystemResolver { public_only: false };
        Plain::new(ConnectLayer { default: limit }, resolver, limit)
    }

    #[tokio::test]
    async fn only_plain_http_goes_the_short_way() {
        assert!(plain().serves(&Uri::from_static("http://h/")));
        assert!(!plain().serves(&Uri::from_static("https://h/")));
    }

    #[tokio::test]
    async fn what_has_a_proxy_goes_the_long_way() {
        let proxies = Matcher::builder().http("http://proxy:3128").no("direct");
        let plain = Plain {
            proxies: Some(Arc::new(proxies.build())),
            ..plain()
        };

        assert!(!plain.serves(&Uri::from_static("http://h/")));
        assert!(plain.serves(&Uri::from_static("http://direct/")));
    }
}
