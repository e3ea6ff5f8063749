//! The HTTP client without async.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zcomm_http::{Error, HttpClient, Params, RequestBuilder};

use super::Blocking;
use crate::core::Secret;

/// The HTTP client of a [`Comm`](crate::Comm) whose calls wait for their answers.
///
/// ```no_run
/// use zcomm::Comm;
///
/// let comm = Comm::new()?;
/// let http = comm.blocking()?.http();
/// let answer = http.get("https://api.example.com/users").query([("limit", "10")]).send()?;
/// println!("{} {}", answer.status(), answer.text()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Http<'a> {
    blocking: Blocking<'a>,
    client: &'a HttpClient,
}

impl<'a> Http<'a> {
    pub(super) fn of(blocking: Blocking<'a>) -> Self {
        let client = blocking.comm.http();
        Self { blocking, client }
    }

    /// Begins a GET.
    pub fn get(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.get(url))
    }

    /// Begins a POST.
    pub fn post(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.post(url))
    }

    /// Begins a PUT.
    pub fn put(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.put(url))
    }

    /// Begins a PATCH.
    pub fn patch(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.patch(url))
    }

    /// Begins a DELETE.
    pub fn delete(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.delete(url))
    }

    /// Begins a HEAD.
    pub fn head(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.head(url))
    }

    /// Begins an OPTIONS.
    pub fn options(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.options(url))
    }

    /// The guides' one-liner: a GET with parameters.
    pub fn http_get(&self, url: impl AsRef<str>, params: impl Params) -> Request<'a> {
        self.request(self.client.http_get(url, params))
    }

    /// The guides' one-liner: a POST of JSON.
    pub fn http_post<T: Serialize + ?Sized>(&self, url: impl AsRef<str>, data: &T) -> Request<'a> {
        self.request(self.client.http_post(url, data))
    }

    /// The guides' one-liner: a PUT of JSON.
    pub fn http_put<T: Serialize + ?Sized>(&self, url: impl AsRef<str>, data: &T) -> Request<'a> {
        self.request(self.client.http_put(url, data))
    }

    /// The guides' one-liner: a PATCH of JSON.
    pub fn http_patch<T: Serialize + ?Sized>(&self, url: impl AsRef<str>, data: &T) -> Request<'a> {
        self.request(self.client.http_patch(url, data))
    }

    /// The guides' one-liner: a DELETE.
    pub fn http_delete(&self, url: impl AsRef<str>) -> Request<'a> {
        self.request(self.client.http_delete(url))
    }

    fn request(&self, builder: RequestBuilder) -> Request<'a> {
        Request {
            blocking: self.blocking,
            builder,
        }
    }
}

/// A request that is not sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Request<'a> {
    blocking: Blocking<'a>,
    builder: RequestBuilder,
}

impl<'a> Request<'a> {
    /// Changes the request by anything that the async builder can do.
    pub fn with(mut self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        self.builder = change(self.builder);
        self
    }

    /// Adds parameters to the address.
    pub fn query(self, params: impl Params) -> Self {
        self.with(|builder| builder.query(params))
    }

    /// Sends this as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.with(|builder| builder.json(value))
    }

    /// Adds a header.
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// Sends a token as `Authorization: Bearer`.
    pub fn bearer(self, token: impl Into<Secret>) -> Self {
        self.with(|builder| builder.bearer(token))
    }

    /// Limits the request as a whole, body included.
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(|builder| builder.timeout(limit))
    }

    /// Sends the request and waits for the head of its answer.
    ///
    /// # Errors
    ///
    /// What kept an answer from coming; a status of 400 and above is an answer.
    pub fn send(self) -> Result<Response<'a>, Error> {
        let answer = self.blocking.wait(self.builder.send())?;
        let blocking = self.blocking;
        Ok(Response { blocking, answer })
    }

    /// The same, with nothing in place of an error.
    pub fn ok(self) -> Option<Response<'a>> {
        self.send().ok()
    }
}

/// An answer. Its body is read when it is asked for.
#[derive(Debug)]
pub struct Response<'a> {
    blocking: Blocking<'a>,
    answer: zcomm_http::Response,
}

impl Response<'_> {
    /// The status.
    pub fn status(&self) -> http::StatusCode {
        self.answer.status()
    }

    /// Whether the status is below 400.
    pub fn ok(&self) -> bool {
        self.answer.ok()
    }

    /// The headers.
    pub fn headers(&self) -> &http::HeaderMap {
        self.answer.headers()
    }

    /// Everything else that is known before the body is read.
    pub fn inner(&self) -> &zcomm_http::Response {
        &self.answer
    }

    /// Waits for the body, and reads it as JSON.
    ///
    /// # Errors
    ///
    /// What broke the body, or what is wrong with the JSON.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.blocking.wait(self.answer.json())
    }

    /// Waits for the body, and reads it as text.
    ///
    /// # Errors
    ///
    /// What broke the body, or that it is no text.
    pub fn text(self) -> Result<String, Error> {
        self.blocking.wait(self.answer.text())
    }

    /// Waits for the body.
    ///
    /// # Errors
    ///
    /// What broke the body.
    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        self.blocking.wait(self.answer.bytes()).map(Into::into)
    }
}
