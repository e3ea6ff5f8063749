//! All connections of a server: whom a message goes to, and how many took it. Knows no protocol and no handler.

mod encoded;
mod pulse;
mod shards;
mod topics;
mod windows;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Instant;

use zcomm_core::ConnectionId;

use crate::metrics::{Depths, Metrics};
use crate::server::{CloseReason, Connection, Pushed, Shared};

pub use encoded::Encoded;
pub(crate) use pulse::Beat;
use shards::Shards;
pub(crate) use topics::Joined;
use topics::Topics;
use windows::Windows;

/// The connections of a server. Clones are cheap, and mean the same server.
///
/// Whatever is sent here is encoded once, and pushed on the caller's thread: what comes back is how many connections
/// took it. One that reads too slowly to have room for it is closed with 4002 and holds up nobody else.
///
/// ```
/// use zcomm_ws::hub::{Encoded, Hub};
///
/// let hub = Hub::new();
/// assert_eq!(hub.broadcast("hello", None), 0);
/// assert_eq!(hub.publish("news", "hello", None), 0);
/// assert_eq!(hub.len(), 0);
/// ```
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    all: Shards,
    topics: Topics,
    count: AtomicUsize,
    windows: Windows,
    metrics: Metrics,
    draining: AtomicBool,
    start: Instant,
    /// Milliseconds since the start, set by the sweep: reading it costs nothing.
    now: AtomicU64,
}

impl Hub {
    /// A hub without connections, for tests; a server makes its own.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            all: Shards::default(),
            topics: Topics::default(),
            count: AtomicUsize::new(0),
            windows: Windows::default(),
            metrics: Metrics::default(),
            draining: AtomicBool::new(false),
            start: Instant::now(),
            now: AtomicU64::new(1),
        }))
    }

    /// Sends a message to all connections but one; returns how many took it.
    pub fn broadcast(&self, message: impl Into<Encoded>, exclude: Option<ConnectionId>) -> usize {
        let message = self.0.windows.prepare(message.into());
        let mut delivery = Delivery::new(&message, exclude);
        self.0.all.each_shard(|members| {
            delivery.push_all(members.values());
        });
        self.0.metrics.fanned_out(delivery.taken);
        delivery.taken
    }

    /// Sends a message to those who joined a topic, but one; returns how many took it.
    pub fn publish(
        &self,
        topic: &str,
        message: impl Into<Encoded>,
        exclude: Option<ConnectionId>,
    ) -> usize {
        let message = self.0.windows.prepare(message.into());
        let mut delivery = Delivery::new(&message, exclude);
        self.0.topics.with_members(topic, |members| {
            delivery.push_all(members.values());
        });
        self.0.metrics.fanned_out(delivery.taken);
        delivery.taken
    }

    /// Sends a message to one connection; true if it took it.
    pub fn send_to(&self, id: ConnectionId, message: impl Into<Encoded>) -> bool {
        let message = message.into();
        self.connection(id)
            .is_some_and(|connection| connection.push(&message))
    }

    /// Lets a connection join a topic; false if it had, or has ended.
    pub fn join(&self, connection: &Connection, topic: &str) -> bool {
        self.0.topics.join(connection.shared(), topic)
    }

    /// Lets a connection leave a topic; false if it had not joined it.
    pub fn leave(&self, connection: &Connection, topic: &str) -> bool {
        self.0.topics.leave(connection.shared(), topic)
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Whether there are no connections.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many connections joined a topic.
    pub fn topic_len(&self, topic: &str) -> usize {
        self.0.topics.count(topic)
    }

    /// The connection of that number.
    pub fn connection(&self, id: ConnectionId) -> Option<Connection> {
        self.0.all.find(id).map(Connection::from_shared)
    }

    /// All connections at this moment, in no order.
    pub fn connections(&self) -> Vec<Connection> {
        let mut all = Vec::with_capacity(self.len());
        self.0.all.each_shard(|members| {
            let living = members.values().filter_map(std::sync::Weak::upgrade);
            all.extend(living.map(Connection::from_shared));
        });
        all
    }

    /// Closes one connection; false if there is none of that number, or it was closing.
    pub fn disconnect(&self, id: ConnectionId, reason: CloseReason) -> bool {
        self.connection(id)
            .is_some_and(|connection| connection.close(reason))
    }

    /// Closes all connections of a user; returns how many.
    pub fn disconnect_user(&self, user: &str, reason: &CloseReason) -> usize {
        let all = self.connections();
        let of_user = all
            .iter()
            .filter(|connection| connection.identity().name() == Some(user));
        of_user
            .filter(|connection| connection.close(reason.clone()))
            .count()
    }

    /// Takes a connection up, unless the server is being stopped.
    pub(crate) fn enter(&self, connection: &Connection) -> bool {
        self.0.all.insert(connection.id(), connection.shared());
        self.0.count.fetch_add(1, Ordering::AcqRel);
        self.0.windows.enter(connection.shared().deflation());
        // Looked at after the insertion: whoever sets it closes all that were inserted before.
        !self.0.draining.load(Ordering::SeqCst)
    }

    pub(crate) fn exit(&self, connection: &Connection) {
        self.0.topics.leave_all(connection.shared());
        if self.0.all.remove(connection.id()) {
            self.0.count.fetch_sub(1, Ordering::AcqRel);
            self.0.windows.exit(connection.shared().deflation());
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// How much waits for the peers at this moment.
    pub(crate) fn depths(&self) -> Depths {
        let mut depths = Depths {
            connections: self.len(),
            ..Depths::default()
        };
        self.0.all.each_shard(|members| {
            for shared in members.values().filter_map(std::sync::Weak::upgrade) {
                let (bytes, messages) = shared.outbox().waiting();
                depths.bytes += bytes;
                depths.messages += messages;
                depths.longest = depths.longest.max(bytes);
            }
        });
        depths
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::SeqCst)
    }

    pub(crate) fn start_draining(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }

    /// Milliseconds of the coarse clock.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.0.now.load(Ordering::Relaxed)
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("connections", &self.len())
            .finish_non_exhaustive()
    }
}

/// One message on its way to many. Wakes them when it is dropped: no lock of the hub is held then.
struct Delivery<'a> {
    message: &'a Encoded,
    exclude: Option<ConnectionId>,
    taken: usize,
    wakers: Vec<Waker>,
}

impl<'a> Delivery<'a> {
    fn new(message: &'a Encoded, exclude: Option<ConnectionId>) -> Self {
        Self {
            message,
            exclude,
            taken: 0,
            wakers: Vec::new(),
        }
    }

    fn push_all<'m>(&mut self, members: impl Iterator<Item = &'m std::sync::Weak<Shared>>) {
        for shared in members.filter_map(std::sync::Weak::upgrade) {
            // Who has not said who it is hears nothing yet.
            if self.exclude == Some(shared.id()) || shared.awaits_auth() {
                continue;
            }
            let frame = self.message.frame_for(shared.deflation());
            let (pushed, waker) = shared.outbox().push(frame);
            self.taken += usize::from(pushed == Pushed::Taken);
            self.wakers.extend(waker);
        }
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}
