//! A client of zBifrost: requests and what comes unasked, over one socket that comes back by itself.
//!
//! ```no_run
//! # async fn example() -> Result<(), zcomm_ws::client::ClientError> {
//! use serde_json::json;
//! use zcomm_ws::client::Client;
//!
//! let client = Client::connect("ws://127.0.0.1:8765/ws").await?;
//! let users = client.dispatch(&json!({"zKey": "^List users", "limit": 10})).await?;
//! println!("{users}");
//!
//! let mut events = client.events();
//! while let Some(event) = events.next().await {
//!     println!("{}", String::from_utf8_lossy(&event?));
//! }
//! # Ok(()) }
//! ```
//!
//! A lost connection is opened again after a random wait that grows up to twenty seconds, where its end allows that:
//! after close codes 1001, 1006, 1011 to 1013 and 4000 to 4499, after 4001 only with another token. A request that was
//! sent by then fails with [`ClientError::Closed`], for the server may have carried it out; one that was not sent
//! waits for the next connection, within its own deadline.

mod address;
mod backoff;
mod builder;
#[cfg_attr(not(feature = "compression"), path = "no_compression.rs")]
mod compression;
mod config;
mod dial;
mod error;
mod events;
mod link;
mod message;
mod opening;
mod output;
mod pending;
mod reply;
mod state;
mod talk;
mod task;
mod tls;
mod transport;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zcomm_core::Secret;

pub use builder::{ClientBuilder, TokenPlace};
pub use config::ClientConfig;
pub use error::ClientError;
pub use events::Events;
pub use reply::Reply;
pub use state::State;
pub use transport::SocketTransport;
pub(crate) use transport::make_transport;

use pending::{Pending, Ticket};
use task::{Outgoing, Wishes};

use crate::frame::CloseCode;

/// A connection to a server, and what keeps it open. Clones share it; with the last one it is closed.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    limit: Duration,
}

struct Inner {
    host: String,
    /// The largest message that is sent.
    limit: usize,
    slots: Semaphore,
    outgoing: mpsc::Sender<Outgoing>,
    wishes: watch::Sender<Wishes>,
    state: watch::Receiver<State>,
    events: broadcast::WeakSender<Bytes>,
    pending: Arc<Pending>,
    /// The task that owns the socket. It ends by itself, within the close timeout, once `wishes` is gone.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Client {
    /// Connects with the defaults, and the token that the address may hold.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::connect`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, ClientError> {
        Self::builder(url).connect().await
    }

    /// Starts with an address of `ws://` or `wss://`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    fn of(inner: Inner, limit: Duration) -> Self {
        Self {
            inner: Arc::new(inner),
            limit,
        }
    }

    /// The same client with another deadline for each request.
    #[must_use]
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            limit,
        }
    }

    /// Asks the server, and gives what it answered.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answered`] with the server's code and sentence; otherwise as [`request`](Self::request).
    pub async fn call<A>(&self, event: &str, arguments: &A) -> Result<Value, ClientError>
    where
        A: Serialize + ?Sized,
    {
        self.request(event, arguments).await?.result()
    }

    /// Asks for rows, writes them, or calls a function: the event `dispatch`.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn dispatch<A>(&self, arguments: &A) -> Result<Value, ClientError>
    where
        A: Serialize + ?Sized,
    {
        self.call("dispatch", arguments).await
    }

    /// Sends a request and waits for the whole reply, be it a result or an error.
    ///
    /// # Errors
    ///
    /// [`ClientError::Timeout`] and [`ClientError::Closed`] say that the server may have carried it out,
    /// [`ClientError::NotSent`] that it cannot have. [`ClientError::Arguments`], [`ClientError::OtherEvent`] and
    /// [`ClientError::TooLarge`] name what cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind here; the server may still carry the request out.
    pub async fn request<A>(&self, event: &str, arguments: &A) -> Result<Reply, ClientError>
    where
        A: Serialize + ?Sized,
    {
        self.request_json(event, &written(event, arguments)?).await
    }

    /// Sends a message without an id: what is answered to it, if anything, comes among the [`events`](Self::events).
    ///
    /// It is for `input_response`, which has no reply.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSent`] if the queue had no place for it in time; otherwise as [`request`](Self::request).
    pub async fn send<A>(&self, event: &str, arguments: &A) -> Result<(), ClientError>
    where
        A: Serialize + ?Sized,
    {
        let text = self.message(event, &written(event, arguments)?, None)?;
        let queued = self.inner.outgoing.send(Outgoing::Message { text });
        match timeout(self.limit, queued).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.gone()),
            Err(_) => Err(self.not_sent()),
        }
    }

    /// What comes unasked from now on.
    pub fn events(&self) -> Events {
        let events = self.inner.events.upgrade();
        let messages = events.map(|events| events.subscribe());
        Events::new(messages, self.clone())
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.inner.state.borrow().clone()
    }

    /// The same, to be watched.
    pub fn states(&self) -> watch::Receiver<State> {
        self.inner.state.clone()
    }

    /// Sets the token for connections to come. One that waits for a token, since its own expired, is opened at once.
    pub fn set_token(&self, token: impl Into<Secret>) {
        let token = token.into();
        self.inner
            .wishes
            .send_modify(|wishes| wishes.token = Some(token));
    }

    /// Says goodbye to the server and waits until the connection is gone.
    ///
    /// Requests that have no reply yet fail, those of other clones too.
    ///
    /// # Cancel safety
    ///
    /// A dropped future closes the connection all the same.
    pub async fn close(&self) {
        self.inner.wishes.send_modify(|wishes| wishes.close = true);
        let task = {
            let mut task = self
                .inner
                .task
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            task.take()
        };
        if let Some(task) = task {
            // The task's own deadlines bound this; it fails only with the runtime.
            let _ = task.await;
        } else {
            let _ = self.states().wait_for(State::is_closed).await;
        }
    }

    /// The same as [`request`](Self::request), of arguments that are JSON already.
    async fn request_json(&self, event: &str, arguments: &str) -> Result<Reply, ClientError> {
        let mut ticket = self.inner.pending.enter();
        let text = self.message(event, arguments, Some(ticket.id))?;
        match timeout(self.limit, self.exchange(&mut ticket, text)).await {
            Ok(answer) => answer,
            Err(_) if ticket.was_sent() => Err(ClientError::Timeout {
                event: event.to_owned(),
                limit: self.limit,
            }),
            Err(_) => Err(self.not_sent()),
        }
    }

    async fn exchange(&self, ticket: &mut Ticket, text: String) -> Result<Reply, ClientError> {
        let slot = self.inner.slots.acquire().await;
        let _slot = slot.expect("nothing closes the semaphore");
        let call = Outgoing::Call {
            id: ticket.id,
            text,
        };
        if self.inner.outgoing.send(call).await.is_err() {
            return Err(self.gone());
        }
        ticket.answer().await.unwrap_or_else(|| Err(self.gone()))
    }

    fn message(
        &self,
        event: &str,
        arguments: &str,
        id: Option<u64>,
    ) -> Result<String, ClientError> {
        let text = message::request(event, arguments, id)?;
        let (size, limit) = (text.len(), self.inner.limit);
        if size > limit {
            return Err(ClientError::TooLarge { size, limit });
        }
        Ok(text)
    }

    /// Why there is no connection any more.
    fn gone(&self) -> ClientError {
        match &*self.inner.state.borrow() {
            State::Closed { because } => because.clone(),
            _ => ClientError::Closed {
                host: self.inner.host.clone(),
                code: CloseCode::Abnormal,
                reason: String::new(),
            },
        }
    }

    fn not_sent(&self) -> ClientError {
        ClientError::NotSent {
            host: self.inner.host.clone(),
            limit: self.limit,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.inner.host)
            .field("state", &*self.inner.state.borrow())
            .finish_non_exhaustive()
    }
}

fn written<A: Serialize + ?Sized>(event: &str, arguments: &A) -> Result<String, ClientError> {
    serde_json::to_string(arguments).map_err(|source| ClientError::Arguments {
        event: event.to_owned(),
        source: Some(Arc::new(source)),
    })
}
