//! An answer: its head at once, its body when asked for.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, Uri, Version};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use zcomm_core::Body;

use crate::call::host;
use crate::error::{Error, Format, Place};
use crate::redact::{Redacted, RedactedHeaders};

/// An answer. Its head is there; its body is read by the methods that take the answer itself.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use zcomm_http::{HttpClient, mock::{MockTransport, Reply}};
///
/// let mock = MockTransport::new().on("/missing", Reply::status(404).text("no such page"));
/// let client = HttpClient::new(mock.transport());
///
/// let answer = client.get("http://host/missing").send().await.unwrap();
/// assert_eq!((answer.status().as_u16(), answer.ok()), (404, false));
/// assert_eq!(answer.text().await.unwrap(), "no such page");
/// # });
/// ```
pub struct Response {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Body,
    pub(crate) at: At,
    pub(crate) elapsed: Duration,
    pub(crate) max_body: usize,
}

impl fmt::Debug for Response {
    /// Without the values of parameters, and of headers that may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.head.status)
            .field("url", &Redacted(&self.at.url))
            .field("headers", &RedactedHeaders(&self.head.headers))
            .field("body", &self.body)
            .field("attempts", &self.at.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

/// Where an answer came from, and with which attempt.
#[derive(Clone)]
pub(crate) struct At {
    pub(crate) url: Uri,
    pub(crate) attempts: u32,
}

impl At {
    /// The same in the words of an error.
    fn place(&self) -> Place {
        let mut place = Place::new(host(&self.url));
        place.attempt = self.attempts;
        place
    }
}

impl Response {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Whether the status is one of success: 200 to 299.
    pub fn ok(&self) -> bool {
        self.head.status.is_success()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// One header's first value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The version of HTTP that the server spoke.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Uri {
        &self.at.url
    }

    /// How long it took from sending to this head, retries and redirects included.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How many requests went out for this answer, retries and redirects included.
    pub fn attempts(&self) -> u32 {
        self.at.attempts
    }

    /// How long the body is, where the server says so and does not compress it.
    pub fn content_length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The same answer, unless its status is one of failure.
    ///
    /// # Errors
    ///
    /// [`Error::Status`] for 400 and above.
    pub fn error_for_status(self) -> Result<Self, Error> {
        let status = self.head.status;
        if status.is_client_error() || status.is_server_error() {
            let at = self.at.place();
            return Err(Error::Status { at, status });
        }
        Ok(self)
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond the cap, [`Error::Timeout`] when the call's time is over, [`Error::Body`] where it
    /// breaks off, [`Error::Decode`] where it is not compressed as its head says.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what had arrived is lost with the future.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let (at, limit) = (self.at, self.max_body);
        if self.body.size_hint().lower() > limit as u64 {
            let at = at.place();
            return Err(Error::TooLarge { at, limit });
        }
        let bytes = self.body.collect(limit).await;
        bytes.map_err(|error| Error::from_stack(error, at.place()))
    }

    /// The whole body as UTF-8 text.
    ///
    /// # Errors
    ///
    /// Those of [`bytes`](Self::bytes), and [`Error::Decode`] where it is no UTF-8.
    pub async fn text(self) -> Result<String, Error> {
        let at = self.at.clone();
        let bytes = self.bytes().await?;
        match simdutf8::compat::from_utf8(&bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(Error::Decode {
                at: at.place(),
                format: Format::Utf8,
                source: error.into(),
            }),
        }
    }

    /// The whole body, read as JSON.
    ///
    /// # Errors
    ///
    /// Those of [`bytes`](Self::bytes), and [`Error::Decode`] where it is not the JSON of a `T`.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let at = self.at.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Decode {
            at: at.place(),
            format: Format::Json,
            source: error.into(),
        })
    }

    /// The body piece by piece, without a cap on its size; the time limits hold.
    ///
    /// An item is an [`Error`] as in [`bytes`](Self::bytes); it is the last one.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'static {
        let at = self.at;
        let pieces = self.body.into_data_stream();
        pieces.map(move |piece| piece.map_err(|error| Error::from_stack(error, at.place())))
    }

    /// The next piece of the body, without a cap on the body's size; nothing at its end. The time limits hold.
    ///
    /// # Errors
    ///
    /// What broke the body, as in [`bytes`](Self::bytes).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a piece is lost to nobody.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Error::from_stack(error, self.at.place()))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The answer as the rest of zcomm knows it: head and body.
    pub fn into_http(self) -> http::Response<Body> {
        http::Response::from_parts(self.head, self.body)
    }
}
