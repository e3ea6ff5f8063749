//! The questions that clients were asked and have not answered yet. Sends none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::oneshot;
use zcomm_core::ConnectionId;

use super::fault::Fault;

/// How many questions one client may have before it.
const MOST: usize = 32;

/// The questions that wait, by the connection that was asked. Nobody answers for another.
#[derive(Debug, Default)]
pub(super) struct Questions {
    waiting: Mutex<HashMap<ConnectionId, HashMap<u64, oneshot::Sender<Value>>>>,
    next: AtomicU64,
}

/// One question that waits. Dropped, it waits no more.
#[derive(Debug)]
pub(super) struct Waiting {
    all: Arc<Questions>,
    connection: ConnectionId,
    number: u64,
    answer: oneshot::Receiver<Value>,
}

impl Questions {
    /// Begins to wait for an answer of this connection.
    pub(super) fn wait(self: &Arc<Self>, connection: ConnectionId) -> Result<Waiting, Fault> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let mut waiting = self.lock();
        let of_client = waiting.entry(connection).or_default();
        if of_client.len() >= MOST {
            return Err(Fault::TooManyQuestions { most: MOST });
        }
        of_client.insert(number, sender);
        drop(waiting);
        Ok(Waiting {
            all: Arc::clone(self),
            connection,
            number,
            answer,
        })
    }

    /// Takes an answer. One that nobody waits for, or of a connection that was not asked, is dropped.
    pub(super) fn answer(&self, connection: ConnectionId, id: &str, value: Value) {
        let number = id
            .strip_prefix("ask-")
            .and_then(|number| number.parse().ok());
        if let Some(sender) = number.and_then(|number| self.take(connection, number)) {
            let _ = sender.send(value);
        }
    }

    /// Gives up what was asked over a connection that ended.
    pub(super) fn forget(&self, connection: ConnectionId) {
        self.lock().remove(&connection);
    }

    fn take(&self, connection: ConnectionId, number: u64) -> Option<oneshot::Sender<Value>> {
        let mut waiting = self.lock();
        let of_client = waiting.get_mut(&connection)?;
        let sender = of_client.remove(&number);
        if of_client.is_empty() {
            waiting.remove(&connection);
        }
        sender
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, HashMap<u64, oneshot::Sender<Value>>>> {
        // The table is whole between any two statements, so a panic elsewhere leaves it usable.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The id that the answer has to name.
    pub(super) fn id(&self) -> String {
        format!("ask-{}", self.number)
    }

    /// The answer; nothing once the connection has ended. Bound it in time.
    pub(super) async fn answer(&mut self) -> Option<Value> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.take(self.connection, self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn only_the_connection_that_was_asked_answers() {
        let all = Arc::new(Questions::default());
        let [asked, other] = [(); 2].map(|()| ConnectionId::next());
        let mut waiting = all.wait(asked).unwrap();

        all.answer(other, &waiting.id(), "from another".into());
        all.answer(asked, "ask-77", "to another".into());
        all.answer(asked, "77", "to none".into());
        assert_eq!(waiting.answer().now_or_never(), None);
        all.answer(asked, &waiting.id(), "yes".into());

        assert_eq!(waiting.answer().now_or_never(), Some(Some("yes".into())));
        assert!(all.lock().is_empty());
    }

    #[test]
    fn what_is_given_up_leaves_nothing_behind() {
        let all = Arc::new(Questions::default());
        let asked = ConnectionId::next();
        let mut waiting = all.wait(asked).unwrap();
        drop(all.wait(asked).unwrap());

        all.forget(asked);

        assert_eq!(waiting.answer().now_or_never(), Some(None));
        assert!(all.lock().is_empty());
    }

    #[test]
    fn nobody_is_asked_without_end() {
        let all = Arc::new(Questions::default());
        let asked = ConnectionId::next();
        let waiting: Vec<_> = (0..MOST).map(|_| all.wait(asked).unwrap()).collect();

        assert!(matches!(
            all.wait(asked),
            Err(Fault::TooManyQuestions { most: MOST })
        ));

        drop(waiting);
        assert!(all.wait(asked).is_ok());
    }
}
