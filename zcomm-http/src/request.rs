//! A request while it is put together, and the call that sends it.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_core::Stream;
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use serde::Serialize;
use zcomm_core::{Body, BoxError, Deadline, Secret};

use crate::address::{Address, UserInfo, form_encoded};
use crate::call::Call;
use crate::client::HttpClient;
use crate::error::{Error, Format};
use crate::layers::retry::Retry;
use crate::params::Params;
use crate::redact::RedactedHeaders;
use crate::response::Response;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request while it is put together.
///
/// The first thing that is wrong with it is what [`send`](Self::send) returns; until then nothing is checked twice, and
/// nothing is sent.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use std::time::Duration;
/// use serde_json::{Value, json};
/// use zcomm_http::{HttpClient, mock::MockTransport};
///
/// let mock = MockTransport::echo();
/// let client = HttpClient::new(mock.transport());
/// let answer = client
///     .post("https://api.example/users")
///     .query([("page", 2)])
///     .bearer("s3cr3t")
///     .json(&json!({"name": "Ada"}))
///     .timeout(Duration::from_secs(5))
///     .send()
///     .await
///     .unwrap();
/// assert_eq!(answer.json::<Value>().await.unwrap()["json"]["name"], "Ada");
/// # });
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    client: HttpClient,
    method: Method,
    address: Result<Address, Error>,
    headers: HeaderMap,
    body: Body,
    total: Option<Duration>,
    max_body: Option<usize>,
    call: Call,
    flaw: Option<Error>,
}

impl RequestBuilder {
    pub(crate) fn new(client: HttpClient, method: Method, url: &str) -> Self {
        let (address, user) = match Address::parse(url) {
            Ok((address, user)) => (Ok(address), user),
            Err(error) => (Err(error), None),
        };
        let request = Self {
            client,
            method,
            address,
            headers: HeaderMap::new(),
            body: Body::empty(),
            total: None,
            max_body: None,
            call: Call::default(),
            flaw: None,
        };
        match user {
            Some((name, password)) => request.basic(&name, password),
            None => request,
        }
    }

    /// Adds parameters to the address.
    pub fn query(mut self, params: impl Params) -> Self {
        if let Ok(address) = &mut self.address {
            address.extend_query(&params.into_pairs());
        }
        self
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.typed_body("application/json", bytes),
            Err(error) => self.flawed(Error::Encode {
                format: Format::Json,
                source: error.into(),
            }),
        }
    }

    /// Sends names with values as an HTML form does.
    pub fn form(self, params: impl Params) -> Self {
        let body = form_encoded(&params.into_pairs());
        self.typed_body("application/x-www-form-urlencoded", body)
    }

    /// Sends a form with files in it.
    pub fn multipart(mut self, form: crate::Form) -> Self {
        match form.encode() {
            Ok((content_type, body)) => {
                // The boundary is part of the type, so no other type will do.
                self.headers.insert(CONTENT_TYPE, content_type);
                self.body(body)
            }
            Err(error) => self.flawed(error),
        }
    }

    /// Sends bytes, text, or a [`Body`].
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends what a stream yields, as it yields it. Such a request is never sent twice.
    pub fn stream<S, E>(self, stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.body(Body::stream(StreamBody::new(stream.map_ok(Frame::data))))
    }

    /// Adds a header.
    ///
    /// A name or value that HTTP does not allow makes the request fail: a line break in a value would smuggle in
    /// other headers.
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let (name, value) = (name.as_ref(), value.as_ref());
        match parse_header(name, value) {
            Ok((name, value)) => self.append(name, value),
            Err(source) => self.flawed(Error::Header {
                name: name.escape_debug().to_string(),
                source,
            }),
        }
    }

    /// Adds headers.
    pub fn headers(self, headers: impl Params) -> Self {
        let pairs = headers.into_pairs().into_iter();
        pairs.fold(self, |request, (name, value)| request.header(name, value))
    }

    /// Shows a token: `Authorization: Bearer …`.
    pub fn bearer(self, token: impl Into<Secret>) -> Self {
        let token = token.into();
        self.authorization(&format!("Bearer {}", token.expose()))
    }

    /// Shows a name and password: `Authorization: Basic …`.
    pub fn basic(self, name: &str, password: impl Into<Secret>) -> Self {
        let pair: UserInfo = (name.to_owned(), password.into());
        let encoded = BASE64_STANDARD.encode(format!("{}:{}", pair.0, pair.1.expose()));
        self.authorization(&format!("Basic {encoded}"))
    }

    /// Limits everything together: all attempts, redirects, and reading the body.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.total = Some(limit);
        self
    }

    /// Limits each attempt, up to the head of its answer.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.call.attempt_limit = Some(limit);
        self
    }

    /// Limits name look-up, connecting and TLS together, where a new connection is needed.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.call.connect_limit = Some(limit);
        self
    }

    /// Limits the pause between two pieces of the body.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.call.read_limit = Some(limit);
        self
    }

    /// Retries otherwise than the client does, whatever the method.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.call.retry = Some(retry);
        self
    }

    /// Tells the server that attempts with this key are one and the same, which makes any method safe to retry.
    pub fn idempotency_key(self, key: impl AsRef<str>) -> Self {
        self.header(IDEMPOTENCY_KEY, key)
    }

    /// Follows at most so many redirects; none with zero.
    pub fn follow_redirects(mut self, most: usize) -> Self {
        self.call.redirects = Some(most);
        self
    }

    /// Asks every cache on the way for a fresh answer.
    pub fn no_cache(self) -> Self {
        self.header("cache-control", "no-cache")
    }

    /// Takes no more than so many bytes of the answer's body, counted after decompression.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// Sends the request and waits for the head of its answer. A status of 400 and above is an answer.
    ///
    /// # Errors
    ///
    /// An [`Error`] that names the phase in which the request failed, the host, and the attempt.
    ///
    /// # Cancel safety
    ///
    /// A dropped future sends nothing more and keeps nothing; what was sent may have been seen.
    pub async fn send(self) -> Result<Response, Error> {
        let client = self.client.clone();
        let max_body = self.max_body;
        client.execute(self.build()?, max_body).await
    }

    /// Sends the request, and gives nothing where [`send`](Self::send) would give an error.
    pub async fn ok(self) -> Option<Response> {
        self.send().await.ok()
    }

    /// The request as the stack is to see it.
    fn build(mut self) -> Result<Request<Body>, Error> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        let address = self.address?;
        let uri = address.to_uri()?;
        *request.uri_mut() = uri.clone();
        self.call.address = Some((uri, address.into_url()));
        *request.headers_mut() = self.headers;
        if let Some(total) = self.total {
            request.extensions_mut().insert(Deadline(total));
        }
        request.extensions_mut().insert(Arc::new(self.call));
        Ok(request)
    }

    fn typed_body(mut self, content_type: &'static str, body: impl Into<Body>) -> Self {
        let value = HeaderValue::from_static(content_type);
        self.headers.entry(CONTENT_TYPE).or_insert(value);
        self.body(body)
    }

    fn authorization(mut self, text: &str) -> Self {
        match HeaderValue::from_str(text) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(AUTHORIZATION, value);
                self
            }
            Err(error) => self.flawed(Error::Header {
                name: AUTHORIZATION.to_string(),
                source: error.into(),
            }),
        }
    }

    fn append(mut self, name: HeaderName, value: HeaderValue) -> Self {
        // A body's type is said once: what the caller says replaces what `json` or `form` said.
        if name == CONTENT_TYPE {
            self.headers.insert(name, value);
        } else {
            self.headers.append(name, value);
        }
        self
    }

    fn flawed(mut self, error: Error) -> Self {
        self.flaw.get_or_insert(error);
        self
    }
}

impl fmt::Debug for RequestBuilder {
    /// Without the values of parameters, and of headers that may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", &self.method)
            .field("address", &self.address)
            .field("headers", &RedactedHeaders(&self.headers))
            .field("body", &self.body)
            .field("flaw", &self.flaw)
            .finish_non_exhaustive()
    }
}

fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BoxError> {
    let name: HeaderName = name.parse()?;
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(crate::layers::redirect::is_credential(&name));
    Ok((name, value))
}

impl IntoFuture for RequestBuilder {
    type Output = Result<Response, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
