//! The layer that follows redirects, and takes along only what the next host may see.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri};
use pin_project_lite::pin_project;
use tower::{Layer, Service, ServiceExt};
use zcomm_core::Body;

use super::again::Again;
use super::credential::is_neutral;
use crate::address;
use crate::call::{Call, host};
use crate::client::AnsweredBy;
use crate::error::{Error, Place};
use crate::redact::Redacted;

/// Marks a request that a redirect sent to another origin: whatever would add credentials leaves it alone.
#[derive(Clone, Copy, Debug)]
pub struct CrossOrigin;

/// Follows redirects.
///
/// From https to http it never goes. To another origin (scheme, host or port) no credentials go along, and since those may
/// be in a header of any name, none does that is not a standard one without them: `Accept…`, `Content-…`, `If-…`, `Range`,
/// `User-Agent`, `Cache-Control`, `Referer`, `Traceparent`, `Idempotency-Key`, `X-Request-Id` and the like. What is marked as
/// sensitive stays behind, whatever its name. A 303, and a POST answered 301 or 302, goes on as a GET
/// without body; a 307 or 308 to a request whose body is a stream is returned, since the stream is gone. It belongs
/// inside the total time and outside everything that is about one address: each hop has its own retries and limits.
#[derive(Clone, Copy, Debug)]
pub struct RedirectLayer {
    most: usize,
    shares: bool,
}

impl RedirectLayer {
    /// Follows at most so many redirects; with zero they are answers like any other.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            shares: false,
        }
    }

    /// Lets the retry layer use what is kept of each request here, since nothing in between changes it.
    pub(crate) const fn sharing(mut self, shares: bool) -> Self {
        self.shares = shares;
        self
    }

    /// What is kept of a request until its answer is there.
    fn before(&self, request: &Request<Body>) -> Arc<Again> {
        let again = Arc::new(Again::of(request));
        if let Some(call) = Call::of(request.extensions()).filter(|_| self.shares) {
            call.keep(&again);
        }
        again
    }
}

impl<S> Layer<S> for RedirectLayer {
    type Service = Redirected<S>;

    fn layer(&self, inner: S) -> Redirected<S> {
        Redirected {
            inner,
            layer: *self,
        }
    }
}

/// The service that [`RedirectLayer`] makes.
#[derive(Clone, Debug)]
pub struct Redirected<S> {
    inner: S,
    layer: RedirectLayer,
}

impl<S> Service<Request<Body>> for Redirected<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = zcomm_core::Error;
    type Future = RedirectedFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let own = Call::of(request.extensions()).and_then(|call| call.redirects);
        let most = own.unwrap_or(self.layer.most);
        let route = (most > 0).then(|| Route {
            inner: self.inner.clone(),
            layer: RedirectLayer { most, ..self.layer },
            hop: self.layer.before(&request),
            seen: Vec::new(),
        });
        RedirectedFuture {
            first: self.inner.call(request),
            route,
            further: None,
        }
    }
}

pin_project! {
    /// The future that [`Redirected`] returns.
    pub struct RedirectedFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        first: S::Future,
        // Taken when the first answer is there.
        route: Option<Route<S>>,
        // Boxed, as nearly every call ends where it began.
        further: Option<BoxFuture<'static, Result<Response<Body>, zcomm_core::Error>>>,
    }
}

impl<S: Service<Request<Body>>> fmt::Debug for RedirectedFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedirectedFuture").finish_non_exhaustive()
    }
}

impl<S> Future for RedirectedFuture<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>
        + Send
        + 'static,
    S::Future: Send,
{
    type Output = Result<Response<Body>, zcomm_core::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(further) = this.further {
            return further.as_mut().poll(cx);
        }
        let answer = ready!(this.first.poll(cx))?;
        let route = this.route.take();
        match route.filter(|_| redirect_of(&answer).is_some()) {
            None => Poll::Ready(Ok(answer)),
            Some(route) => {
                let further = this.further.insert(Box::pin(route.follow(answer)));
                further.as_mut().poll(cx)
            }
        }
    }
}

/// Where a call is, where it has been, and how it goes on.
struct Route<S> {
    inner: S,
    layer: RedirectLayer,
    hop: Arc<Again>,
    seen: Vec<(Method, Uri)>,
}

impl<S> Route<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>,
{
    async fn follow(
        mut self,
        mut answer: Response<Body>,
    ) -> Result<Response<Body>, zcomm_core::Error> {
        while let Some(next) = self.hop.after(&answer)? {
            self.leave_for(&next, &answer)?;
            // The answer's body holds a connection, and a place with its host.
            drop(answer);
            self.hop = self.layer.before(&next);
            answer = self.inner.ready().await?.call(next).await?;
        }
        // Says where the answer came from, if that is not what was asked.
        if !self.seen.is_empty() {
            let by = AnsweredBy(self.hop.uri.clone());
            answer.extensions_mut().insert(by);
        }
        Ok(answer)
    }

    fn leave_for(&mut self, next: &Request<Body>, answer: &Response<Body>) -> Result<(), Error> {
        let at = || Place::new(host(&self.hop.uri));
        let limit = self.layer.most;
        let from = (self.hop.method.clone(), self.hop.uri.clone());
        self.seen.push(from);
        if self.seen.len() > limit {
            return Err(Error::TooManyRedirects { at: at(), limit });
        }
        let seen = |(method, uri): &(Method, Uri)| method == next.method() && uri == next.uri();
        // With a cookie that was just set, the same address may answer otherwise.
        if self.seen.iter().any(seen) && !answer.headers().contains_key(SET_COOKIE) {
            let target = Redacted(next.uri()).to_string();
            return Err(Error::RedirectLoop { at: at(), target });
        }
        Ok(())
    }
}

impl Again {
    /// The request that an answer asks for, if it asks for one.
    fn after(&self, answer: &Response<Body>) -> Result<Option<Request<Body>>, Error> {
        let Some(location) = redirect_of(answer) else {
            return Ok(None);
        };
        let target = self.target(location)?;
        let (method, keeps_body) = self.method_after(answer.status());
        let body = match keeps_body {
            true => self.body(),
            false => Some(Body::empty()),
        };
        let Some(body) = body else {
            return Ok(None);
        };
        let mut next = Request::new(body);
        *next.method_mut() = method;
        *next.headers_mut() = self.headers.clone();
        *next.extensions_mut() = self.extensions();
        if !keeps_body {
            drop_body_headers(next.headers_mut());
        }
        if origin(&target) != origin(&self.uri) {
            drop_credentials(next.headers_mut());
            next.extensions_mut().insert(CrossOrigin);
        }
        *next.uri_mut() = target;
        Ok(Some(next))
    }

    fn target(&self, location: &http::HeaderValue) -> Result<Uri, Error> {
        let text = std::str::from_utf8(location.as_bytes()).map_err(Into::into);
        let target = text.and_then(|text| address::join(&self.uri, text));
        let at = Place::new(host(&self.uri));
        let target = match target {
            Ok(target) => target,
            Err(source) => return Err(Error::BadRedirect { at, source }),
        };
        if self.uri.scheme_str() == Some("https") && target.scheme_str() != Some("https") {
            let target = Redacted(&target).to_string();
            return Err(Error::InsecureRedirect { at, target });
        }
        Ok(target)
    }

    /// The method of the next request, and whether the body goes along.
    fn method_after(&self, status: StatusCode) -> (Method, bool) {
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            return (Method::GET, false);
        }
        (self.method.clone(), true)
    }
}

fn redirect_of(answer: &Response<Body>) -> Option<&http::HeaderValue> {
    let redirects = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    redirects.then(|| answer.headers().get(LOCATION)).flatten()
}

fn origin(uri: &Uri) -> (Option<&str>, Option<&str>, Option<u16>) {
    let default = match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    };
    (uri.scheme_str(), uri.host(), uri.port_u16().or(default))
}

fn drop_body_headers(headers: &mut HeaderMap) {
    for name in [
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_LENGTH,
        CONTENT_LOCATION,
        CONTENT_TYPE,
        TRANSFER_ENCODING,
    ] {
        headers.remove(name);
    }
}

/// Drops whatever is not known to be none: a credential may be in a header of any name.
fn drop_credentials(headers: &mut HeaderMap) {
    let secret: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || !goes_along(name))
        .map(|(name, _)| name.clone())
        .collect();
    for name in secret {
        headers.remove(name);
    }
}

/// Whether a header may go to another origin: it is a standard one, and says nothing about who one is.
fn goes_along(name: &HeaderName) -> bool {
    // The host that was named is not the one that is asked next.
    let neutral = is_neutral(name) && name != HOST;
    let text = name.as_str();
    neutral
        || text.starts_with("accept-")
        || text.starts_with("content-")
        || matches!(
            text,
            "idempotency-key"
                | "prefer"
                | "priority"
                | "traceparent"
                | "tracestate"
                | "upgrade-insecure-requests"
                | "x-correlation-id"
                | "x-request-id"
                | "x-requested-with"
        )
}

/// Whether a header's values are known to say who one is, so that they are marked as sensitive.
pub(crate) fn is_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
        || matches!(
            name.as_str(),
            "x-api-key" | "api-key" | "x-auth-token" | "x-access-token" | "x-csrf-token"
        )
}

#[cfg(test)]
mod tests;
