//! What is on its way to the server. Decides nothing about what may be sent.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::frame::{
    CloseCode, DeflateParams, Deflater, FrameBuilder, FrameError, PendingPong, Role,
};

/// From here on no further message is taken: the server reads more slowly than is written.
const HIGH_MARK: usize = 64 << 10;

/// Frames that are written, and those that come next.
#[derive(Debug)]
pub(super) struct Output {
    next: FrameBuilder,
    pong: PendingPong,
    now: Vec<u8>,
    written: usize,
    unflushed: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            next: FrameBuilder::new(Role::Client),
            pong: PendingPong::new(),
            now: Vec::new(),
            written: 0,
            unflushed: false,
        }
    }

    /// Compresses messages from now on, as was agreed.
    pub(super) fn deflate(&mut self, agreed: &DeflateParams) {
        let deflater = Deflater::new(Role::Client, agreed);
        self.next = FrameBuilder::new(Role::Client).with_deflater(deflater);
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), FrameError> {
        self.next.text(text).map(|_| ())
    }

    pub(super) fn ping(&mut self) -> Result<(), FrameError> {
        self.next.ping([]).map(|_| ())
    }

    /// Owes a pong; it goes ahead of what is not being written yet.
    pub(super) fn owe_pong(&mut self, payload: &[u8]) {
        self.pong.owe(payload);
    }

    pub(super) fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), FrameError> {
        self.next.close(code, reason).map(|_| ())
    }

    /// Whether another message may be added.
    pub(super) fn has_room(&self) -> bool {
        self.next.as_bytes().len() + self.now.len() - self.written < HIGH_MARK
    }

    /// Whether there is something to write, or to flush.
    pub(super) fn has_work(&self) -> bool {
        self.written < self.now.len()
            || !self.next.as_bytes().is_empty()
            || self.pong.is_owed()
            || self.unflushed
    }

    /// Makes one step: a write, or a flush once everything is written.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a write that was not noted did not happen.
    pub(super) async fn advance(
        &mut self,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        if self.written == self.now.len() {
            self.refill().map_err(io::Error::other)?;
        }
        if self.written == self.now.len() {
            writer.flush().await?;
            self.unflushed = false;
            return Ok(());
        }
        match writer.write(&self.now[self.written..]).await? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            count => {
                self.written += count;
                self.unflushed = true;
                Ok(())
            }
        }
    }

    fn refill(&mut self) -> Result<(), FrameError> {
        let behind = self.next.build();
        self.written = 0;
        self.now = match self.pong.take() {
            None => behind,
            Some(payload) => {
                let mut all = self.next.pong(payload)?.build();
                all.extend(behind);
                all
            }
        };
        Ok(())
    }
}
