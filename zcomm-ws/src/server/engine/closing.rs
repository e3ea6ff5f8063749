//! How a connection ends: our CLOSE, the peer's, a broken protocol, a panic. One CLOSE is sent, whatever happens.

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::{debug, error};

use super::{Carry, Engine, Stage};
use crate::frame::{CloseCode, FrameError, encode_close};
use crate::server::output::Output;
use crate::server::{CloseReason, Handler};

impl<Io, H> Engine<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    /// Sends our CLOSE; nothing of ours follows it.
    pub(super) fn close(&mut self, reason: CloseReason, urgent: bool, output: &mut Output) {
        let outbox = self.connection.outbox();
        if urgent {
            self.writing.drop_unbegun();
        } else {
            self.writing.take_queued(outbox, output);
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
        self.stage = Stage::Closing { heard: false };
        self.arm(self.config.close_timeout);
        // Last, since it runs what others wrote for their futures' end.
        self.in_flight.clear();
    }

    pub(super) fn hear_close(&mut self, reason: CloseReason, output: &mut Output) {
        if self.stage == Stage::Open {
            let echo = CloseReason::from(reason.code());
            self.ended = Some(reason);
            self.close(echo, true, output);
        }
        self.stage = Stage::Closing { heard: true };
    }

    /// Closes for a frame that breaks the protocol. The decoder is deaf from now on.
    #[cold]
    pub(super) fn fail(&mut self, error: FrameError, output: &mut Output) {
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
    pub(super) fn panicked(&mut self, output: &mut Output) {
        error!(conn_id = self.connection.id().as_u64(), "handler panicked");
        if self.stage == Stage::Fresh || self.stage == Stage::Open {
            self.close(CloseReason::from(CloseCode::InternalError), true, output);
        }
        // Where in the stream the decoder stands is not known any more.
        self.stage = Stage::Lingering;
        self.carry = Carry::default();
    }
}
