//! A body that is collected while somebody else reads it. Holds nothing back, and ends with the reader.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use zcomm_core::{Body, Error};

/// What happens with a body that came to its end.
pub(super) type AtEnd = Box<dyn FnOnce(Bytes) + Send>;

/// Gives a body's pieces on as they come, and all of them to `at_end`, unless they are more than may be kept.
pub(super) struct Collecting {
    inner: Body,
    pieces: BytesMut,
    limit: usize,
    at_end: Option<AtEnd>,
}

impl Collecting {
    pub(super) fn new(inner: Body, limit: usize, at_end: AtEnd) -> Self {
        Self {
            inner,
            pieces: BytesMut::new(),
            limit,
            at_end: Some(at_end),
        }
    }

    fn give_up(&mut self) {
        self.at_end = None;
        self.pieces = BytesMut::new();
    }

    fn finish(&mut self) {
        if let Some(at_end) = self.at_end.take() {
            at_end(std::mem::take(&mut self.pieces).freeze());
        }
    }
}

impl http_body::Body for Collecting {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            None => self.finish(),
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) if self.pieces.len() + data.len() <= self.limit => {
                    if self.at_end.is_some() {
                        self.pieces.extend_from_slice(data);
                    }
                }
                // Too much, or trailers, which would be lost.
                _ => self.give_up(),
            },
            Some(Err(_)) => self.give_up(),
        }
        // Whoever reads by length does not ask for an end.
        if self.inner.is_end_stream() {
            self.finish();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
