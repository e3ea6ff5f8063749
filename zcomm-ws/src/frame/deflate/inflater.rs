//! Compressed messages made whole again, within a limit that whoever takes them in sets. Reads no frames.

use super::DeflateParams;
use super::codec::Decompressor;
use super::deflater::TAIL;
use crate::frame::{FrameError, Role};

/// Inflates the messages that arrive at this end.
///
/// Without context takeover it owns something only while a message is under way; with it, from the first compressed
/// message on: about 48 KB at the largest window.
///
/// ```
/// use zcomm_ws::frame::{DeflateParams, FrameError, Inflater, Role};
///
/// // "Hello", as RFC 7692 §7.2.3.1 has it.
/// let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// let mut inflater = Inflater::new(Role::Server, &DeflateParams::default());
/// assert_eq!(inflater.inflate(&hello, 100)?, b"Hello");
/// // Again, out of what is remembered (§7.2.3.2).
/// assert_eq!(inflater.inflate(&[0xf2, 0x00, 0x11, 0x00, 0x00], 100)?, b"Hello");
///
/// // A bomb ends while it grows.
/// let error = inflater.inflate(&hello, 4).unwrap_err();
/// assert_eq!(error, FrameError::MessageTooBig { size: 5, limit: 4 });
/// # Ok::<(), FrameError>(())
/// ```
#[derive(Debug)]
pub struct Inflater {
    window_bits: u8,
    takeover: bool,
    inner: Option<Box<Decompressor>>,
}

impl Inflater {
    /// An inflater for the messages that arrive at this end.
    pub fn new(role: Role, agreed: &DeflateParams) -> Self {
        let (window_bits, forgets) = match role {
            Role::Server => (
                agreed.client_max_window_bits,
                agreed.client_no_context_takeover,
            ),
            Role::Client => (
                agreed.server_max_window_bits,
                agreed.server_no_context_takeover,
            ),
        };
        Self {
            window_bits,
            takeover: !forgets,
            inner: None,
        }
    }

    /// Begins a message. One that was not finished is forgotten.
    pub(crate) fn begin(&mut self) {
        if !self.takeover {
            self.inner = None;
        }
    }

    /// Inflates some of a message's payload; `sink` gets what comes of it, and may refuse more.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidDeflate`], or what `sink` returned.
    pub fn push(
        &mut self,
        payload: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        let inner = self
            .inner
            .get_or_insert_with(|| Decompressor::new(self.window_bits));
        inner.feed(payload, sink)
    }

    /// Ends a message: `sink` gets what was still inside.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn finish(
        &mut self,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        let Some(inner) = &mut self.inner else {
            return Ok(());
        };
        if !inner.is_ended() {
            inner.feed(&TAIL, sink)?;
        }
        if !self.takeover
            && let Some(inner) = self.inner.take()
        {
            inner.give_back();
        }
        Ok(())
    }

    /// Inflates a message's whole payload, which may become at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidDeflate`], or [`FrameError::MessageTooBig`] as soon as it is.
    pub fn inflate(&mut self, payload: &[u8], limit: usize) -> Result<Vec<u8>, FrameError> {
        let mut message = Vec::new();
        let mut sink = |piece: &[u8]| {
            let size = message.len() + piece.len();
            if size > limit {
                let (size, limit) = (size as u64, limit as u64);
                return Err(FrameError::MessageTooBig { size, limit });
            }
            message.extend_from_slice(piece);
            Ok(())
        };
        self.begin();
        self.push(payload, &mut sink)?;
        self.finish(&mut sink)?;
        Ok(message)
    }
}
