//! A connection as the application holds it: who is there, and how to send to it. The socket is not here.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use http::Extensions;
use zcomm_core::{Caller, ConnectionId, Identity, Peer};

use super::outbox::{Outbox, OutboxLimits, Pushed, wake};
use super::{ClientInfo, CloseReason};
use crate::error::Error;
use crate::frame::DeflateParams;
use crate::hub::{Encoded, Hub, Joined};

/// A handle to one connection. Clones are cheap, and mean the same connection.
///
/// A handle outlives its connection: it then sends nothing any more.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

pub(crate) struct Shared {
    caller: Arc<Caller>,
    hub: Hub,
    outbox: Outbox,
    path: Box<str>,
    protocol: Option<Box<str>>,
    awaits_auth: AtomicBool,
    deflate: Option<Box<Deflation>>,
    extensions: Mutex<Extensions>,
    pub(crate) topics: Mutex<Joined>,
    pub(crate) pulse: Pulse,
}

impl Shared {
    pub(crate) fn id(&self) -> ConnectionId {
        self.caller.connection()
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// How messages to this connection are compressed, if they are.
    pub(crate) fn deflation(&self) -> Option<&Deflation> {
        self.deflate.as_deref()
    }

    /// Whether nobody vouched for the caller yet.
    pub(crate) fn awaits_auth(&self) -> bool {
        self.awaits_auth.load(Ordering::Acquire)
    }

    /// Whether the caller's identity no longer holds.
    pub(crate) fn is_expired(&self, now: SystemTime) -> bool {
        self.caller.identity().is_expired(now)
    }
}

/// How a connection's messages are compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deflation {
    pub(crate) agreed: DeflateParams,
    /// The smallest message that is.
    pub(crate) threshold: usize,
}

/// When the connection was last heard of, in milliseconds of the hub's coarse clock.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    heard: AtomicU64,
    /// When the oldest unanswered ping was asked for; 0 if none is.
    pinged: AtomicU64,
    /// Whether the server itself reads nothing now, so that silence means nothing.
    not_reading: AtomicBool,
}

impl Pulse {
    #[inline]
    pub(super) fn heard(&self, now: u64) {
        self.heard.store(now, Ordering::Relaxed);
        if self.pinged.load(Ordering::Relaxed) != 0 {
            self.pinged.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn set_reading(&self, reading: bool) {
        if self.not_reading.load(Ordering::Relaxed) == reading {
            self.not_reading.store(!reading, Ordering::Relaxed);
        }
    }

    pub(crate) fn silence(&self, now: u64) -> u64 {
        now.saturating_sub(self.heard.load(Ordering::Relaxed))
    }

    /// How long a ping has waited for its answer, if one has. While nothing is read, no time passes.
    pub(crate) fn unanswered(&self, now: u64) -> Option<u64> {
        let since = self.pinged.load(Ordering::Relaxed);
        let waited = now.saturating_sub(since);
        let reading = !self.not_reading.load(Ordering::Relaxed);
        (since != 0).then_some(if reading { waited } else { 0 })
    }

    pub(crate) fn ping_asked(&self, now: u64) {
        let _ = self
            .pinged
            .compare_exchange(0, now.max(1), Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// What the handshake found out about a connection.
pub(super) struct Opening {
    pub(super) caller: Arc<Caller>,
    pub(super) path: Box<str>,
    pub(super) protocol: Option<Box<str>>,
    pub(super) awaits_auth: bool,
    pub(super) deflate: Option<Deflation>,
}

impl Connection {
    pub(super) fn new(opening: Opening, hub: Hub, limits: OutboxLimits) -> Self {
        let pulse = Pulse::default();
        pulse.heard(hub.now());
        Self(Arc::new(Shared {
            caller: opening.caller,
            hub,
            outbox: Outbox::new(limits),
            path: opening.path,
            protocol: opening.protocol,
            awaits_auth: AtomicBool::new(opening.awaits_auth),
            deflate: opening.deflate.map(Box::new),
            extensions: Mutex::default(),
            topics: Mutex::default(),
            pulse,
        }))
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub(super) fn deflate(&self) -> Option<&DeflateParams> {
        self.0.deflate.as_ref().map(|deflation| &deflation.agreed)
    }

    /// Its number, unique within the process.
    pub fn id(&self) -> ConnectionId {
        self.0.caller.connection()
    }

    /// Who is there, as requests of this connection carry it.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.0.caller
    }

    /// Who the caller is now.
    pub fn identity(&self) -> Arc<Identity> {
        self.0.caller.identity()
    }

    /// Who is there, as values that can be logged or sent on.
    pub fn client_info(&self) -> ClientInfo {
        ClientInfo::of(self)
    }

    /// Where the connection comes from.
    pub fn peer(&self) -> &Peer {
        self.0.caller.peer()
    }

    /// The peer's address.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.peer().address
    }

    /// The path it was opened with, without the query.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The subprotocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.0.protocol.as_deref()
    }

    /// Whether messages are compressed, as client and server agreed.
    pub fn is_compressed(&self) -> bool {
        self.0.deflate.is_some()
    }

    /// The hub of the connection's server.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Whether nobody vouched for the caller yet, and a first message is to.
    pub fn awaits_auth(&self) -> bool {
        self.0.awaits_auth.load(Ordering::Acquire)
    }

    /// Puts another identity in place, as an [`AuthPolicy`](zcomm_core::AuthPolicy) found it.
    pub fn renew(&self, identity: Identity) {
        self.0.caller.renew(identity);
        self.0.awaits_auth.store(false, Ordering::Release);
    }

    /// Whether messages can still be sent.
    pub fn is_open(&self) -> bool {
        !self.outbox().is_closed()
    }

    /// Sends a message; waits while too much is waiting for the peer.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the connection ends before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not sent when it is dropped never will be.
    pub async fn send(&self, message: impl Into<Encoded>) -> Result<(), Error> {
        let message = message.into();
        loop {
            // Listening begins before looking, or room made in between would go unnoticed. The wait ends with the
            // connection at the latest, which the write deadline and the heartbeat see to.
            let mut room = std::pin::pin!(self.outbox().room.notified());
            room.as_mut().enable();
            match self.outbox().try_push_frame(message.frame()) {
                Pushed::Taken => return Ok(()),
                Pushed::Closed => return Err(self.closed()),
                Pushed::Full => room.await,
            }
        }
    }

    /// Sends a message if there is room for it now.
    ///
    /// # Errors
    ///
    /// [`Error::OutboxFull`] or [`Error::Closed`].
    pub fn try_send(&self, message: impl Into<Encoded>) -> Result<(), Error> {
        match self.outbox().try_push_frame(message.into().frame()) {
            Pushed::Taken => Ok(()),
            Pushed::Closed => Err(self.closed()),
            Pushed::Full => Err(Error::OutboxFull {
                connection: self.id(),
            }),
        }
    }

    /// Pushes a message; a peer that reads too slowly to have room for it is closed with 4002.
    ///
    /// True if it was taken. This is what a [`Hub`] does for each receiver.
    pub fn push(&self, message: &Encoded) -> bool {
        let (pushed, waker) = self.outbox().push(message.frame_for(self.0.deflation()));
        wake(waker);
        pushed == Pushed::Taken
    }

    /// Closes the connection once everything sent so far is written. False if it was closing already.
    pub fn close(&self, reason: CloseReason) -> bool {
        self.outbox().request_close(reason, false)
    }

    /// Closes the connection at once; what waits for the peer is dropped.
    pub fn close_now(&self, reason: CloseReason) -> bool {
        self.outbox().request_close(reason, true)
    }

    /// The topics it has joined.
    pub fn topics(&self) -> Vec<Arc<str>> {
        let topics = self.0.topics.lock();
        let topics = topics.unwrap_or_else(PoisonError::into_inner);
        topics.names().to_vec()
    }

    /// Works on values of the application's own, one for each type, which live as long as the connection's handles.
    ///
    /// ```
    /// use zcomm_ws::server::Connection;
    ///
    /// #[derive(Clone)]
    /// struct Nickname(String);
    ///
    /// fn rename(connection: &Connection, name: &str) -> Option<String> {
    ///     let old = connection.extensions(|all| all.insert(Nickname(name.to_owned())));
    ///     old.map(|Nickname(name)| name)
    /// }
    /// ```
    pub fn extensions<R>(&self, f: impl FnOnce(&mut Extensions) -> R) -> R {
        let extensions = self.0.extensions.lock();
        // Values may be half-changed by a panic of the application's; they are the application's to judge.
        f(&mut extensions.unwrap_or_else(PoisonError::into_inner))
    }

    fn closed(&self) -> Error {
        Error::Closed {
            connection: self.id(),
        }
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Connection {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id())
            .field("peer", &self.remote_addr())
            .finish_non_exhaustive()
    }
}
