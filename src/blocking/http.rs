//! The HTTP client without async.

use std::io::{self, Cursor, Read, Write};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zcomm_http::{Error, HttpClient, Params, RequestBuilder, Retry};

use super::Blocking;
use crate::core::{Body, Secret};

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

    /// Begins a request with any method.
    pub fn request(&self, method: http::Method, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.request(method, url))
    }

    /// Begins a GET.
    pub fn get(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.get(url))
    }

    /// Begins a POST.
    pub fn post(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.post(url))
    }

    /// Begins a PUT.
    pub fn put(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.put(url))
    }

    /// Begins a PATCH.
    pub fn patch(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.patch(url))
    }

    /// Begins a DELETE.
    pub fn delete(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.delete(url))
    }

    /// Begins a HEAD.
    pub fn head(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.head(url))
    }

    /// Begins an OPTIONS.
    pub fn options(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.options(url))
    }

    /// The guides' one-liner: a GET with parameters.
    pub fn http_get(&self, url: impl AsRef<str>, params: impl Params) -> Request<'a> {
        self.begin(self.client.http_get(url, params))
    }

    /// The guides' one-liner: a POST of JSON.
    pub fn http_post<T: Serialize + ?Sized>(&self, url: impl AsRef<str>, data: &T) -> Request<'a> {
        self.begin(self.client.http_post(url, data))
    }

    /// The guides' one-liner: a PUT of JSON.
    pub fn http_put<T: Serialize + ?Sized>(&self, url: impl AsRef<str>, data: &T) -> Request<'a> {
        self.begin(self.client.http_put(url, data))
    }

    /// The guides' one-liner: a PATCH of JSON.
    pub fn http_patch<T: Serialize + ?Sized>(&self, url: impl AsRef<str>, data: &T) -> Request<'a> {
        self.begin(self.client.http_patch(url, data))
    }

    /// The guides' one-liner: a DELETE.
    pub fn http_delete(&self, url: impl AsRef<str>) -> Request<'a> {
        self.begin(self.client.http_delete(url))
    }

    fn begin(&self, builder: RequestBuilder) -> Request<'a> {
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

    /// Sends names with values as an HTML form does.
    pub fn form(self, params: impl Params) -> Self {
        self.with(|builder| builder.form(params))
    }

    /// Sends bytes, text, or a [`Body`].
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.with(|builder| builder.body(body))
    }

    /// Adds headers.
    pub fn headers(self, headers: impl Params) -> Self {
        self.with(|builder| builder.headers(headers))
    }

    /// Adds a header.
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// Sends a token as `Authorization: Bearer`.
    pub fn bearer(self, token: impl Into<Secret>) -> Self {
        self.with(|builder| builder.bearer(token))
    }

    /// Sends a name and password as `Authorization: Basic`.
    pub fn basic(self, name: &str, password: impl Into<Secret>) -> Self {
        self.with(|builder| builder.basic(name, password))
    }

    /// Retries otherwise than the client does, whatever the method.
    pub fn retry(self, retry: Retry) -> Self {
        self.with(|builder| builder.retry(retry))
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

impl<'a> Response<'a> {
    /// The status.
    pub fn status(&self) -> http::StatusCode {
        self.answer.status()
    }

    /// Whether the status is from 200 to 299.
    pub fn ok(&self) -> bool {
        self.answer.ok()
    }

    /// The headers.
    pub fn headers(&self) -> &http::HeaderMap {
        self.answer.headers()
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &http::Uri {
        self.answer.url()
    }

    /// How long it took from sending to this head, retries and redirects included.
    pub fn elapsed(&self) -> Duration {
        self.answer.elapsed()
    }

    /// How many requests went out for this answer, retries and redirects included.
    pub fn attempts(&self) -> u32 {
        self.answer.attempts()
    }

    /// The same answer, unless its status is one of failure.
    ///
    /// # Errors
    ///
    /// [`Error::Status`] for 400 and above.
    pub fn error_for_status(self) -> Result<Self, Error> {
        let answer = self.answer.error_for_status()?;
        Ok(Self { answer, ..self })
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

    /// The body piece by piece, as it comes, however large it is; the time limits hold.
    pub fn reader(self) -> Reader<'a> {
        Reader {
            response: self,
            piece: Cursor::default(),
        }
    }

    /// Writes the body as it comes, however large it is, and says how many bytes it had.
    ///
    /// # Errors
    ///
    /// What the writer said, or an error around the [`Error`] that broke the body.
    pub fn copy_to(self, writer: &mut (impl Write + ?Sized)) -> io::Result<u64> {
        io::copy(&mut self.reader(), writer)
    }
}

/// A body that is read as it comes. Its errors are errors around an [`Error`].
#[derive(Debug)]
pub struct Reader<'a> {
    response: Response<'a>,
    piece: Cursor<Vec<u8>>,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Response { blocking, answer } = &mut self.response;
            match blocking.wait(answer.chunk()).map_err(io::Error::other)? {
                Some(piece) => self.piece = Cursor::new(piece.into()),
                None => return Ok(0),
            }
        }
    }
}
