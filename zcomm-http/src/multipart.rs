//! Forms with files in them (RFC 7578): parts of bytes, text or streams, put together as they are sent.

use std::fmt;

use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;
use zcomm_core::{Body, BoxError};

use crate::error::Error;

/// A form with files in it.
///
/// A form of bytes and text can be sent again; one with a stream in it is sent once.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use zcomm_http::{Form, HttpClient, Part, mock::MockTransport};
///
/// let mock = MockTransport::echo();
/// let photo = Part::bytes("…").file_name("cat.png").content_type("image/png");
/// let form = Form::new().text("title", "My cat").part("photo", photo);
/// HttpClient::new(mock.transport()).post("http://host/upload").multipart(form).send().await.unwrap();
///
/// let sent = String::from_utf8(mock.requests()[0].body.to_vec()).unwrap();
/// assert!(sent.contains("name=\"photo\"; filename=\"cat.png\"\r\nContent-Type: image/png\r\n\r\n…\r\n"));
/// # });
/// ```
#[derive(Debug, Default)]
#[must_use = "a form does nothing until it is sent"]
pub struct Form {
    parts: Vec<(String, Part)>,
}

impl Form {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field of text.
    pub fn text(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.part(name, Part::bytes(text.into()))
    }

    /// Adds a part.
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// The type that announces the form, and its body.
    pub(crate) fn encode(self) -> Result<(HeaderValue, Body), Error> {
        let boundary = boundary();
        let mut pieces = Vec::new();
        for (name, part) in self.parts {
            pieces.push(Content::Bytes(part.head(&name, &boundary)?.into()));
            pieces.push(part.content);
            pieces.push(Content::Bytes(Bytes::from_static(b"\r\n")));
        }
        pieces.push(Content::Bytes(format!("--{boundary}--\r\n").into()));
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let content_type = HeaderValue::try_from(content_type);
        let content_type = content_type.expect("a boundary is made of hexadecimal digits");
        Ok((content_type, joined(pieces)))
    }
}

/// One part of a [`Form`].
#[derive(Debug)]
#[must_use = "a part does nothing until it is in a form"]
pub struct Part {
    content: Content,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Part {
    /// A part of bytes or text.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Bytes(bytes.into()))
    }

    /// A part that is sent as a stream yields it.
    pub fn stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::of(Content::Stream(stream.map_err(Into::into).boxed()))
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            file_name: None,
            content_type: None,
        }
    }

    /// Says that the part is a file of this name.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Says what the part is. A file of which nothing is said is `application/octet-stream`.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    fn head(&self, name: &str, boundary: &str) -> Result<String, Error> {
        let name = Quoted(name);
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
        if let Some(file_name) = &self.file_name {
            head.push_str(&format!("; filename=\"{}\"", Quoted(file_name)));
        }
        let default = self.file_name.as_ref().map(|_| "application/octet-stream");
        if let Some(content_type) = self.content_type.as_deref().or(default) {
            // The same check as for a header of the request: a line break would smuggle in others.
            HeaderValue::from_str(content_type).map_err(|error| Error::Header {
                name: "content-type".to_owned(),
                source: error.into(),
            })?;
            head.push_str(&format!("\r\nContent-Type: {content_type}"));
        }
        head.push_str("\r\n\r\n");
        Ok(head)
    }
}

enum Content {
    Bytes(Bytes),
    Stream(BoxStream<'static, Result<Bytes, BoxError>>),
}

impl fmt::Debug for Content {
    // Sizes only: parts may hold what must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("a stream"),
        }
    }
}

/// Everything in one piece, if no stream is among it.
fn joined(pieces: Vec<Content>) -> Body {
    let mut whole = Vec::new();
    for piece in &pieces {
        let Content::Bytes(bytes) = piece else {
            return streamed(pieces);
        };
        whole.extend_from_slice(bytes);
    }
    whole.into()
}

fn streamed(pieces: Vec<Content>) -> Body {
    let streams = pieces.into_iter().map(|piece| match piece {
        Content::Bytes(bytes) => stream::iter([Ok(bytes)]).boxed(),
        Content::Stream(stream) => stream,
    });
    let frames = stream::iter(streams).flatten().map_ok(Frame::data);
    Body::stream(StreamBody::new(frames))
}

/// What no part can hold by accident.
fn boundary() -> String {
    let random = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    let (high, low) = random.expect("the system has random numbers");
    format!("{high:016x}{low:016x}")
}

/// A name between quotes, as browsers write it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '"' => f.write_str("%22"),
            '\r' => f.write_str("%0D"),
            '\n' => f.write_str("%0A"),
            other => write!(f, "{other}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn encoded(form: Form) -> (String, String) {
        let (content_type, body) = form.encode().unwrap();
        let content_type = content_type.to_str().unwrap();
        let boundary = content_type
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap();
        let bytes = body.collect(usize::MAX).await.unwrap().to_vec();
        (String::from_utf8(bytes).unwrap(), boundary.to_owned())
    }

    #[tokio::test]
    async fn bytes_and_streams_are_encoded_alike() {
        let pieces = ["he", "llo"].map(|piece| Ok::<_, BoxError>(Bytes::from(piece)));
        let streamed = Part::stream(stream::iter(pieces));

        for part in [Part::bytes("hello"), streamed] {
            let (text, boundary) = encoded(Form::new().part("f", part.file_name("a\"b"))).await;

            assert_eq!(
                text,
                format!(
                    "--{boundary}\r\n\
                     Content-Disposition: form-data; name=\"f\"; filename=\"a%22b\"\r\n\
                     Content-Type: application/octet-stream\r\n\r\nhello\r\n--{boundary}--\r\n"
                )
            );
        }
    }

    #[tokio::test]
    async fn names_and_types_smuggle_no_headers() {
        let (text, _) = encoded(Form::new().text("a\r\nX: y", "v")).await;
        assert!(text.contains("name=\"a%0D%0AX: y\""), "{text}");

        let typed = Part::bytes("v").content_type("text/plain\r\nX: y");
        let error = Form::new().part("a", typed).encode().unwrap_err();
        assert_eq!(error.code(), "header");
    }

    #[test]
    fn a_form_of_bytes_can_be_sent_again() {
        let (_, body) = Form::new().text("a", "b").encode().unwrap();

        assert!(body.try_clone().is_some());
    }

    #[test]
    fn no_two_forms_have_one_boundary() {
        assert_ne!(boundary(), boundary());
    }
}
