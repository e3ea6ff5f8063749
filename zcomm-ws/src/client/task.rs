//! A client's task: one connection after the other, and the waits between them.

use std::ops::ControlFlow::{self, Break, Continue};

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use zcomm_core::Secret;

use super::backoff::Backoff;
use super::link::{Inbox, Link};
use super::opening::Target;
use super::talk::{Ended, Listeners};
use super::{ClientError, State};
use crate::frame::CloseCode;

/// A message on its way from a caller to the connection.
pub(super) enum Outgoing {
    /// A request that a caller awaits the reply to.
    Call { id: u64, text: String },
    /// A message that nobody awaits anything for.
    Message { text: String },
}

/// What the client's owners want. Their going away is the wish to close.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    pub(super) token: Option<Secret>,
    pub(super) close: bool,
}

/// Waits until the connection is to be closed.
pub(super) async fn asked_to_close(wishes: &mut watch::Receiver<Wishes>) {
    // An error says that nobody is left who could ask.
    let _ = wishes.wait_for(|wishes| wishes.close).await;
}

pub(super) struct Task {
    pub(super) target: Target,
    pub(super) listeners: Listeners,
    pub(super) outgoing: mpsc::Receiver<Outgoing>,
    pub(super) wishes: watch::Receiver<Wishes>,
    /// Whether a token that expired may be replaced by whoever holds the client.
    pub(super) awaits_token: bool,
}

impl Task {
    /// Keeps a connection until it is closed, or ends in a way that allows no return.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut was_open = false;
        let because = loop {
            self.tell(State::Connecting);
            let token = self.wishes.borrow().token.clone();
            let ended = self.live(token.as_ref()).await;
            was_open |= ended.lived.is_some();
            // Whoever opens a client is told why that failed, and decides. What was open once comes back by itself.
            if !was_open || !self.target.config.reconnect {
                break ended.because;
            }
            if let Break(because) = self.pause(ended, token, &mut backoff).await {
                break because;
            }
        };
        self.finish(&because);
    }

    /// One connection, from its opening to its end.
    async fn live(&mut self, token: Option<&Secret>) -> Ended {
        let opened = tokio::select! {
            opened = self.target.open(token) => opened,
            () = asked_to_close(&mut self.wishes) => Err(self.left()),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(because) => return Ended::unopened(because),
        };
        let inbox = Inbox {
            outgoing: &mut self.outgoing,
            wishes: &mut self.wishes,
        };
        let link = Link::new(opened, &self.listeners, &self.target.config);
        link.run(inbox).await
    }

    /// Waits as long as the end of a connection asks for, or says why there is nothing to wait for.
    async fn pause(
        &mut self,
        ended: Ended,
        used: Option<Secret>,
        backoff: &mut Backoff,
    ) -> ControlFlow<ClientError> {
        let because = ended.because;
        if self.is_unwanted() || !because.is_retryable() {
            return Break(because);
        }
        if matches!(
            because,
            ClientError::Closed {
                code: CloseCode::TokenExpired,
                ..
            }
        ) {
            return self.await_token(because, used).await;
        }
        backoff.lived(ended.lived.unwrap_or_default());
        let delay = backoff.next(ended.retry_after);
        tracing::debug!(host = self.listeners.host, ?delay, %because, "connection lost");
        self.tell(State::Waiting { delay, because });
        tokio::select! {
            () = sleep(delay) => Continue(()),
            () = asked_to_close(&mut self.wishes) => Break(self.left()),
        }
    }

    async fn await_token(
        &mut self,
        because: ClientError,
        used: Option<Secret>,
    ) -> ControlFlow<ClientError> {
        if !self.awaits_token {
            return Break(because);
        }
        let digest = |token: &Option<Secret>| token.as_ref().map(Secret::digest);
        let used = digest(&used);
        self.tell(State::TokenExpired);
        let wish = self
            .wishes
            .wait_for(|wishes| wishes.close || digest(&wishes.token) != used);
        // The wait ends with the client's owners at the latest: they are those who could bring a token.
        let is_renewed = wish.await.is_ok_and(|wishes| !wishes.close);
        if is_renewed {
            Continue(())
        } else {
            Break(self.left())
        }
    }

    /// Tells everyone that it is over: who asks from now on, who waits in the queue, who awaits a reply.
    fn finish(mut self, because: &ClientError) {
        self.tell(State::Closed {
            because: because.clone(),
        });
        // Closed first: whoever got in before is among the pending, whoever comes later is refused.
        self.outgoing.close();
        self.listeners.pending.reject_all(because);
    }

    fn is_unwanted(&self) -> bool {
        self.wishes.borrow().close || self.wishes.has_changed().is_err()
    }

    fn left(&self) -> ClientError {
        ClientError::Closed {
            host: self.listeners.host.clone(),
            code: CloseCode::Normal,
            reason: String::new(),
        }
    }

    fn tell(&self, state: State) {
        self.listeners.state.send_replace(state);
    }
}
