//! A body that ends with an error when its time is over.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use zcomm_core::Body;

use crate::call::Host;
use crate::error::{Error, Limit, Place};

/// What limits a body, and the words for when it has.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) total: Duration,
    pub(super) until: Instant,
    pub(super) read: Duration,
    pub(super) host: Host,
}

impl Times {
    fn over(&self, which: Limit) -> Error {
        let limit = match which {
            Limit::Read => self.read,
            _ => self.total,
        };
        let at = Place::new(self.host.name());
        Error::Timeout { which, limit, at }
    }
}

/// Passes the frames of a body on until one of its two times is over.
pub(super) struct TimedBody {
    inner: Body,
    times: Times,
    /// Rings at the earlier of both times; made when the body first keeps us waiting.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    over: bool,
}

impl TimedBody {
    pub(super) fn new(inner: Body, times: Times) -> Self {
        Self {
            inner,
            times,
            alarm: None,
            waiting: false,
            over: false,
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Limit> {
        let pause_ends = Instant::now() + self.times.read;
        let next = self.times.until.min(pause_ends);
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(next)));
        if !self.waiting {
            self.waiting = true;
            alarm.as_mut().reset(next);
        }
        let until = self.times.until;
        alarm.as_mut().poll(cx).map(|()| {
            let total = Instant::now() >= until;
            if total { Limit::Total } else { Limit::Read }
        })
    }

    fn end(&mut self, which: Limit) -> zcomm_core::Error {
        self.over = true;
        // What is left of the body holds a connection that nobody will read from again.
        self.inner = Body::empty();
        self.times.over(which).into()
    }
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = zcomm_core::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.waiting = false;
            // A reader that is slower than the server never waits, so the alarm alone would never ring for it.
            let late = matches!(frame, Some(Ok(_))) && Instant::now() >= self.times.until;
            return Poll::Ready(match late {
                true => Some(Err(self.end(Limit::Total))),
                false => frame,
            });
        }
        self.poll_alarm(cx).map(|which| Some(Err(self.end(which))))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
