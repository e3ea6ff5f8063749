//! The client: a stack of layers over a transport, shared by its clones, and the verbs that begin a request.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, RANGE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response as Answer, Uri};
use serde::Serialize;
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, BoxService, Transport};

use crate::call::Call;
use crate::error::Error;
use crate::params::Params;
use crate::request::RequestBuilder;
use crate::response::{At, Response};

pub use builder::HttpClientBuilder;
use builder::Outer;

/// An HTTP client. Clones are cheap, and share connections and what is known about hosts.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use serde_json::Value;
/// use zcomm_http::{HttpClient, mock::MockTransport};
///
/// let client = HttpClient::new(MockTransport::echo().transport());
/// let answer = client.http_get("https://httpbin.org/get", [("demo", "zcomm")]).await.unwrap();
/// assert_eq!(answer.json::<Value>().await.unwrap()["args"]["demo"], "zcomm");
/// # });
/// ```
#[derive(Clone)]
pub struct HttpClient {
    shared: Arc<Shared>,
}

struct Shared {
    stack: BoxService,
    /// What of the stack is inside of redirects, and what is put around it.
    inner: BoxService,
    outer: Outer,
    headers: HeaderMap,
    max_body: usize,
}

/// Where an answer came from, if a redirect led elsewhere than the request said.
#[derive(Clone, Debug)]
pub(crate) struct AnsweredBy(pub(crate) Uri);

impl HttpClient {
    /// A client with the defaults that [`HttpClientBuilder`] names, over this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::builder().transport(transport).assemble()
    }

    /// A client that differs from the defaults.
    pub fn builder() -> HttpClientBuilder {
        HttpClientBuilder::default()
    }

    /// The same client with one more layer, in the place that [`HttpClientBuilder::layer`] describes: around those that
    /// it has already.
    ///
    /// Both share connections and what is known about hosts. The other one does not get the layer.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use http::{HeaderValue, Request};
    /// use tower::util::MapRequestLayer;
    /// use zcomm_core::Body;
    /// use zcomm_http::{HttpClient, mock::MockTransport};
    ///
    /// let mock = MockTransport::echo();
    /// let client = HttpClient::new(mock.transport());
    /// let tagged = client.layer(MapRequestLayer::new(|mut request: Request<Body>| {
    ///     request.headers_mut().insert("x-app", HeaderValue::from_static("shop"));
    ///     request
    /// }));
    ///
    /// tagged.get("https://api.example/").send().await.unwrap();
    /// assert_eq!(mock.requests()[0].headers["x-app"], "shop");
    /// # });
    /// ```
    #[must_use = "the client itself stays as it is"]
    pub fn layer<L>(&self, layer: L) -> Self
    where
        L: Layer<BoxService>,
        L::Service: Service<Request<Body>, Response = Answer<Body>, Error = zcomm_core::Error>
            + Clone
            + Send
            + Sync
            + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        let inner = BoxService::new(layer.layer(self.shared.inner.clone()));
        let outer = self.shared.outer.clone();
        Self {
            shared: Arc::new(Shared {
                stack: outer.around_layers(inner.clone()),
                inner,
                outer,
                headers: self.shared.headers.clone(),
                max_body: self.shared.max_body,
            }),
        }
    }

    /// Begins a request with any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url.as_ref())
    }

    /// Begins a GET.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Begins a POST.
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Begins a PUT.
    pub fn put(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// Begins a PATCH.
    pub fn patch(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// Begins a DELETE.
    pub fn delete(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    /// Begins a HEAD.
    pub fn head(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// Begins an OPTIONS.
    pub fn options(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::OPTIONS, url)
    }

    /// Begins a GET with parameters; `()` for none. Add `.ok()` for nothing instead of an error.
    pub fn http_get(&self, url: impl AsRef<str>, params: impl Params) -> RequestBuilder {
        self.get(url).query(params)
    }

    /// Begins a POST of a value as JSON.
    pub fn http_post<T: Serialize + ?Sized>(
        &self,
        url: impl AsRef<str>,
        data: &T,
    ) -> RequestBuilder {
        self.post(url).json(data)
    }

    /// Begins a PUT of a value as JSON.
    pub fn http_put<T: Serialize + ?Sized>(
        &self,
        url: impl AsRef<str>,
        data: &T,
    ) -> RequestBuilder {
        self.put(url).json(data)
    }

    /// Begins a PATCH with a value as JSON.
    pub fn http_patch<T: Serialize + ?Sized>(
        &self,
        url: impl AsRef<str>,
        data: &T,
    ) -> RequestBuilder {
        self.patch(url).json(data)
    }

    /// Begins a DELETE.
    pub fn http_delete(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.delete(url)
    }

    /// The stack as a service, for requests that were put together elsewhere.
    pub fn service(&self) -> BoxService {
        self.shared.stack.clone()
    }

    pub(crate) async fn execute(
        &self,
        mut request: Request<Body>,
        max_body: Option<usize>,
    ) -> Result<Response, Error> {
        self.add_headers(request.headers_mut());
        complete(&mut request);
        let call = Call::of(request.extensions()).cloned().unwrap_or_default();
        let uri = request.uri().clone();
        let start = Instant::now();

        let answer = self.service().oneshot(request).await;
        let answer = answer.map_err(|error| Error::from_stack(error, call.place(&uri)))?;

        let (mut head, body) = answer.into_parts();
        let url = head
            .extensions
            .remove::<AnsweredBy>()
            .map_or(uri, |by| by.0);
        Ok(Response {
            elapsed: start.elapsed(),
            max_body: max_body.unwrap_or(self.shared.max_body),
            at: At {
                url,
                attempts: call.attempts(),
            },
            head,
            body,
        })
    }

    /// Adds the client's headers where the request has none of that name.
    fn add_headers(&self, headers: &mut HeaderMap) {
        for name in self.shared.headers.keys() {
            if headers.contains_key(name) {
                continue;
            }
            for value in self.shared.headers.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
    }
}

/// Adds what the rest of a request implies.
fn complete(request: &mut Request<Body>) {
    let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    let empty = request.body().as_bytes().is_some_and(<[u8]>::is_empty);
    let headers = request.headers_mut();
    if takes_body && empty && !headers.contains_key(TRANSFER_ENCODING) {
        // Some servers answer 411 where nothing says that there is no body (RFC 9110 §8.6).
        let none = HeaderValue::from_static("0");
        headers.entry(CONTENT_LENGTH).or_insert(none);
    }
    if headers.contains_key(RANGE) {
        // The range would be one of the compressed form, which cannot be read from its middle.
        let plain = HeaderValue::from_static("identity");
        headers.entry(ACCEPT_ENCODING).or_insert(plain);
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("max_body", &self.shared.max_body)
            .finish_non_exhaustive()
    }
}
