//! What an application gives the server, [`Handler`], and what it works with, [`Cx`]. Touches no sockets.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::hooks::{OnConnect, OnDisconnect};
use super::inflight::InFlight;
use super::output::Output;
use super::{CloseReason, Connection, Reply};
use crate::frame::{MessageKind, MessageRef};

/// Answers the messages of all connections of a server.
///
/// The server calls [`connect`](Self::connect) once the handshake is answered, [`message`](Self::message) for every
/// message in the order they came, and [`disconnect`](Self::disconnect) exactly once for every connection that
/// `connect` took. The calls for one connection never overlap; those for different ones do.
///
/// All three are synchronous and run between two reads of a connection: an implementor neither blocks nor computes for
/// long. What has to wait is handed to [`Cx::run`] as a future; [`async_handler`](super::async_handler) does only that.
/// A panic closes the one connection with 1011.
///
/// ```
/// use zcomm_ws::frame::MessageRef;
/// use zcomm_ws::server::{CloseReason, Cx, Handler};
///
/// /// Numbers what each client sends.
/// struct Numbering;
///
/// impl Handler for Numbering {
///     type Session = u64;
///
///     fn connect(&self, _cx: &mut Cx<'_>) -> Result<u64, CloseReason> {
///         Ok(0)
///     }
///
///     fn message(&self, count: &mut u64, cx: &mut Cx<'_>, message: MessageRef<'_>) {
///         *count += 1;
///         let number = count.to_string();
///         cx.reply_parts(message.kind(), &[number.as_bytes(), b": ", message.as_bytes()]);
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// What the handler keeps for a connection.
    type Session: Send + 'static;

    /// Takes a connection, after the handshake was answered. What it replies goes out in a write of its own.
    ///
    /// # Errors
    ///
    /// A reason to close the connection at once; it then never was one to the handler.
    fn connect(&self, cx: &mut Cx<'_>) -> Result<Self::Session, CloseReason>;

    /// Takes one message, which lies in the server's buffer until this returns.
    fn message(&self, session: &mut Self::Session, cx: &mut Cx<'_>, message: MessageRef<'_>);

    /// Learns that a connection ended, and how: the peer's code, or ours, or 1006 where there was none.
    ///
    /// Futures that were still running for the connection have been dropped by now.
    fn disconnect(&self, session: Self::Session, connection: &Connection, ended: &CloseReason) {
        let _ = (session, connection, ended);
    }

    /// The same handler, with a closure that is asked first and may refuse a connection.
    ///
    /// ```
    /// use zcomm_ws::server::{CloseReason, Handler, sync_handler};
    ///
    /// let chat = sync_handler(|cx, message| cx.reply(message))
    ///     .on_connect(|cx| match cx.connection().path() {
    ///         "/chat" => Ok(()),
    ///         _ => Err(CloseReason::policy("only /chat is served")),
    ///     })
    ///     .on_disconnect(|connection, ended| {
    ///         let _ = (connection.id(), ended.code());
    ///     });
    /// # let _ = chat;
    /// ```
    fn on_connect<F>(self, f: F) -> OnConnect<Self, F>
    where
        Self: Sized,
        F: Fn(&mut Cx<'_>) -> Result<(), CloseReason> + Send + Sync + 'static,
    {
        OnConnect::new(self, f)
    }

    /// The same handler, with a closure that learns of the end of every connection that was taken.
    fn on_disconnect<F>(self, f: F) -> OnDisconnect<Self, F>
    where
        Self: Sized,
        F: Fn(&Connection, &CloseReason) + Send + Sync + 'static,
    {
        OnDisconnect::new(self, f)
    }
}

/// The connection that a handler is called for, and its way to answer.
pub struct Cx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) output: &'a mut Output,
    pub(super) in_flight: &'a mut InFlight,
    pub(super) waker: &'a Waker,
    /// Since when the handler works on this message, if that is looked at.
    pub(super) since: Option<Instant>,
}

impl Cx<'_> {
    /// The connection, to be cloned by whoever needs it later.
    pub fn connection(&self) -> &Connection {
        self.connection
    }

    /// Answers with a message, copied into the batch that goes out when the server has read everything it can.
    ///
    /// Replies and what is pushed to this connection leave in the order of the calls.
    #[inline]
    pub fn reply<'m>(&mut self, message: impl Into<MessageRef<'m>>) {
        let message = message.into();
        self.reply_parts(message.kind(), &[message.as_bytes()]);
    }

    /// Answers with a message that lies in several pieces. Nothing is allocated for it.
    ///
    /// The pieces of a text, taken together, must be UTF-8; it is not looked at again.
    #[inline]
    pub fn reply_parts(&mut self, kind: MessageKind, parts: &[&[u8]]) {
        self.output.append(self.connection.outbox(), kind, parts);
    }

    /// Answers with what a future returned, or with bytes that are already shared.
    pub fn reply_with(&mut self, reply: impl Into<Reply>) {
        self.output
            .append_reply(self.connection.outbox(), &reply.into());
    }

    /// Runs a future whose output is the reply: polled once in place, and kept only if it has to wait.
    ///
    /// Futures of one connection run concurrently, so their replies come in any order. They are dropped when the
    /// connection ends. Bound them in time: the server doesn't.
    ///
    /// # Errors
    ///
    /// [`Saturated`] if as many as allowed are waiting already; the future was not polled.
    pub fn run<F>(&mut self, future: F) -> Result<(), Saturated>
    where
        F: Future<Output: Into<Reply>> + Send + 'static,
    {
        if self.is_saturated() {
            return Err(Saturated);
        }
        let mut future = Box::pin(async move { future.await.into() });
        match self.poll_in_place(future.as_mut()) {
            Poll::Ready(reply) => self.reply_with(reply),
            Poll::Pending => {
                let future = self.timed(future);
                self.in_flight.push(future);
            }
        }
        Ok(())
    }

    /// Runs a future as [`run`](Self::run) does, but after those that were given here before it are done.
    ///
    /// # Errors
    ///
    /// [`Saturated`], as there.
    pub fn run_in_order<F>(&mut self, future: F) -> Result<(), Saturated>
    where
        F: Future<Output: Into<Reply>> + Send + 'static,
    {
        if self.is_saturated() {
            return Err(Saturated);
        }
        let mut future = Box::pin(async move { future.await.into() });
        if self.in_flight.has_ordered() {
            let future = self.timed(future);
            self.in_flight.push_ordered(future);
            return Ok(());
        }
        match self.poll_in_place(future.as_mut()) {
            Poll::Ready(reply) => self.reply_with(reply),
            Poll::Pending => {
                let future = self.timed(future);
                self.in_flight.push_ordered(future);
            }
        }
        Ok(())
    }

    /// How many futures of this connection are waiting.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How many of those given to [`run_in_order`](Self::run_in_order) are waiting.
    pub fn in_order(&self) -> usize {
        self.in_flight.ordered_len()
    }

    /// Whether no more futures are taken now.
    pub fn is_saturated(&self) -> bool {
        self.in_flight.is_saturated()
    }

    /// Takes no more messages, nor bytes, from this connection while it is saturated.
    ///
    /// The peer then feels its own weight, where it would otherwise be refused. Its pings wait, too.
    pub fn pause(&mut self) {
        self.in_flight.pause();
    }

    /// Closes the connection with this reason when the time is over, unless [`disarm`](Self::disarm)ed before.
    ///
    /// There is one such deadline; another call replaces it.
    pub fn arm(&mut self, after: Duration, reason: CloseReason) {
        self.in_flight.arm(after, reason);
    }

    /// Lifts the deadline of [`arm`](Self::arm).
    pub fn disarm(&mut self) {
        self.in_flight.disarm();
    }

    /// Closes the connection after the replies so far. Messages that came behind this one are not read.
    pub fn close(&mut self, reason: CloseReason) {
        self.connection.close(reason);
    }

    /// The same future, which says when it is done if this message is one of those that are timed.
    fn timed<F>(&mut self, future: Pin<Box<F>>) -> BoxFuture<'static, Reply>
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let Some(since) = self.since.take() else {
            return future;
        };
        let (hub, id) = (self.connection.hub().clone(), self.connection.id());
        Box::pin(async move {
            let reply = future.await;
            hub.metrics().handled(id, since.elapsed());
            reply
        })
    }

    fn poll_in_place(&self, future: Pin<&mut (dyn Future<Output = Reply> + Send)>) -> Poll<Reply> {
        future.poll(&mut Context::from_waker(self.waker))
    }
}

impl fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("connection", self.connection)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// As many futures of a connection as allowed are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of this connection are in flight")]
pub struct Saturated;
