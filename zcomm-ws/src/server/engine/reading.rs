//! The inward half of a connection: bytes to messages, messages to the handler. Writes only what the handler replied.

use std::io;
use std::pin::Pin;
use std::task::Context;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Engine, Stage, put_control};
use crate::frame::{CloseRef, Event, Opcode};
use crate::server::output::Output;
use crate::server::{CloseReason, Cx, Handler};

/// Bytes that one poll handles before it lets others run.
const TURN: usize = 256 * 1024;
/// A batch of this size is written before more is read.
const HIGH_MARK: usize = 64 * 1024;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
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
    /// Reads and answers until there is nothing to read, or enough was done.
    pub(super) fn read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        output: &mut Output,
    ) -> io::Result<Halt> {
        let mut handled = 0;
        while handled < TURN {
            let may_read = self.may_read();
            self.connection.shared().pulse.set_reading(may_read);
            if !may_read {
                return Ok(Halt::Held);
            }
            if !self.carry.bytes.is_empty() {
                handled += self.decode_carry(cx, output);
                continue;
            }
            let mut filled = ReadBuf::new(buffer);
            if Pin::new(&mut self.io)
                .poll_read(cx, &mut filled)?
                .is_pending()
            {
                return Ok(Halt::Blocked);
            }
            let count = filled.filled().len();
            if count == 0 {
                return Ok(Halt::Eof);
            }
            handled += count;
            output.tally.bytes_in += count as u64;
            self.take_in(cx, &mut buffer[..count], output);
        }
        Ok(Halt::Tired)
    }

    /// Decodes what was just read, and keeps the rest if the handler takes no more now.
    fn take_in(&mut self, cx: &mut Context<'_>, input: &mut [u8], output: &mut Output) {
        let hub = self.connection.hub();
        self.connection.shared().pulse.heard(hub.now());
        let used = self.decode(cx, input, output);
        if used < input.len() {
            self.carry.bytes = input[used..].to_vec();
            self.carry.at = 0;
        }
    }

    /// Goes on with what was kept; returns how many bytes that were.
    fn decode_carry(&mut self, cx: &mut Context<'_>, output: &mut Output) -> usize {
        let mut carry = std::mem::take(&mut self.carry);
        let used = self.decode(cx, &mut carry.bytes[carry.at..], output);
        carry.at += used;
        if carry.at < carry.bytes.len() {
            self.carry = carry;
        }
        used
    }

    pub(super) fn may_read(&mut self) -> bool {
        match self.stage {
            Stage::Open => {
                !self.connection.outbox().close_requested()
                    && !self.in_flight.is_paused()
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
                    output.tally.messages_in += 1;
                    let since = std::mem::take(&mut output.timed).then(Instant::now);
                    let mut context = Cx {
                        connection: &self.connection,
                        output,
                        in_flight: &mut self.in_flight,
                        waker: cx.waker(),
                        since,
                    };
                    self.handler.message(session, &mut context, message);
                    if let Some(since) = context.since {
                        let (hub, id) = (self.connection.hub(), self.connection.id());
                        hub.metrics().handled(id, since.elapsed());
                    }
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
}

fn owned(close: CloseRef<'_>) -> CloseReason {
    CloseReason::new(close.code, close.reason.to_owned())
}
