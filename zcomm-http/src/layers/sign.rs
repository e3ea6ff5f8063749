//! The layer that signs each attempt, and the trait that says how.

use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, BoxError, Credential};

use super::redirect::CrossOrigin;
use crate::call::host;
use crate::error::{Error, Place};

/// Signs outgoing requests: a token that has to be fresh, or a digest over what is sent.
///
/// The client asks it once per attempt, right before the request leaves, so that a date or a token is never stale. It
/// is not asked for a request that a redirect sent to another origin.
///
/// Implementors put no secret into their error, and mark header values that hold one as sensitive. Calls run
/// concurrently; a dropped future leaves nothing half done.
///
/// ```
/// use async_trait::async_trait;
/// use http::{HeaderValue, Request};
/// use zcomm_core::{Body, BoxError};
/// use zcomm_http::Signer;
///
/// /// Numbers what it is given.
/// struct Length;
///
/// #[async_trait]
/// impl Signer for Length {
///     async fn sign(&self, request: &mut Request<Body>) -> Result<(), BoxError> {
///         let length = request.body().as_bytes().map_or(0, <[u8]>::len);
///         request.headers_mut().insert("x-signed-length", HeaderValue::from(length));
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Signer: Send + Sync {
    /// Adds the signature.
    ///
    /// # Errors
    ///
    /// Why it cannot; the request is not sent then, and not retried.
    async fn sign(&self, request: &mut Request<Body>) -> Result<(), BoxError>;

    /// As whom it signs, for a cache: the same for the same credentials, whatever is signed with them.
    ///
    /// Unless an implementor says otherwise it cannot be told, and what is signed is not cached.
    fn credential(&self) -> Credential {
        Credential::Unknown
    }
}

/// Signs each attempt. It belongs innermost, right above the transport.
#[derive(Clone)]
pub struct SignLayer {
    signer: Arc<dyn Signer>,
}

impl SignLayer {
    /// Signs with this.
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Self { signer }
    }
}

impl std::fmt::Debug for SignLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SignLayer {
    type Service = Sign<S>;

    fn layer(&self, inner: S) -> Sign<S> {
        let signer = Arc::clone(&self.signer);
        Sign { inner, signer }
    }
}

/// The service that [`SignLayer`] makes.
#[derive(Clone)]
pub struct Sign<S> {
    inner: S,
    signer: Arc<dyn Signer>,
}

impl<S> std::fmt::Debug for Sign<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sign").finish_non_exhaustive()
    }
}

impl<S> Service<Request<Body>> for Sign<S>
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

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Signing comes first, so the inner service is waited for in the future.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let inner = self.inner.clone();
        if request.extensions().get::<CrossOrigin>().is_some() {
            return Box::pin(inner.oneshot(request));
        }
        let signer = Arc::clone(&self.signer);
        Box::pin(async move {
            if let Err(source) = signer.sign(&mut request).await {
                let at = Place::new(host(request.uri()));
                return Err(Error::Sign { at, source }.into());
            }
            inner.oneshot(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tower::service_fn;

    use super::*;

    struct Fixed(Result<&'static str, &'static str>);

    #[async_trait]
    impl Signer for Fixed {
        async fn sign(&self, request: &mut Request<Body>) -> Result<(), BoxError> {
            let value = HeaderValue::from_static(self.0?);
            request.headers_mut().insert("signature", value);
            Ok(())
        }
    }

    async fn signature(signer: Fixed, request: Request<Body>) -> Result<String, Error> {
        let echo = service_fn(async |request: Request<Body>| {
            let signature = request.headers().get("signature");
            let text = signature.map_or("none", |value| value.to_str().unwrap());
            Ok(Response::new(Body::from(text.to_owned())))
        });
        let answer = SignLayer::new(Arc::new(signer))
            .layer(echo)
            .oneshot(request);
        let answer = answer
            .await
            .map_err(|error| Error::from_stack(error, Place::new("?")))?;
        Ok(String::from_utf8(answer.body().as_bytes().unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_request_is_signed_unless_it_went_to_another_origin() {
        let mut elsewhere = Request::new(Body::empty());
        elsewhere.extensions_mut().insert(CrossOrigin);

        let signed = signature(Fixed(Ok("s")), Request::new(Body::empty())).await;
        let unsigned = signature(Fixed(Ok("s")), elsewhere).await;

        assert_eq!(
            (signed.unwrap(), unsigned.unwrap()),
            ("s".into(), "none".into())
        );
    }

    #[tokio::test]
    async fn what_cannot_be_signed_is_not_sent() {
        let request = Request::get("http://h/").body(Body::empty()).unwrap();

        let error = signature(Fixed(Err("no key")), request).await.unwrap_err();

        assert_eq!(error.to_string(), "the request to `h` could not be signed");
    }
}
