//! The layer that follows redirects, and takes along only what the next host may see.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri};
use tower::{Layer, Service, ServiceExt};
use zcomm_core::Body;

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
/// From https to http it never goes. To another origin (scheme, host or port) no credentials go along: `Authorization`,
/// cookies, API keys, and whatever is marked as sensitive. A 303, and a POST answered 301 or 302, goes on as a GET
/// without body; a 307 or 308 to a request whose body is a stream is returned, since the stream is gone. It belongs
/// inside the total time and outside everything that is about one address: each hop has its own retries and limits.
#[derive(Clone, Copy, Debug)]
pub struct RedirectLayer {
    most: usize,
}

impl RedirectLayer {
    /// Follows at most so many redirects; with zero they are answers like any other.
    pub const fn new(most: usize) -> Self {
        Self { most }
    }
}

impl<S> Layer<S> for RedirectLayer {
    type Service = Redirected<S>;

    fn layer(&self, inner: S) -> Redirected<S> {
        Redirected {
            inner,
            most: self.most,
        }
    }
}

/// The service that [`RedirectLayer`] makes.
#[derive(Clone, Debug)]
pub struct Redirected<S> {
    inner: S,
    most: usize,
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
    type Future = BoxFuture<'static, Result<Response<Body>, zcomm_core::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let own = Call::of(request.extensions()).and_then(|call| call.redirects);
        let most = own.unwrap_or(self.most);
        // The inner service that is ready is the one to call; a clone of it takes its place.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        if most == 0 {
            return Box::pin(inner.oneshot(request));
        }
        Box::pin(follow(inner, request, most))
    }
}

async fn follow<S>(
    mut inner: S,
    mut request: Request<Body>,
    most: usize,
) -> Result<Response<Body>, zcomm_core::Error>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>,
{
    let mut trail = Trail::default();
    loop {
        let hop = Hop::before(&request);
        let answer = inner.ready().await?.call(request).await?;
        request = match hop.after(&answer)? {
            Some(next) => next,
            None => return Ok(trail.mark(answer, hop.uri)),
        };
        trail.add(hop, &request, &answer, most)?;
    }
}

/// Where a call has been.
#[derive(Default)]
struct Trail {
    seen: Vec<(Method, Uri)>,
}

impl Trail {
    fn add(
        &mut self,
        from: Hop,
        next: &Request<Body>,
        answer: &Response<Body>,
        limit: usize,
    ) -> Result<(), Error> {
        let at = Place::new(host(&from.uri));
        self.seen.push((from.method, from.uri));
        if self.seen.len() > limit {
            return Err(Error::TooManyRedirects { at, limit });
        }
        let seen = |(method, uri): &(Method, Uri)| method == next.method() && uri == next.uri();
        // With a cookie that was just set, the same address may answer otherwise.
        if self.seen.iter().any(seen) && !answer.headers().contains_key(SET_COOKIE) {
            let target = Redacted(next.uri()).to_string();
            return Err(Error::RedirectLoop { at, target });
        }
        Ok(())
    }

    /// Says in the answer where it came from, if that is not what was asked.
    fn mark(&self, mut answer: Response<Body>, uri: Uri) -> Response<Body> {
        if !self.seen.is_empty() {
            answer.extensions_mut().insert(AnsweredBy(uri));
        }
        answer
    }
}

/// One request of a call, as far as the next one needs it.
struct Hop {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    extensions: http::Extensions,
    again: Option<Body>,
}

impl Hop {
    fn before(request: &Request<Body>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            extensions: request.extensions().clone(),
            again: request.body().try_clone(),
        }
    }

    /// The request that an answer asks for, if it asks for one.
    fn after(&self, answer: &Response<Body>) -> Result<Option<Request<Body>>, Error> {
        let Some(location) = redirect_of(answer) else {
            return Ok(None);
        };
        let target = self.target(location)?;
        let (method, keeps_body) = self.method_after(answer.status());
        let body = match keeps_body {
            true => self.again.as_ref().and_then(Body::try_clone),
            false => Some(Body::empty()),
        };
        let Some(body) = body else {
            return Ok(None);
        };
        let mut next = Request::new(body);
        *next.method_mut() = method;
        *next.headers_mut() = self.headers.clone();
        *next.extensions_mut() = self.extensions.clone();
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

fn drop_credentials(headers: &mut HeaderMap) {
    let secret: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || is_credential(name))
        .map(|(name, _)| name.clone())
        .collect();
    for name in secret {
        headers.remove(name);
    }
}

/// Whether a header's values say who one is.
pub(crate) fn is_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
        || matches!(
            name.as_str(),
            "x-api-key" | "api-key" | "x-auth-token" | "x-access-token" | "x-csrf-token"
        )
}

#[cfg(test)]
mod tests;
