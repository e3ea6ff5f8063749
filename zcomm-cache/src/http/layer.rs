//! The layer that answers an HTTP request from what its server allowed to keep, or asks whether it still holds.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{
    CACHE_CONTROL, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_cache_semantics::{AfterResponse, CacheOptions, CachePolicy};
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, CacheKey, Error, Scope};

use super::body::Collecting;
use super::variants::{Variant, Variants, Verdict};
use crate::store::{Account, Entry, Epoch, Kept, New, Store};

/// As a private cache does it; how long an answer holds is for its server to say, never guessed.
const OPTIONS: CacheOptions = CacheOptions {
    shared: false,
    cache_heuristic: 0.0,
    immutable_min_time_to_live: std::time::Duration::ZERO,
    ignore_cargo_cult: false,
};

/// Keeps what servers elsewhere answer, as RFC 9111 allows a private cache: `Cache-Control`, `Expires`, `Vary`,
/// validators. [`Cache::http_layer`](crate::Cache::http_layer) makes it.
///
/// Only requests that carry a [`Scope`] are answered from it, so two credentials never share an answer. Its place is
/// inside of what says as whom a request goes out, and outside of retries and limits.
#[derive(Clone, Debug)]
pub struct HttpCacheLayer {
    store: Arc<Store>,
}

impl HttpCacheLayer {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

impl<S> Layer<S> for HttpCacheLayer {
    type Service = HttpCached<S>;

    fn layer(&self, inner: S) -> HttpCached<S> {
        HttpCached {
            inner,
            store: Arc::clone(&self.store),
        }
    }
}

/// The service that [`HttpCacheLayer`] makes.
#[derive(Clone, Debug)]
pub struct HttpCached<S> {
    inner: S,
    store: Arc<Store>,
}

impl<S> Service<Request<Body>> for HttpCached<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(place) = Place::of(&self.store, &request) else {
            return Box::pin(self.inner.call(request));
        };
        // The clone takes the place of the service that `poll_ready` made ready.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        Box::pin(place.answer(ready, request))
    }
}

/// Where the answers to a request are kept.
struct Place {
    store: Arc<Store>,
    account: Arc<Account>,
    epoch: Epoch,
    key: CacheKey,
}

impl Place {
    /// Nothing for a request that says not as whom it goes out.
    fn of(store: &Arc<Store>, request: &Request<Body>) -> Option<Self> {
        let scope = request.extensions().get::<Scope>()?;
        let account = store.accounts().of(scope);
        let key = CacheKey::builder(scope).field("http", request.uri().to_string());
        Some(Self {
            store: Arc::clone(store),
            epoch: store.accounts().epoch(&account),
            account,
            key: key.finish(),
        })
    }

    async fn answer<S>(self, inner: S, request: Request<Body>) -> Result<Response<Body>, Error>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone,
    {
        if request.method().is_safe() && !is_plain_get(&request) {
            return inner.oneshot(request).await;
        }
        if request.method() != Method::GET {
            let response = inner.oneshot(request).await?;
            self.changed(response.status());
            return Ok(response);
        }
        match self.variants().judge(&request) {
            Verdict::Fresh(response) => {
                self.account.counters().hit();
                Ok(response)
            }
            _ if wants_only_kept(&request) => Ok(not_kept()),
            Verdict::Stale(variant, head) => self.revalidate(inner, request, variant, *head).await,
            Verdict::Nothing => self.fetch(inner, request).await,
        }
    }

    /// What was changed at an address is no longer what was kept of it (RFC 9111 §4.4).
    fn changed(&self, status: StatusCode) {
        if (status.is_success() || status.is_redirection())
            && let Some(entry) = self.found()
        {
            self.store.drop_entry(&self.key, &entry);
        }
    }

    fn found(&self) -> Option<Arc<Entry>> {
        self.store.find(&self.key, self.account.scope())
    }

    fn variants(&self) -> Variants {
        match self.found().as_deref().map(|entry| &entry.kept) {
            Some(Kept::Http(variants)) => variants.clone(),
            _ => Variants::default(),
        }
    }

    async fn fetch<S>(self, inner: S, request: Request<Body>) -> Result<Response<Body>, Error>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
    {
        self.account.counters().miss();
        let asked = head_of(&request);
        let response = inner.oneshot(request).await?;
        let policy = CachePolicy::new_options(&asked, &response, SystemTime::now(), OPTIONS);
        Ok(self.kept_while_read(asked, policy, response))
    }

    /// Asks the server whether an answer still holds (RFC 9111 §4.3).
    async fn revalidate<S>(
        self,
        inner: S,
        request: Request<Body>,
        variant: Arc<Variant>,
        head: Parts,
    ) -> Result<Response<Body>, Error>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone,
    {
        let asked = head_of(&request);
        let mut conditional = again(&asked);
        *conditional.headers_mut() = head.headers;
        let again_inner = inner.clone();
        let response = inner.oneshot(conditional).await?;
        let now = SystemTime::now();
        match variant.policy.after_response(&asked, &response, now) {
            AfterResponse::NotModified(policy, head) => {
                self.account.counters().miss();
                let answer = variant.answer(head);
                let new = Variant::new(policy, answer.headers(), variant.body.clone());
                self.keep(new, &asked);
                Ok(answer)
            }
            // It speaks of an answer that is not here, so there is nothing to show for it.
            AfterResponse::Modified(..) if response.status() == StatusCode::NOT_MODIFIED => {
                self.fetch(again_inner, again(&asked)).await
            }
            AfterResponse::Modified(..) => {
                self.account.counters().miss();
                let policy = CachePolicy::new_options(&asked, &response, now, OPTIONS);
                Ok(self.kept_while_read(asked, policy, response))
            }
        }
    }

    /// The response, which is kept once it was read to its end.
    fn kept_while_read(
        self,
        asked: Parts,
        policy: CachePolicy,
        response: Response<Body>,
    ) -> Response<Body> {
        let limit = self.store.largest();
        let announced = response.body().size_hint().lower();
        if !policy.is_storable() || announced > limit as u64 {
            return response;
        }
        let (head, body) = response.into_parts();
        let headers = head.headers.clone();
        let keep = move |body: Bytes| self.keep(Variant::new(policy, &headers, body), &asked);
        let body = match body.try_clone().and_then(Body::into_bytes) {
            Some(bytes) => {
                keep(bytes);
                body
            }
            None => Body::stream(Collecting::new(body, limit, Box::new(keep))),
        };
        Response::from_parts(head, body)
    }

    fn keep(&self, new: Option<Variant>, asked: &Parts) {
        let Some(new) = new else { return };
        let variants = self.variants().with(new, asked);
        let new = New {
            account: Arc::clone(&self.account),
            epoch: self.epoch,
            lifetime: variants.lifetime(),
            kept: Kept::Http(variants),
        };
        self.store.put(Arc::new(self.key.clone()), new);
    }
}

/// A whole resource, asked for without conditions of the application's own.
fn is_plain_get(request: &Request<Body>) -> bool {
    let own = [
        RANGE,
        IF_RANGE,
        IF_MATCH,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
        IF_UNMODIFIED_SINCE,
    ];
    *request.method() == Method::GET
        && request.body().is_end_stream()
        && own.iter().all(|name| !request.headers().contains_key(name))
}

fn wants_only_kept(request: &Request<Body>) -> bool {
    let values = request.headers().get_all(CACHE_CONTROL).iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|word| word.trim().eq_ignore_ascii_case("only-if-cached"))
}

/// RFC 9111 §5.2.1.7.
fn not_kept() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response
}

fn head_of(request: &Request<Body>) -> Parts {
    again_of(request).into_parts().0
}

/// The same request once more; it has no body.
fn again(head: &Parts) -> Request<Body> {
    Request::from_parts(head.clone(), Body::empty())
}

fn again_of(request: &Request<Body>) -> Request<Body> {
    let mut same = Request::new(Body::empty());
    *same.method_mut() = request.method().clone();
    *same.uri_mut() = request.uri().clone();
    *same.version_mut() = request.version();
    *same.headers_mut() = request.headers().clone();
    *same.extensions_mut() = request.extensions().clone();
    same
}
