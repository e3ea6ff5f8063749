//! One connection's task: reads, lets the handler answer, writes, closes. The handshake is behind it.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tracing::{debug, error};

use super::handler::{Cx, Handler};
use super::inflight::InFlight;
use super::output::{Output, Writing};
use super::scratch::Scratch;
use super::{CloseReason, Connection, ServerConfig};
use crate::frame::{
    CloseCode, CloseRef, Decoder, Event, FrameError, Opcode, Role, encode_close, encode_frame,
};

/// Bytes that one poll handles before it lets others run.
const TURN: usize = 256 * 1024;
/// A batch of this size is written before more is read.
const HIGH_MARK: usize = 64 * 1024;

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

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
enum Halt {
    /// Nothing is there to read.
    Blocked,
    /// Nothing is to be read now.
    Held,
    /// This turn has handled enough.
    Tired,
    Eof,
}

impl<Io, H> Engine<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    /// `early` is what the peer sent right behind its handshake.
    pub(super) fn new(
        io: Io,
        early: &[u8],
        handler: Arc<H>,
        config: Arc<ServerConfig>,
        connection: Connection,
    ) -> Self {
        let stage = Stage::Fresh;
        let admitted = connection.hub().enter(&connection);
        if !admitted {
            connection.close(CloseReason::new(
                CloseCode::GoingAway,
                "the server shuts down",
            ));
        }
        Self {
            io,
            handler,
            decoder: Decoder::new(Role::Server, config.frame_limits()),
            in_flight: InFlight::new(config.max_in_flight),
            config,
            connection,
            session: None,
            writing: Writing::default(),
            carry: Carry {
                bytes: early.to_vec(),
                at: 0,
            },
            stage,
            timer: None,
            ended: None,
        }
    }

    fn step(&mut self, cx: &mut Context<'_>, buffer: &mut [u8], output: &mut Output) -> Poll<()> {
        if self.stage == Stage::Fresh {
            self.greet(cx, output);
            // What the handler says first leaves in a write of its own.
            if self.flush(cx, output).is_err() {
                return self.lost();
            }
        }
        if self.stage == Stage::Open {
            self.obey(output);
            self.collect_replies(cx, output);
        }
        if output.clogged && self.flush(cx, output).is_err() {
            return self.lost();
        }
        let halt = match self.read(cx, buffer, output) {
            Ok(halt) => halt,
            Err(_) => return self.lost(),
        };
        // The handler may have asked for it, or somebody else meanwhile.
        if self.stage == Stage::Open {
            self.obey(output);
        }
        let Ok(flushed) = self.flush(cx, output) else {
            return self.lost();
        };
        if halt == Halt::Eof {
            return self.lost();
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
        };
        match self.handler.connect(&mut context) {
            Ok(session) => {
                self.session = Some(session);
                self.stage = Stage::Open;
            }
            Err(reason) => self.close(reason, false, output),
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
        if let Some(reason) = self.in_flight.poll_deadline(cx) {
            self.close(reason, false, output);
        }
    }

    /// Reads and answers until there is nothing to read, or enough was done.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        output: &mut Output,
    ) -> io::Result<Halt> {
        let mut handled = 0;
        loop {
            if !self.may_read() {
                self.connection.shared().pulse.set_reading(false);
                return Ok(Halt::Held);
            }
            self.connection.shared().pulse.set_reading(true);
            if !self.carry.bytes.is_empty() {
                let mut carry = std::mem::take(&mut self.carry);
                handled += carry.bytes.len() - carry.at;
                carry.at += self.decode(cx, &mut carry.bytes[carry.at..], output);
                if carry.at < carry.bytes.len() {
                    self.carry = carry;
                }
            } else {
                let mut read = ReadBuf::new(buffer);
                if Pin::new(&mut self.io)
                    .poll_read(cx, &mut read)?
                    .is_pending()
                {
                    return Ok(Halt::Blocked);
                }
                let count = read.filled().len();
                if count == 0 {
                    return Ok(Halt::Eof);
                }
                handled += count;
                let pulse = &self.connection.shared().pulse;
                pulse.heard(self.connection.hub().now());
                let used = self.decode(cx, &mut buffer[..count], output);
                if used < count {
                    self.carry.bytes = buffer[used..count].to_vec();
                    self.carry.at = 0;
                }
            }
            if output.batch.len() >= HIGH_MARK {
                self.flush(cx, output)?;
            }
            if handled >= TURN {
                return Ok(Halt::Tired);
            }
        }
    }

    fn may_read(&mut self) -> bool {
        match self.stage {
            Stage::Open => {
                !self.in_flight.is_paused()
                    && (self.writing.is_empty() || !self.connection.outbox().is_full())
            }
            Stage::Fresh | Stage::Done => false,
            Stage::Closing { heard } => !heard,
            Stage::Lingering => true,
        }
    }

    /// Decodes and answers what lies in `input`; returns how much of it is done with.
    fn decode(&mut self, cx: &mut Context<'_>, input: &mut [u8], output: &mut Output) -> usize {
        if self.stage == Stage::Lingering {
            return input.len();
        }
        let mut at = 0;
        loop {
            let decoded = match self.decoder.decode(&mut input[at..]) {
                Ok(decoded) => decoded,
                Err(error) => {
                    self.fail(error, output);
                    return input.len();
                }
            };
            at += decoded.consumed;
            match decoded.event {
                None => return input.len(),
                Some(Event::Message(message)) => {
                    let (Stage::Open, Some(session)) = (self.stage, &mut self.session) else {
                        continue;
                    };
                    let mut context = Cx {
                        connection: &self.connection,
                        output,
                        in_flight: &mut self.in_flight,
                        waker: cx.waker(),
                    };
                    self.handler.message(session, &mut context, message);
                }
                Some(Event::Ping(payload)) => {
                    if self.stage == Stage::Open {
                        put_control(
                            &mut self.writing,
                            &self.connection,
                            output,
                            Opcode::Pong,
                            payload,
                        );
                    }
                }
                Some(Event::Pong(_)) => {}
                Some(Event::Close(close)) => {
                    let reason = owned(close);
                    self.hear_close(reason, output);
                    return input.len();
                }
            }
            if self.stage == Stage::Open && self.must_stop(cx, output) {
                return at;
            }
        }
    }

    /// Whether the rest of what was read has to wait: for a close, a pause, or the socket.
    fn must_stop(&mut self, cx: &mut Context<'_>, output: &mut Output) -> bool {
        if output.batch.len() >= HIGH_MARK {
            // An error shows again at the next write.
            let _ = self.flush(cx, output);
        }
        self.connection.outbox().close_requested()
            || self.in_flight.is_paused()
            || (output.clogged && self.connection.outbox().is_full())
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

    /// Sends our CLOSE; nothing of ours follows it.
    fn close(&mut self, reason: CloseReason, urgent: bool, output: &mut Output) {
        let outbox = self.connection.outbox();
        if urgent {
            self.writing.drop_unbegun();
        } else {
            self.writing.take_queued(outbox);
        }
        outbox.shut();
        let mut frame = Vec::new();
        // A handler may name a code that must not be sent; the peer then gets the one for our own faults.
        if encode_close(&mut frame, reason.code(), reason.text()).is_err() {
            encode_close(&mut frame, CloseCode::InternalError, "")
                .expect("1011 is a code that may be sent");
        }
        if self.writing.is_empty() {
            output.batch.extend_from_slice(&frame);
        } else {
            self.writing.put_last(frame.into(), outbox);
        }
        self.ended.get_or_insert(reason);
        self.in_flight.clear();
        self.stage = Stage::Closing { heard: false };
        self.arm(self.config.close_timeout);
    }

    fn hear_close(&mut self, reason: CloseReason, output: &mut Output) {
        if self.stage == Stage::Open {
            let echo = CloseReason::from(reason.code());
            self.ended = Some(reason);
            self.close(echo, true, output);
        }
        self.stage = Stage::Closing { heard: true };
    }

    /// Closes for a frame that breaks the protocol. The decoder is deaf from now on.
    #[cold]
    fn fail(&mut self, error: FrameError, output: &mut Output) {
        debug!(
            conn_id = self.connection.id().as_u64(),
            reason = error.code(),
            "protocol broken"
        );
        if self.stage == Stage::Open {
            let reason = CloseReason::new(error.close_code(), error.to_string());
            self.close(reason, true, output);
        }
        self.stage = Stage::Lingering;
    }

    #[cold]
    fn panicked(&mut self, output: &mut Output) {
        error!(conn_id = self.connection.id().as_u64(), "handler panicked");
        if self.stage == Stage::Fresh || self.stage == Stage::Open {
            self.close(CloseReason::from(CloseCode::InternalError), true, output);
        }
        // Where in the stream the decoder stands is not known any more.
        self.stage = Stage::Lingering;
        self.carry = Carry::default();
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

    fn lost(&mut self) -> Poll<()> {
        self.done()
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
        self.in_flight.clear();
        self.connection.outbox().shut();
        self.connection.hub().exit(&self.connection);
        let Some(session) = self.session.take() else {
            return;
        };
        let ended = self
            .ended
            .take()
            .unwrap_or_else(|| CloseReason::from(CloseCode::Abnormal));
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
        };
        let step = catch_unwind(AssertUnwindSafe(|| {
            engine.step(cx, &mut scratch.read, &mut output)
        }));
        let outcome = step.unwrap_or_else(|_| {
            engine.panicked(&mut output);
            engine.step(cx, &mut scratch.read, &mut output)
        });
        scratch.batch = output.batch;
        outcome
    }
}

// Nothing in it is ever pinned but what sits in a box of its own.
impl<Io, H: Handler> Unpin for Engine<Io, H> {}

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

fn owned(close: CloseRef<'_>) -> CloseReason {
    CloseReason::new(close.code, close.reason.to_owned())
}
