//! Large messages in several frames. Copies nothing and encodes nothing.

use std::num::NonZeroUsize;

use super::{FrameHeader, MessageRef, Opcode};

/// Splits messages into frames of a size that a small receiver or a proxy can take.
///
/// Between fragments control frames may be sent, other messages not. A text may be cut inside a character: UTF-8
/// belongs to the message, not to the frame.
///
/// ```
/// use std::num::NonZeroUsize;
/// use zcomm_ws::frame::{Fragmenter, Opcode};
///
/// let fragmenter = Fragmenter::new(NonZeroUsize::new(5).unwrap());
/// let fragments: Vec<_> = fragmenter.fragments("Hello World!").collect();
///
/// let payloads: Vec<_> = fragments.iter().map(|fragment| fragment.payload).collect();
/// assert_eq!(payloads, [&b"Hello"[..], b" Worl", b"d!"]);
/// let opcodes: Vec<_> = fragments.iter().map(|fragment| (fragment.fin, fragment.opcode)).collect();
/// assert_eq!(opcodes, [(false, Opcode::Text), (false, Opcode::Continuation), (true, Opcode::Continuation)]);
///
/// // An empty message is one empty frame.
/// assert_eq!(fragmenter.fragments("").count(), 1);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Fragmenter {
    max_frame_size: usize,
}

impl Fragmenter {
    /// A fragmenter whose frames carry at most that many bytes.
    pub fn new(max_frame_size: NonZeroUsize) -> Self {
        Self {
            max_frame_size: max_frame_size.get(),
        }
    }

    /// A fragmenter that leaves every message whole.
    pub fn off() -> Self {
        Self::new(NonZeroUsize::MAX)
    }

    /// The frames of a message, in order; at least one.
    pub fn fragments<'a>(&self, message: impl Into<MessageRef<'a>>) -> Fragments<'a> {
        let message = message.into();
        Fragments {
            max_frame_size: self.max_frame_size,
            opcode: message.opcode(),
            rest: Some(message.as_bytes()),
        }
    }
}

/// The frames of one message: what [`Fragmenter::fragments`] returns.
#[derive(Debug, Clone)]
pub struct Fragments<'a> {
    max_frame_size: usize,
    opcode: Opcode,
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Fragments<'a> {
    type Item = Fragment<'a>;

    fn next(&mut self) -> Option<Fragment<'a>> {
        let rest = self.rest.take()?;
        let (payload, rest) = rest.split_at(rest.len().min(self.max_frame_size));
        let fin = rest.is_empty();
        if !fin {
            self.rest = Some(rest);
        }
        let opcode = std::mem::replace(&mut self.opcode, Opcode::Continuation);
        Some(Fragment {
            opcode,
            fin,
            payload,
        })
    }
}

/// One frame of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Text or binary for the first, continuation for the others.
    pub opcode: Opcode,
    /// Whether it is the last.
    pub fin: bool,
    /// Its part of the message.
    pub payload: &'a [u8],
}

impl Fragment<'_> {
    /// Its header, unmasked.
    pub fn header(&self) -> FrameHeader {
        FrameHeader::new(self.opcode, self.payload.len() as u64).with_fin(self.fin)
    }
}
