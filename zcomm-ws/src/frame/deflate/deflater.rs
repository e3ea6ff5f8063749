//! Messages made smaller, for one direction of one connection. Sends nothing.

use super::DeflateParams;
use super::codec::Compressor;
use crate::frame::{FrameHeader, Opcode, Role};

/// What every compressed message ends with, and what is left away (RFC 7692 §7.2.1).
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The longest header of an unmasked frame.
const HEADER: usize = 10;

/// Compresses the messages that leave this end.
///
/// Without context takeover it owns nothing between two messages. With it, it keeps what it needs to remember the last
/// ones, from the first message on that is worth compressing: about 260 KB at the largest window.
///
/// ```
/// use zcomm_ws::frame::{DeflateParams, Deflater, Inflater, Role};
///
/// let agreed = DeflateParams::default();
/// let text = "Hello Hello Hello Hello Hello";
///
/// let mut payload = Vec::new();
/// let mut deflater = Deflater::new(Role::Server, &agreed).with_threshold(8);
/// assert!(deflater.deflate(&[text.as_bytes()], &mut payload));
/// assert!(payload.len() < text.len());
///
/// let mut inflater = Inflater::new(Role::Client, &agreed);
/// assert_eq!(inflater.inflate(&payload, 1000)?, text.as_bytes());
/// # Ok::<(), zcomm_ws::frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Deflater {
    window_bits: u8,
    takeover: bool,
    threshold: usize,
    own: Option<Box<Compressor>>,
}

impl Deflater {
    /// A compressor for the messages that leave this end. It compresses those of 256 bytes and more.
    pub fn new(role: Role, agreed: &DeflateParams) -> Self {
        let (window_bits, forgets) = match role {
            Role::Server => (
                agreed.server_max_window_bits,
                agreed.server_no_context_takeover,
            ),
            Role::Client => (
                agreed.client_max_window_bits,
                agreed.client_no_context_takeover,
            ),
        };
        Self {
            window_bits,
            takeover: !forgets,
            threshold: super::THRESHOLD,
            own: None,
        }
    }

    /// Leaves smaller messages as they are.
    #[must_use]
    pub fn with_threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// Appends a message's compressed payload, or says that the message is better sent as it is: false.
    pub fn deflate(&mut self, parts: &[&[u8]], output: &mut Vec<u8>) -> bool {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length < self.threshold.max(1) {
            return false;
        }
        if !self.takeover {
            return deflate_once(self.window_bits, parts, output);
        }
        let own = self
            .own
            .get_or_insert_with(|| Compressor::new(self.window_bits));
        own.message(parts, output);
        // What was remembered must be sent: a larger one is rare, and larger by a few bytes only.
        output.truncate(output.len() - TAIL.len());
        true
    }

    /// Appends a whole, unmasked frame of a message, if that is better than to send the message as it is.
    pub fn frame(&mut self, opcode: Opcode, parts: &[&[u8]], output: &mut Vec<u8>) -> bool {
        let start = output.len();
        // The header's length is known only afterwards.
        output.extend_from_slice(&[0; HEADER]);
        if !self.deflate(parts, output) {
            output.truncate(start);
            return false;
        }
        put_header(opcode, start, output);
        true
    }

    /// Forgets the messages before, for one went out in between that the peer inflates and this did not compress.
    ///
    /// Such a message must itself have been compressed from a fresh state, as [`deflate_once`] does: it may refer to
    /// nothing, and what comes behind it may not refer to what was before it.
    pub fn reset(&mut self) {
        if let Some(own) = &mut self.own {
            own.reset();
        }
    }
}

/// Compresses a message from a fresh state, for any number of receivers that agreed on the same window.
///
/// False if it wouldn't be smaller; nothing is appended then. Who sends it to a connection that keeps its context must
/// [`reset`](Deflater::reset) that connection's compressor.
pub fn deflate_once(window_bits: u8, parts: &[&[u8]], output: &mut Vec<u8>) -> bool {
    let start = output.len();
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length == 0 {
        return false;
    }
    let mut compressor = Compressor::new(window_bits);
    compressor.message(parts, output);
    compressor.give_back();
    output.truncate(output.len() - TAIL.len());
    let smaller = output.len() - start < length;
    if !smaller {
        output.truncate(start);
    }
    smaller
}

/// The same as a whole, unmasked frame.
#[cfg(feature = "server")]
pub(crate) fn frame_once(window_bits: u8, opcode: Opcode, payload: &[u8]) -> Option<Vec<u8>> {
    let mut frame = vec![0; HEADER];
    if !deflate_once(window_bits, &[payload], &mut frame) {
        return None;
    }
    put_header(opcode, 0, &mut frame);
    Some(frame)
}

/// Puts a header before the payload, in the room that was left for it at `start`.
fn put_header(opcode: Opcode, start: usize, output: &mut Vec<u8>) {
    let payload = start + HEADER;
    let header = FrameHeader::new(opcode, (output.len() - payload) as u64)
        .with_rsv1(true)
        .encode();
    let header = header.as_bytes();
    let end = start + header.len();
    output[start..end].copy_from_slice(header);
    output.copy_within(payload.., end);
    output.truncate(output.len() - (HEADER - header.len()));
}
