//! One connection's task: reads, lets the handler answer, writes, closes. The handshake is behind it.

mod closing;
mod reading;

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tracing::{debug, error};

use super::inflight::InFlight;
use super::output::{Output, Writing};
use super::packing::Packing;
use super::scratch::Scratch;
use super::{CloseReason, Connection, Cx, Handler, ServerConfig};
use crate::frame::{CloseCode, Decoder, DeflateParams, Inflater, Opcode, Role, encode_frame};
use crate::metrics::Tally;
use reading::Halt;

/// A connection between its handshake and its end.
///
/// Its parts are borrowed apart: what is decoded lies in `decoder` or in the thread's buffer while the handler works
/// with the rest.
pub(super) struct Engine<Io, H: Handler> {
    io: Io,
    handler: Arc<H>,
    config: Arc<ServerConfig>,
    connection: Connection,
    decoder: Decoder,
    session: Option<H::Session>,
    in_flight: InFlight,
    writing: Writing,
    /// Lent to the output of each poll.
    packing: Option<Box<Packing>>,
    /// Bytes that were read and not decoded yet: behind the handshake, or behind a pause.
    carry: Carry,
    stage: Stage,
    /// For writing while open, for the other side's CLOSE after it. Armed only while one of them is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    ended: Option<CloseReason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The handler does not know of it yet.
    Fresh,
    Open,
    /// Our CLOSE is on its way.
    Closing {
        /// Whether the peer's is here.
        heard: bool,
    },
    /// All is said; what still arrives is thrown away, lest a reset overtake our CLOSE.
    Lingering,
    Done,
}

#[derive(Debug, Default)]
struct Carry {
    bytes: Vec<u8>,
    at: usize,
}

impl<Io, H> Engine<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    /// `early` is what the peer sent right behind its handshake.
    pub(super) fn new(
        io: Io,
        early: Vec<u8>,
        handler: Arc<H>,
        config: Arc<ServerConfig>,
        connection: Connection,
    ) -> Self {
        Self {
            io,
            handler,
            decoder: decoder(&config, connection.deflate()),
            in_flight: InFlight::new(config.max_in_flight),
            packing: Packing::of(&config, connection.deflate()),
            config,
            connection,
            session: None,
            writing: Writing::default(),
            carry: Carry {
                bytes: early,
                at: 0,
            },
            stage: Stage::Fresh,
            timer: None,
            ended: None,
        }
    }

    fn step(&mut self, cx: &mut Context<'_>, buffer: &mut [u8], output: &mut Output) -> Poll<()> {
        if self.stage == Stage::Fresh {
            self.greet(cx, output);
            // What the handler says first leaves in a write of its own.
            if self.flush(cx, output).is_err() {
                return self.done();
            }
        }
        if self.stage == Stage::Open {
            self.obey(output);
            self.collect_replies(cx, output);
        }
        if output.clogged && self.flush(cx, output).is_err() {
            return self.done();
        }
        let Ok(halt) = self.read(cx, buffer, output) else {
            return self.done();
        };
        // The handler may have asked for it, or somebody else meanwhile.
        if self.stage == Stage::Open {
            self.obey(output);
        }
        self.keep_deadline(cx, output);
        let Ok(flushed) = self.flush(cx, output) else {
            return self.done();
        };
        if halt == Halt::Eof {
            return self.done();
        }
        self.advance(cx, flushed, halt)
    }

    /// Looks whether the connection is over, and if not, what it waits for.
    fn advance(&mut self, cx: &mut Context<'_>, flushed: bool, halt: Halt) -> Poll<()> {
        if flushed && self.stage == (Stage::Closing { heard: true }) {
            // RFC 6455 §7.1.1: the server closes TCP first.
            let _ = Pin::new(&mut self.io).poll_shutdown(cx);
            return self.done();
        }
        if flushed && self.stage == Stage::Lingering {
            let _ = Pin::new(&mut self.io).poll_shutdown(cx);
        }
        if self.poll_timer(cx) {
            return match self.stage {
                Stage::Open => {
                    self.connection
                        .close_now(CloseReason::from(CloseCode::SlowConsumer));
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                _ => self.done(),
            };
        }
        // What was held back may go on after the flush, and nothing else would wake the task for it.
        if halt == Halt::Tired || (halt == Halt::Held && self.may_read()) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Tells the handler of the connection.
    fn greet(&mut self, cx: &Context<'_>, output: &mut Output) {
        let mut context = Cx {
            connection: &self.connection,
            output,
            in_flight: &mut self.in_flight,
            waker: cx.waker(),
            since: None,
        };
        match self.handler.connect(&mut context) {
            Ok(session) => {
                self.session = Some(session);
                self.stage = Stage::Open;
                self.connection.hub().metrics().accepted();
                self.enter_hub();
            }
            Err(reason) => self.close(reason, false, output),
        }
    }

    /// Whatever the hub sends comes behind what the handler said first.
    fn enter_hub(&self) {
        if !self.connection.hub().enter(&self.connection) {
            self.connection.close(CloseReason::going_away());
        }
    }

    /// Does what others asked for.
    fn obey(&mut self, output: &mut Output) {
        if let Some(request) = self.connection.outbox().take_close() {
            self.close(request.reason, request.urgent, output);
        } else if self.connection.outbox().take_ping() {
            self.put_control(Opcode::Ping, b"", output);
        }
    }

    fn collect_replies(&mut self, cx: &mut Context<'_>, output: &mut Output) {
        if self.stage != Stage::Open {
            return;
        }
        while let Some(reply) = self.in_flight.poll_reply(cx) {
            output.append_reply(self.connection.outbox(), &reply);
        }
    }

    fn keep_deadline(&mut self, cx: &mut Context<'_>, output: &mut Output) {
        if self.stage == Stage::Open
            && let Some(reason) = self.in_flight.poll_deadline(cx)
        {
            self.close(reason, false, output);
        }
    }

    /// Writes what can be written; true if nothing is left.
    fn flush(&mut self, cx: &mut Context<'_>, output: &mut Output) -> io::Result<bool> {
        let mut progress = false;
        let outbox = self.connection.outbox();
        let flushed = self
            .writing
            .poll_flush(&mut self.io, cx, output, outbox, &mut progress);
        if self.stage == Stage::Open {
            if flushed.is_ready() || progress {
                self.timer = None;
            }
            if flushed.is_pending() && self.timer.is_none() {
                self.arm(self.config.write_timeout);
            }
        }
        match flushed {
            Poll::Ready(result) => result.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }

    fn put_control(&mut self, opcode: Opcode, payload: &[u8], output: &mut Output) {
        put_control(&mut self.writing, &self.connection, output, opcode, payload);
    }

    fn arm(&mut self, after: Duration) {
        let at = Instant::now() + after;
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(at),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(at))),
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(timer) = &mut self.timer else {
            return false;
        };
        timer.as_mut().poll(cx).is_ready()
    }

    fn done(&mut self) -> Poll<()> {
        self.stage = Stage::Done;
        self.finish();
        Poll::Ready(())
    }
}

impl<Io, H: Handler> Engine<Io, H> {
    /// Ends the connection for everybody who knows of it. Called when it is over, and when its task is dropped.
    fn finish(&mut self) {
        self.connection.outbox().shut();
        self.connection.hub().exit(&self.connection);
        // Futures of others are dropped here: their panics must not keep the handler from hearing of the end.
        let _ = catch_unwind(AssertUnwindSafe(|| self.in_flight.clear()));
        let Some(session) = self.session.take() else {
            return;
        };
        let ended = self
            .ended
            .take()
            .unwrap_or_else(|| CloseReason::from(CloseCode::Abnormal));
        self.connection.hub().metrics().ended(ended.code());
        debug!(
            conn_id = self.connection.id().as_u64(),
            code = u16::from(ended.code()),
            "connection ended"
        );
        let told = catch_unwind(AssertUnwindSafe(|| {
            self.handler.disconnect(session, &self.connection, &ended);
        }));
        if told.is_err() {
            error!(
                conn_id = self.connection.id().as_u64(),
                "handler panicked at a disconnect"
            );
        }
    }
}

impl<Io, H: Handler> Drop for Engine<Io, H> {
    fn drop(&mut self) {
        self.finish();
    }
}

impl<Io, H> Future for Engine<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let engine = &mut *self;
        if engine.stage == Stage::Done {
            return Poll::Ready(());
        }
        // Before anything is looked at: what is asked for from now on wakes the task.
        engine.connection.outbox().register(cx.waker());
        let mut scratch = Scratch::borrow();
        let mut output = Output {
            batch: std::mem::take(&mut scratch.batch),
            clogged: !engine.writing.is_empty(),
            tally: Tally::default(),
            timed: scratch.is_timed(),
            packing: engine.packing.take(),
        };
        let step = catch_unwind(AssertUnwindSafe(|| {
            engine.step(cx, &mut scratch.read, &mut output)
        }));
        let outcome = step.unwrap_or_else(|_| {
            engine.panicked(&mut output);
            engine.step(cx, &mut scratch.read, &mut output)
        });
        let connection = &engine.connection;
        connection
            .hub()
            .metrics()
            .add(connection.id(), output.tally);
        if output.tally.messages_in != 0 {
            scratch.brought_messages();
        }
        scratch.batch = output.batch;
        engine.packing = output.packing;
        outcome
    }
}

// Nothing in it is ever pinned but what sits in a box of its own.
impl<Io, H: Handler> Unpin for Engine<Io, H> {}

fn decoder(config: &ServerConfig, agreed: Option<&DeflateParams>) -> Decoder {
    let decoder = Decoder::new(Role::Server, config.frame_limits());
    match agreed {
        Some(agreed) => decoder.with_inflater(Inflater::new(Role::Server, agreed)),
        None => decoder,
    }
}

/// Puts a control frame before the data that waits, or behind what goes out with this batch.
fn put_control(
    writing: &mut Writing,
    connection: &Connection,
    output: &mut Output,
    opcode: Opcode,
    payload: &[u8],
) {
    if writing.is_empty() {
        encode_frame(&mut output.batch, opcode, payload);
        return;
    }
    let mut frame = Vec::new();
    encode_frame(&mut frame, opcode, payload);
    writing.put_first(Bytes::from(frame), connection.outbox());
}
