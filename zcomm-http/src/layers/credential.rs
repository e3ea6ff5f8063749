//! The layer that says as whom a request goes out, for a cache inside of it. Adds no credentials itself.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, DATE, DNT, EXPECT, HOST, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, ORIGIN, PRAGMA, RANGE,
    REFERER, TE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, Request};
use tower::{Layer, Service};
use zcomm_core::{Credential, Scope, SecretDigest, Transport};

use super::redirect::CrossOrigin;
use super::sign::Signer;

/// Headers that say what is wanted and how, but not who wants it.
const NEUTRAL: [HeaderName; 24] = [
    ACCEPT,
    ACCEPT_CHARSET,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    DATE,
    DNT,
    EXPECT,
    HOST,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    ORIGIN,
    PRAGMA,
    RANGE,
    REFERER,
    TE,
    USER_AGENT,
];

/// Sets the extension [`Scope::Credential`], under which an answer may be cached, and takes it away where it cannot say.
///
/// The scope is a digest over every header of the request that may say who one is, and over what the signer and the
/// transport say of themselves. A header that is not known to be neutral counts, so that a token in a header of an
/// application's own never lets one user see what another was answered. A request without credentials has a scope of
/// its own. The layer belongs outside the cache and inside redirects, which drop credentials on the way.
#[derive(Clone)]
pub struct CredentialLayer {
    transports: Arc<[Arc<dyn Transport>]>,
    signer: Option<Arc<dyn Signer>>,
}

impl CredentialLayer {
    /// For a stack with these transports, of which the first that serves a scheme is used, and this signer.
    pub fn new(
        transports: impl IntoIterator<Item = Arc<dyn Transport>>,
        signer: Option<Arc<dyn Signer>>,
    ) -> Self {
        let transports = transports.into_iter().collect();
        Self { transports, signer }
    }

    /// As whom the transport sends that the request will take.
    fn transport<B>(&self, request: &Request<B>) -> Credential {
        let scheme = request.uri().scheme_str().unwrap_or_default();
        let serves = |transport: &&Arc<dyn Transport>| transport.schemes().contains(&scheme);
        let transport = self.transports.iter().find(serves);
        transport.map_or(Credential::Unknown, |transport| transport.credential())
    }

    fn scope<B>(&self, request: &Request<B>) -> Option<Scope> {
        let crossed = request.extensions().get::<CrossOrigin>().is_some();
        let signer = self.signer.as_ref().filter(|_| !crossed);
        let signer = signer.map_or(Credential::None, |signer| signer.credential());
        let mut hasher = blake3::Hasher::new();
        for part in [self.transport(request), signer] {
            match part {
                Credential::None => hasher.update(&[0]),
                Credential::Digest(digest) => hasher.update(&[1]).update(digest.as_bytes()),
                _ => return None,
            };
        }
        add_headers(&mut hasher, request.headers());
        let digest = SecretDigest::from_bytes(*hasher.finalize().as_bytes());
        Some(Scope::Credential(digest))
    }
}

/// Adds the headers that count, in an order that does not depend on how they were set, each with its length.
fn add_headers(hasher: &mut blake3::Hasher, headers: &HeaderMap) {
    let counting = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || !is_neutral(name));
    let mut pairs: Vec<(&str, &[u8])> = counting
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    pairs.sort_by_key(|(name, _)| *name);
    for part in pairs
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value])
    {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
}

/// Whether a header says what is wanted and how, and not who wants it.
pub(crate) fn is_neutral(name: &HeaderName) -> bool {
    NEUTRAL.contains(name)
}

impl std::fmt::Debug for CredentialLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for CredentialLayer {
    type Service = Credentialed<S>;

    fn layer(&self, inner: S) -> Credentialed<S> {
        Credentialed {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`CredentialLayer`] makes.
#[derive(Clone, Debug)]
pub struct Credentialed<S> {
    inner: S,
    layer: CredentialLayer,
}

impl<S, B> Service<Request<B>> for Credentialed<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        match self.layer.scope(&request) {
            Some(scope) => request.extensions_mut().insert(scope),
            None => request.extensions_mut().remove::<Scope>(),
        };
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use async_trait::async_trait;
    use http::HeaderValue;
    use http::Uri;
    use tower::{ServiceExt, service_fn};
    use zcomm_core::{Body, BoxError, Channel, Error, Secret, TransportCx};

    use super::*;

    struct As(Credential);

    #[async_trait]
    impl Signer for As {
        async fn sign(&self, _: &mut Request<Body>) -> Result<(), BoxError> {
            Ok(())
        }

        fn credential(&self) -> Credential {
            self.0
        }
    }

    #[async_trait]
    impl Transport for As {
        fn schemes(&self) -> &[&str] {
            &["http"]
        }

        async fn open(&self, _: &Uri, _: &TransportCx) -> Result<Channel, Error> {
            unreachable!("nothing is sent here")
        }

        fn credential(&self) -> Credential {
            self.0
        }
    }

    fn layer(transport: Credential, signer: Option<Credential>) -> CredentialLayer {
        let signer = signer.map(|signer| Arc::new(As(signer)) as Arc<dyn Signer>);
        CredentialLayer::new([Arc::new(As(transport)) as Arc<dyn Transport>], signer)
    }

    fn key(secret: &str) -> Credential {
        Credential::Digest(Secret::from(secret).digest())
    }

    fn plain() -> CredentialLayer {
        layer(Credential::None, None)
    }

    fn scope(layer: &CredentialLayer, headers: &[(&'static str, &'static str)]) -> Option<Scope> {
        let mut request = Request::get("http://h/").body(()).unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(*name, value);
        }
        layer.scope(&request)
    }

    #[test]
    fn whatever_may_say_who_one_is_makes_a_scope_of_its_own() {
        let plain = plain();
        let scopes = [
            scope(&plain, &[]),
            scope(&plain, &[("authorization", "Bearer a")]),
            scope(&plain, &[("authorization", "Bearer b")]),
            scope(&plain, &[("cookie", "Bearer a")]),
            scope(&plain, &[("x-tenant", "1")]),
            scope(&plain, &[("x-a", "1"), ("x-b", "2")]),
            scope(&plain, &[("x-a", "1x-b2")]),
            scope(&layer(key("a"), None), &[]),
            scope(&layer(Credential::None, Some(key("a"))), &[]),
        ];

        for (place, one) in scopes.iter().enumerate() {
            assert!(one.is_some(), "{place}");
            assert!(!scopes[place + 1..].contains(one), "{place}");
        }
    }

    #[test]
    fn neutral_headers_and_their_order_make_no_difference() {
        let plain = plain();

        assert_eq!(
            scope(&plain, &[("accept", "a"), ("range", "bytes=0-1")]),
            scope(&plain, &[])
        );
        assert_eq!(
            scope(&plain, &[("x-a", "1"), ("x-b", "2")]),
            scope(&plain, &[("x-b", "2"), ("x-a", "1")])
        );
    }

    #[test]
    fn a_part_that_cannot_say_leaves_no_scope() {
        let jar = layer(Credential::Unknown, None);
        let signed = layer(Credential::None, Some(Credential::Unknown));

        assert_eq!((scope(&jar, &[]), scope(&signed, &[])), (None, None));
    }

    #[test]
    fn of_several_transports_the_one_that_will_serve_the_scheme_counts() {
        let transports = [key("first"), Credential::Unknown];
        let transports = transports.map(|one| Arc::new(As(one)) as Arc<dyn Transport>);
        let both = CredentialLayer::new(transports, None);
        let mut elsewhere = Request::get("https://h/").body(()).unwrap();

        assert_eq!(scope(&both, &[]), scope(&layer(key("first"), None), &[]));
        assert_eq!(both.scope(&elsewhere), None);
        *elsewhere.uri_mut() = Uri::from_static("http://h/");
        assert_eq!(both.scope(&elsewhere), scope(&both, &[]));
    }

    #[test]
    fn a_signer_is_left_out_where_it_does_not_sign() {
        let signed = layer(Credential::None, Some(key("a")));
        let mut elsewhere = Request::get("http://h/").body(()).unwrap();
        elsewhere.extensions_mut().insert(CrossOrigin);

        assert_eq!(signed.scope(&elsewhere), scope(&plain(), &[]));
    }

    /// The scope that the inner service finds, if the request came with `before`.
    async fn scope_inside(layer: CredentialLayer, before: Option<Scope>) -> Option<Scope> {
        let found = service_fn(async |request: Request<()>| {
            let scope = request.extensions().get::<Scope>().cloned();
            Ok::<_, Infallible>(scope)
        });
        let mut request = Request::get("http://h/").body(()).unwrap();
        if let Some(before) = before {
            request.extensions_mut().insert(before);
        }
        layer.layer(found).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_inside_finds_the_scope_of_each_request() {
        let anonymous = scope(&plain(), &[]);
        let other = scope(&layer(key("a"), None), &[]);
        let unknown = || layer(Credential::Unknown, None);

        assert_eq!(scope_inside(plain(), None).await, anonymous);
        assert_eq!(scope_inside(unknown(), None).await, None);
        // Whatever scope a request came with, only this layer's holds inside.
        assert_eq!(scope_inside(plain(), other.clone()).await, anonymous);
        assert_eq!(scope_inside(unknown(), other).await, None);
    }
}
