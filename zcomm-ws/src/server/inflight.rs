//! The futures that a connection's handler left waiting, and its one deadline. Starts no tasks.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Sleep;

use super::{CloseReason, Reply};

type Waiting = BoxFuture<'static, Reply>;

/// Empty it is a few words: most connections never have anything waiting.
pub(crate) struct InFlight {
    limit: usize,
    unordered: Option<Box<FuturesUnordered<Waiting>>>,
    ordered: VecDeque<Waiting>,
    deadline: Option<Box<Deadline>>,
    paused: bool,
}

struct Deadline {
    timer: Pin<Box<Sleep>>,
    reason: CloseReason,
}

impl InFlight {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            // With room for none no async handler could ever answer.
            limit: limit.max(1),
            unordered: None,
            ordered: VecDeque::new(),
            deadline: None,
            paused: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.unordered.as_ref().map_or(0, |all| all.len()) + self.ordered.len()
    }

    pub(super) fn ordered_len(&self) -> usize {
        self.ordered.len()
    }

    pub(super) fn has_ordered(&self) -> bool {
        !self.ordered.is_empty()
    }

    pub(super) fn is_saturated(&self) -> bool {
        self.len() >= self.limit
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    /// Whether no messages are to be taken now. A pause ends when there is room again.
    pub(super) fn is_paused(&mut self) -> bool {
        self.paused &= self.is_saturated();
        self.paused
    }

    pub(super) fn push(&mut self, future: Waiting) {
        self.unordered.get_or_insert_default().push(future);
    }

    pub(super) fn push_ordered(&mut self, future: Waiting) {
        self.ordered.push_back(future);
    }

    pub(super) fn arm(&mut self, after: Duration, reason: CloseReason) {
        let timer = Box::pin(tokio::time::sleep(after));
        self.deadline = Some(Box::new(Deadline { timer, reason }));
    }

    pub(super) fn disarm(&mut self) {
        self.deadline = None;
    }

    /// The next reply that is ready, if one is.
    pub(super) fn poll_reply(&mut self, cx: &mut Context<'_>) -> Option<Reply> {
        if let Some(first) = self.ordered.front_mut()
            && let Poll::Ready(reply) = first.as_mut().poll(cx)
        {
            self.ordered.pop_front();
            return Some(reply);
        }
        match self.unordered.as_mut()?.poll_next_unpin(cx) {
            Poll::Ready(reply) => reply,
            Poll::Pending => None,
        }
    }

    /// The reason to close for, once the deadline is over.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Option<CloseReason> {
        if self.deadline.as_mut()?.timer.as_mut().poll(cx).is_pending() {
            return None;
        }
        self.deadline.take().map(|deadline| deadline.reason)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight")
            .field("waiting", &self.len())
            .finish_non_exhaustive()
    }
}
