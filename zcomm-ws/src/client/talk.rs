//! One connection's conversation: what an arriving event means, and what is to be sent. Reads and writes nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use zcomm_core::Phase;

use super::dial::Time;
use super::output::Output;
use super::pending::Pending;
use super::task::Outgoing;
use super::{ClientConfig, ClientError, State, backoff, message};
use crate::frame::{
    CloseCode, CloseRef, ConnectionState, Event, FrameError, Heartbeat, MessageRef,
};

/// Those whom a conversation tells of what it hears.
pub(super) struct Listeners {
    pub(super) host: String,
    pub(super) pending: Arc<Pending>,
    pub(super) events: broadcast::Sender<Bytes>,
    pub(super) state: watch::Sender<State>,
}

/// How a connection ended.
pub(super) struct Ended {
    pub(super) because: ClientError,
    /// How long requests could be sent; `None` if they never could.
    pub(super) lived: Option<Duration>,
    /// How long the server asked its clients to stay away.
    pub(super) retry_after: Option<Duration>,
}

impl Ended {
    /// The end of a connection that never was one.
    pub(super) fn unopened(because: ClientError) -> Self {
        Self {
            because,
            lived: None,
            retry_after: None,
        }
    }
}

pub(super) struct Talk<'t> {
    pub(super) output: Output,
    listeners: &'t Listeners,
    config: &'t ClientConfig,
    state: ConnectionState,
    heartbeat: Heartbeat,
    /// The time for the greeting.
    time: Time,
    /// Since when requests may be sent.
    open_since: Option<Instant>,
    next_ping: Instant,
    retry_after: Option<Duration>,
    end: Option<End>,
}

/// The end that has begun.
struct End {
    because: ClientError,
    until: Instant,
    /// Nothing more is read: the server broke the protocol.
    is_deaf: bool,
}

impl<'t> Talk<'t> {
    pub(super) fn new(listeners: &'t Listeners, config: &'t ClientConfig, time: Time) -> Self {
        let mut state = ConnectionState::new();
        state.open();
        let mut talk = Self {
            output: Output::new(),
            listeners,
            config,
            state,
            heartbeat: Heartbeat::new(),
            time,
            open_since: None,
            next_ping: Instant::now(),
            retry_after: None,
            end: None,
        };
        if !config.greeting {
            talk.opened();
        }
        talk
    }

    /// Whether another request may be taken now.
    pub(super) fn wants_more(&self) -> bool {
        self.open_since.is_some() && self.state.can_send() && self.output.has_room()
    }

    /// Whether the end has begun.
    pub(super) fn is_ending(&self) -> bool {
        self.end.is_some()
    }

    /// Whether there is nothing left to wait for.
    pub(super) fn is_over(&self) -> bool {
        let deaf = self.end.as_ref().is_some_and(|end| end.is_deaf);
        deaf && !self.output.has_work()
    }

    /// When [`on_time`](Self::on_time) is to be called, whatever else happens.
    pub(super) fn deadline(&self) -> Instant {
        if let Some(end) = &self.end {
            return end.until;
        }
        if self.open_since.is_none() {
            return self.time.until();
        }
        let dead = self.heartbeat.deadline(self.config.pong_timeout);
        dead.map_or(self.next_ping, Instant::from_std)
    }

    /// Does what a deadline asks for; the end, if it is the last one.
    pub(super) fn on_time(&mut self) -> Option<Ended> {
        if self.end.is_some() {
            return Some(self.over());
        }
        if self.open_since.is_none() {
            self.begin_end(self.time.over(Phase::Handshake), None);
            return Some(self.over());
        }
        if self.heartbeat.is_waiting() {
            let because = self.closed(CloseCode::NoPong, "");
            self.begin_end(because, Some((CloseCode::NoPong, "")));
        } else {
            self.heartbeat.ping_sent(Instant::now().into_std());
            let sent = self.output.ping();
            self.check(sent);
            self.set_next_ping();
        }
        None
    }

    /// Takes a message to send.
    pub(super) fn send(&mut self, outgoing: Outgoing) {
        let sent = match outgoing {
            Outgoing::Call { id, .. } if !self.listeners.pending.sending(id) => Ok(()),
            Outgoing::Call { text, .. } | Outgoing::Message { text } => self.output.text(&text),
        };
        self.check(sent);
    }

    /// Notes that bytes arrived.
    pub(super) fn received(&mut self) {
        self.heartbeat.received();
        self.set_next_ping();
    }

    /// Takes what arrived.
    pub(super) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Message(message) => self.message(message),
            Event::Ping(payload) if self.state.can_send() => self.output.owe_pong(payload),
            Event::Ping(_) | Event::Pong(_) => {}
            Event::Close(close) => self.close_received(close),
        }
    }

    /// Tells the server which rule it broke, and hears no more.
    pub(super) fn broke(&mut self, source: FrameError) {
        let because = ClientError::Protocol {
            host: self.listeners.host.clone(),
            source,
        };
        self.begin_end(because, Some((source.close_code(), "")));
        if let Some(end) = &mut self.end {
            end.is_deaf = true;
        }
    }

    /// Begins the end that this side wants.
    pub(super) fn close(&mut self) {
        let because = self.closed(CloseCode::Normal, "");
        self.begin_end(because, Some((CloseCode::Normal, "")));
    }

    /// The end of the stream, or of its time.
    pub(super) fn over(&mut self) -> Ended {
        let lost = self.closed(CloseCode::Abnormal, "");
        self.begin_end(lost, None);
        let end = self.end.take().expect("it was begun just now, or before");
        Ended {
            because: end.because,
            lived: self.open_since.map(|since| since.elapsed()),
            retry_after: self.retry_after,
        }
    }

    fn message(&mut self, message: MessageRef<'_>) {
        if self.open_since.is_none() {
            self.opened();
        }
        let text = match message {
            MessageRef::Text(text) => Some(text),
            MessageRef::Binary(bytes) => std::str::from_utf8(bytes).ok(),
        };
        if let Some((id, reply)) = text.and_then(message::reply) {
            if !self.listeners.pending.settle(id, reply) {
                tracing::trace!(host = self.listeners.host, "a reply that nobody awaits");
            }
            return;
        }
        if let Some(after) = text.and_then(message::retry_after) {
            self.retry_after = Some(Duration::from_millis(after));
        }
        // Without a reader it is gone, as it should be.
        let _ = self
            .listeners
            .events
            .send(Bytes::copy_from_slice(message.as_bytes()));
    }

    fn close_received(&mut self, close: CloseRef<'_>) {
        self.state.close_received();
        let because = self.closed(close.code, close.reason);
        self.begin_end(because, Some((close.code, "")));
    }

    fn opened(&mut self) {
        self.open_since = Some(Instant::now());
        self.set_next_ping();
        self.listeners.state.send_replace(State::Open);
    }

    /// Begins the end, unless it has begun: rejects what awaits replies, and sends a CLOSE where one may be sent.
    fn begin_end(&mut self, because: ClientError, close: Option<(CloseCode, &str)>) {
        if let Some((code, reason)) = close
            && self.state.send_close()
        {
            // A code that may not be sent back makes an empty CLOSE.
            let code = if code.is_sendable() {
                code
            } else {
                CloseCode::NoStatus
            };
            if self.output.close(code, reason).is_err() {
                tracing::debug!(host = self.listeners.host, "no CLOSE could be made");
            }
        }
        if self.end.is_some() {
            return;
        }
        self.listeners.pending.reject_sent(&because);
        self.end = Some(End {
            because,
            until: Instant::now() + self.config.close_timeout,
            is_deaf: false,
        });
    }

    /// Ends a connection for which no frame can be made: without random bytes there are no masks.
    fn check(&mut self, made: Result<(), FrameError>) {
        if made.is_err() {
            let because = self.closed(CloseCode::InternalError, "no random bytes");
            self.begin_end(because, None);
        }
    }

    fn closed(&self, code: CloseCode, reason: &str) -> ClientError {
        ClientError::Closed {
            host: self.listeners.host.clone(),
            code,
            reason: reason.to_owned(),
        }
    }

    fn set_next_ping(&mut self) {
        // A thousand clients that came at once need not ask at once.
        let interval = self.config.ping_interval;
        self.next_ping = Instant::now() + interval.mul_f64(1.0 - backoff::part() / 10.0);
    }
}
