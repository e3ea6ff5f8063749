//! One load from its beginning to its end: polled in place, carried on by a task, kept, and told to those who wait.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use http::Response;
use tokio::sync::oneshot;
use zcomm_core::{Body, CachedMark, Error};

use super::flights::{Fresh, Landed, Seat};
use super::server::{Before, Label, Server};
use crate::store::Answer;

pub(super) type Outcome = Result<Response<Body>, Error>;

/// A load that has begun.
pub(super) enum Begun {
    /// It was over at once.
    Done(Outcome),
    /// A task carries it on, whether or not anybody waits.
    UnderWay(oneshot::Receiver<Outcome>),
}

/// Begins a load. Most end at once; one that does not outlives its caller, as others may wait for it by then.
pub(super) fn begin<F>(server: &Arc<Server>, load: F, landing: Landing) -> Begun
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let (key, number) = (Arc::clone(&landing.label.key), landing.number);
    let mut work = Box::pin(async move { landing.land(load.await) });
    // The task polls it again with a waker of its own.
    if let Poll::Ready(outcome) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return Begun::Done(outcome);
    }
    let (done, outcome) = oneshot::channel();
    let limit = server.load_timeout();
    let work = tokio::time::timeout(limit, work);
    let task = tokio::spawn(async move {
        let outcome = work.await;
        // Its caller may have gone.
        let _ = done.send(outcome.unwrap_or(Err(Error::Timeout { limit })));
    });
    server.flights().own(&key, number, task.abort_handle());
    Begun::UnderWay(outcome)
}

/// Where a load ends: its answer is kept, the place is cleared, those who wait are told.
pub(super) struct Landing {
    /// Weak: a load keeps no server alive that was dropped.
    server: Weak<Server>,
    number: u64,
    tell: Option<oneshot::Sender<Landed>>,
    before: Option<Before>,
    label: Label,
}

impl Landing {
    pub(super) fn new(server: &Arc<Server>, seat: Seat, before: Before, label: Label) -> Self {
        Self {
            server: Arc::downgrade(server),
            number: seat.number,
            tell: Some(seat.landing),
            before: Some(before),
            label,
        }
    }

    fn land(mut self, outcome: Outcome) -> Outcome {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => {
                let error = Arc::new(error);
                self.tell(Landed::Failed(Arc::clone(&error)));
                return Err(Error::Shared(error));
            }
        };
        // What is a stream can be neither kept nor shared.
        let Some(body) = response.body().try_clone().and_then(Body::into_bytes) else {
            self.tell(Landed::Alone);
            return Ok(response);
        };
        let fresh = Fresh {
            status: response.status(),
            headers: response.headers().clone(),
            body,
        };
        self.keep(&fresh, response.extensions().get::<CachedMark>());
        self.tell(Landed::Answer(Arc::new(fresh)));
        Ok(response)
    }

    fn keep(&mut self, fresh: &Fresh, mark: Option<&CachedMark>) {
        let (Some(server), Some(before)) = (self.server.upgrade(), self.before.take()) else {
            return;
        };
        let body = match mark {
            Some(mark) => mark.kept(&fresh.body),
            None => Some(fresh.body.clone()),
        };
        // An error is never kept, in whatever form it comes.
        let Some(body) = body.filter(|_| fresh.status.is_success()) else {
            return;
        };
        let answer = Answer {
            status: fresh.status,
            headers: fresh.headers.clone(),
            body,
            stamp: before.stamp.clone(),
            ttl: self.label.wish.ttl,
        };
        let label = Label {
            key: Arc::clone(&self.label.key),
            wish: self.label.wish,
            message: self.label.message.take(),
        };
        server.keep(before, label, answer);
    }

    fn tell(&mut self, landed: Landed) {
        if let Some(server) = self.server.upgrade() {
            server.flights().leave(&self.label.key, self.number);
        }
        if let Some(tell) = self.tell.take() {
            // Nobody may be waiting.
            let _ = tell.send(landed);
        }
    }
}

impl Drop for Landing {
    // A load that never ended, by panic or by time, leaves nobody waiting.
    fn drop(&mut self) {
        if self.tell.is_some() {
            self.tell(Landed::Alone);
        }
    }
}
