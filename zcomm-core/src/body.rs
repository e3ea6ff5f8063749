//! The body of every request and response that zcomm moves. Knows bytes, not their meaning.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use sync_wrapper::SyncWrapper;

use crate::error::{BoxError, Error};

/// What a request or response carries: nothing, bytes at hand, or a stream.
///
/// Bytes at hand can be sent again ([`try_clone`](Body::try_clone)); a stream cannot, so it is never retried nor
/// cached.
///
/// ```
/// use zcomm_core::Body;
///
/// let body = Body::from("hello");
/// assert_eq!(body.as_bytes().unwrap(), b"hello");
/// assert!(body.try_clone().is_some());
/// ```
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Stream(Stream),
}

/// A stream that is only ever used by whoever owns it, so that a request as a whole may be shared.
struct Stream {
    inner: SyncWrapper<UnsyncBoxBody<Bytes, Error>>,
    hint: SizeHint,
    ended: bool,
    held: Option<Held>,
}

/// What is dropped when the stream is over; nobody looks at it.
type Held = SyncWrapper<Box<dyn Send>>;

impl Stream {
    fn new(inner: UnsyncBoxBody<Bytes, Error>) -> Self {
        let (hint, ended) = (inner.size_hint(), inner.is_end_stream());
        Self {
            inner: SyncWrapper::new(inner),
            hint,
            ended,
            held: None,
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let inner = self.inner.get_mut();
        let frame = Pin::new(&mut *inner).poll_frame(cx);
        (self.hint, self.ended) = (inner.size_hint(), inner.is_end_stream());
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.held = None;
        }
        frame
    }
}

impl Body {
    /// A body without bytes.
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A body whose bytes arrive over time.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let body = body.map_err(|source| Error::Body {
            source: source.into(),
        });
        Self(Kind::Stream(Stream::new(UnsyncBoxBody::new(body))))
    }

    /// The bytes, unless they are still to arrive.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Empty => Some(&[]),
            Kind::Full(bytes) => Some(bytes),
            Kind::Stream(_) => None,
        }
    }

    /// The bytes themselves, unless they are still to arrive.
    pub fn into_bytes(self) -> Option<Bytes> {
        match self.0 {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(bytes) => Some(bytes),
            Kind::Stream(_) => None,
        }
    }

    /// The same body once more, unless it is a stream. Bytes are shared, not copied.
    pub fn try_clone(&self) -> Option<Self> {
        match &self.0 {
            Kind::Empty => Some(Self::empty()),
            Kind::Full(bytes) => Some(Self(Kind::Full(bytes.clone()))),
            Kind::Stream(_) => None,
        }
    }

    /// Keeps a value until the stream has ended, failed or been dropped: a place in a queue, say.
    ///
    /// Bytes at hand are there in full, so the value is dropped at once. Of several values, all are kept.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use bytes::Bytes;
    /// use zcomm_core::Body;
    ///
    /// let place = Arc::new(());
    /// let body = Body::stream(http_body_util::Full::new(Bytes::from("x"))).holding(Arc::clone(&place));
    /// assert_eq!(Arc::strong_count(&place), 2);
    /// drop(body);
    /// assert_eq!(Arc::strong_count(&place), 1);
    /// ```
    #[must_use]
    pub fn holding(mut self, value: impl Send + 'static) -> Self {
        if let Kind::Stream(stream) = &mut self.0 {
            stream.held = Some(SyncWrapper::new(match stream.held.take() {
                Some(before) => Box::new((before.into_inner(), value)),
                None => Box::new(value),
            }));
        }
        self
    }

    /// Waits for all bytes, but takes no more than `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] as soon as more than `limit` bytes have come; [`Error::Body`] where the stream breaks.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what had arrived is lost with the future.
    pub async fn collect(self, limit: usize) -> Result<Bytes, Error> {
        match self.0 {
            Kind::Empty => Ok(Bytes::new()),
            Kind::Full(bytes) if bytes.len() > limit => Err(Error::TooLarge { limit }),
            Kind::Full(bytes) => Ok(bytes),
            Kind::Stream(stream) => collect_stream(stream, limit).await,
        }
    }
}

async fn collect_stream(mut stream: Stream, limit: usize) -> Result<Bytes, Error> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = stream.inner.get_mut().frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if first.len() + all.len() + data.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        // Most bodies are one piece, which need not be copied.
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Stream(stream) => stream.poll_frame(cx),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Stream(stream) => stream.ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(stream) => stream.hint,
        }
    }
}

impl fmt::Debug for Body {
    // Sizes only: bodies may hold what must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Empty => f.write_str("Body::Empty"),
            Kind::Full(bytes) => write!(f, "Body::Full({} bytes)", bytes.len()),
            Kind::Stream(_) => f.write_str("Body::Stream"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Full(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::StreamBody;

    use super::*;

    fn two_chunks() -> Body {
        let chunks = ["he", "llo"].map(|chunk| Ok::<_, Error>(Frame::data(Bytes::from(chunk))));
        Body::stream(StreamBody::new(futures_util::stream::iter(chunks)))
    }

    #[tokio::test]
    async fn a_stream_is_collected_up_to_its_limit() {
        assert_eq!(two_chunks().collect(5).await.unwrap(), "hello");

        let error = two_chunks().collect(4).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 4 }), "{error:?}");
    }

    #[tokio::test]
    async fn bytes_at_hand_are_held_to_the_same_limit() {
        let error = Body::from("hello").collect(4).await.unwrap_err();

        assert!(matches!(error, Error::TooLarge { limit: 4 }), "{error:?}");
    }

    #[tokio::test]
    async fn what_a_stream_holds_is_dropped_with_its_end() {
        let place = std::sync::Arc::new(());
        let held = || std::sync::Arc::clone(&place);
        let count = || std::sync::Arc::strong_count(&place);
        let mut body = two_chunks().holding(held()).holding(held());
        assert_eq!(Body::from("x").holding(held()).as_bytes(), Some(&b"x"[..]));

        let mut counts = Vec::new();
        while body.frame().await.is_some() {
            counts.push(count());
        }

        assert_eq!((counts, count()), (vec![3, 3], 1));
    }

    #[test]
    fn a_stream_cannot_be_sent_again() {
        assert!(two_chunks().try_clone().is_none());
        assert_eq!(
            Body::from("x").try_clone().unwrap().as_bytes(),
            Some(&b"x"[..])
        );
    }

    #[tokio::test]
    async fn frames_of_a_full_body_end_after_the_first() {
        let mut body = Body::from("x");

        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();

        assert_eq!(first, "x");
        assert!(body.frame().await.is_none());
    }
}
