//! What a server sends without being asked, as it comes.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use zcomm_core::EventStream;

use super::{Client, ClientError};

/// Every message that came unasked since this was made. Whoever holds one keeps the connection open.
///
/// Each reader gets every message. Delivery is at most once: what comes while a connection is lost is lost with it, and
/// the greeting that follows tells that there was a gap.
#[derive(Debug)]
pub struct Events {
    messages: Option<Receiver<Bytes>>,
    client: Client,
}

impl Events {
    pub(super) fn new(messages: Option<Receiver<Bytes>>, client: Client) -> Self {
        Self { messages, client }
    }

    /// Waits for the next message; `None` once the client is closed.
    ///
    /// # Errors
    ///
    /// [`ClientError::Lagged`] says how many were lost because they were not read in time; then it goes on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message is taken or still there.
    pub async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        match self.messages.as_mut()?.recv().await {
            Ok(message) => Some(Ok(message)),
            Err(RecvError::Lagged(missed)) => Some(Err(ClientError::Lagged { missed })),
            Err(RecvError::Closed) => None,
        }
    }

    /// The client whose messages these are.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same as a stream of the seam.
    pub fn into_stream(self) -> EventStream {
        let next = |mut events: Self| async move {
            let message = events.next().await?;
            Some((message.map_err(Into::into), events))
        };
        stream::unfold(self, next).boxed()
    }
}
