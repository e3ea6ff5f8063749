//! What is kept of a request while it is under way, so that it, or one much like it, can go out again. Sends nothing.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version};
use zcomm_core::Body;

use crate::call::Call;

/// A request without its body, and the body, too, unless that is a stream.
#[derive(Debug)]
pub(crate) struct Again {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    version: Version,
    extensions: Kept,
    body: Option<Body>,
}

/// Nearly every request carries the client's [`Call`] and nothing else, which takes less to keep than the map it is in.
#[derive(Debug)]
enum Kept {
    Call(Arc<Call>),
    All(Extensions),
}

impl Again {
    pub(super) fn of(request: &Request<Body>) -> Self {
        let extensions = request.extensions();
        let extensions = match Call::of(extensions) {
            Some(call) if extensions.len() == 1 => Kept::Call(Arc::clone(call)),
            _ => Kept::All(extensions.clone()),
        };
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            version: request.version(),
            extensions,
            body: request.body().try_clone(),
        }
    }

    pub(super) fn body(&self) -> Option<Body> {
        self.body.as_ref().and_then(Body::try_clone)
    }

    pub(super) fn extensions(&self) -> Extensions {
        match &self.extensions {
            Kept::All(extensions) => extensions.clone(),
            Kept::Call(call) => {
                let mut extensions = Extensions::new();
                extensions.insert(Arc::clone(call));
                extensions
            }
        }
    }

    /// The same request, unless its body is gone.
    pub(super) fn request(&self) -> Option<Request<Body>> {
        let mut request = Request::new(self.body()?);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions();
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);

    fn request() -> Request<Body> {
        let request = Request::put("http://h/x").header("x-a", "1");
        request.body(Body::from("data")).unwrap()
    }

    #[test]
    fn a_request_goes_out_again_with_all_that_it_carried() {
        let call = Arc::new(Call::default());
        for marked in [false, true] {
            let mut request = request();
            request.extensions_mut().insert(Arc::clone(&call));
            if marked {
                request.extensions_mut().insert(Mark(7));
            }

            let again = Again::of(&request).request().unwrap();

            assert_eq!(
                (again.method(), again.uri()),
                (request.method(), request.uri())
            );
            assert_eq!(again.headers(), request.headers());
            assert_eq!(again.body().as_bytes(), Some(&b"data"[..]));
            assert!(Arc::ptr_eq(Call::of(again.extensions()).unwrap(), &call));
            let mark = again.extensions().get::<Mark>();
            assert_eq!(mark.cloned(), marked.then_some(Mark(7)));
        }
    }

    #[test]
    fn a_stream_does_not_go_out_again() {
        let stream = Body::stream(http_body_util::Full::new(bytes::Bytes::from("x")));
        let request = request().map(|_| stream);

        assert!(Again::of(&request).request().is_none());
    }
}
