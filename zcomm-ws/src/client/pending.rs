//! The requests that await their replies. Sends nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{ClientError, Reply};

type Answer = Result<Reply, ClientError>;

/// All requests of a client that have no reply yet, by id.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<Requests>);

#[derive(Debug, Default)]
struct Requests {
    last: u64,
    waiting: HashMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Answer>,
    /// Whether the server may know of it.
    sent: bool,
}

impl Pending {
    /// A place for one more; its id was never given before, on whatever connection, so no late reply can fit it.
    pub(super) fn enter(self: &Arc<Self>) -> Ticket {
        let (sender, answer) = oneshot::channel();
        let mut requests = self.lock();
        requests.last += 1;
        let id = requests.last;
        let waiting = Waiting {
            answer: sender,
            sent: false,
        };
        requests.waiting.insert(id, waiting);
        Ticket {
            id,
            answer,
            pending: Arc::clone(self),
        }
    }

    /// Notes that a request is about to be sent; false if nobody waits for its reply any more.
    pub(super) fn sending(&self, id: u64) -> bool {
        let mut requests = self.lock();
        let waiting = requests.waiting.get_mut(&id);
        waiting.map(|waiting| waiting.sent = true).is_some()
    }

    /// Gives a reply to whom it belongs; false if to nobody.
    pub(super) fn settle(&self, id: u64, reply: Reply) -> bool {
        let waiting = self.lock().waiting.remove(&id);
        waiting.is_some_and(|waiting| waiting.answer.send(Ok(reply)).is_ok())
    }

    /// Rejects what was sent: its connection is gone, and the reply will not come.
    pub(super) fn reject_sent(&self, error: &ClientError) {
        self.reject(error, |waiting| waiting.sent);
    }

    /// Rejects everything.
    pub(super) fn reject_all(&self, error: &ClientError) {
        self.reject(error, |_| true);
    }

    fn reject(&self, error: &ClientError, mut which: impl FnMut(&Waiting) -> bool) {
        let mut requests = self.lock();
        let rejected = requests.waiting.extract_if(|_, waiting| which(waiting));
        for (_, waiting) in rejected {
            // Whoever asked may have gone meanwhile.
            let _ = waiting.answer.send(Err(error.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's place among the pending ones. Dropping it gives the place up.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) id: u64,
    answer: oneshot::Receiver<Answer>,
    pending: Arc<Pending>,
}

impl Ticket {
    /// Waits for the reply, without a deadline: that is the caller's. `None` if the client's task is gone.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }

    /// Whether the server may know of the request.
    pub(super) fn was_sent(&self) -> bool {
        let requests = self.pending.lock();
        requests
            .waiting
            .get(&self.id)
            .is_none_or(|waiting| waiting.sent)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pending.lock().waiting.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn reply() -> Reply {
        Reply::new(Bytes::from_static(b"{}"), None)
    }

    #[test]
    fn a_reply_settles_one_request_once() {
        let pending = Arc::new(Pending::default());
        let mut one = pending.enter();
        let _two = pending.enter();

        assert!(!pending.settle(99, reply()));
        assert!(pending.settle(one.id, reply()));
        assert!(!pending.settle(one.id, reply()));

        assert!(one.answer.try_recv().unwrap().is_ok());
    }

    #[test]
    fn who_gives_up_leaves_nothing_behind() {
        let pending = Arc::new(Pending::default());
        let id = pending.enter().id;

        assert!(!pending.sending(id));
        assert!(pending.lock().waiting.is_empty());
    }

    #[test]
    fn only_what_was_sent_is_rejected_with_its_connection() {
        let pending = Arc::new(Pending::default());
        let (mut sent, mut queued) = (pending.enter(), pending.enter());
        assert!(pending.sending(sent.id));

        pending.reject_sent(&ClientError::Lagged { missed: 0 });

        assert!(sent.answer.try_recv().unwrap().is_err());
        assert!(queued.answer.try_recv().is_err());
        assert!(!queued.was_sent());
    }
}
