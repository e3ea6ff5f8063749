//! Messages out of data frames: order, total size, number of fragments, UTF-8. Sees no control frames and no masks.

use std::mem;

use super::deflate::Inflater;
use super::limits::FRAGMENT_CHARGE;
use super::text::TextBuffer;
use super::{FrameError, FrameHeader, Limits, Message, MessageRef, Opcode, spare};

/// Puts the payloads of data frames together to messages.
///
/// A frame is announced with [`start_frame`](Self::start_frame), its payload comes in any number of
/// [`push`](Self::push)es, and [`end_frame`](Self::end_frame) says whether the message is complete. Everything is
/// checked as it comes: a message that is too big fails at the header that makes it so, wrong UTF-8 at its first byte.
/// Memory grows with the bytes received, never with the bytes announced, and never beyond the limit.
///
/// ```
/// use std::num::NonZeroUsize;
/// use zcomm_ws::frame::{Assembler, Fragmenter, Limits, Message};
///
/// let mut assembler = Assembler::new(Limits::default());
/// let mut whole = None;
/// for fragment in Fragmenter::new(NonZeroUsize::new(5).unwrap()).fragments("Hello World!") {
///     whole = assembler.push_frame(&fragment.header(), fragment.payload)?;
/// }
/// assert_eq!(whole, Some(Message::text("Hello World!")));
/// # Ok::<(), zcomm_ws::frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    limits: Limits,
    buffer: Buffer,
    /// Payload announced so far, plus what each fragment is charged.
    charged: usize,
    fragments: u32,
    /// Whether the frame that is open now is the message's last.
    last: bool,
    complete: bool,
    /// Whether the message is compressed.
    deflated: bool,
    inflater: Option<Box<Inflater>>,
}

#[derive(Debug, Default)]
enum Buffer {
    #[default]
    None,
    Text(TextBuffer),
    Binary(Vec<u8>),
}

impl Assembler {
    /// An assembler that holds nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: Buffer::None,
            charged: 0,
            fragments: 0,
            last: false,
            complete: false,
            deflated: false,
            inflater: None,
        }
    }

    /// Takes compressed messages, too: those whose first frame has RSV1 set.
    ///
    /// The limit holds for what comes out of them, and while it comes.
    #[cfg_attr(not(feature = "compression"), doc(hidden))]
    #[must_use]
    pub fn with_inflater(mut self, inflater: Inflater) -> Self {
        self.inflater = Some(Box::new(inflater));
        self
    }

    /// Whether no message has begun, or the last one was taken or cleared.
    #[inline]
    pub fn is_idle(&self) -> bool {
        matches!(self.buffer, Buffer::None)
    }

    /// How many bytes are allocated now, apart from what an inflater remembers.
    pub fn memory(&self) -> usize {
        match &self.buffer {
            Buffer::None => 0,
            Buffer::Text(text) => text.capacity(),
            Buffer::Binary(bytes) => bytes.capacity(),
        }
    }

    /// Announces the next data frame. A complete message that was not taken is dropped.
    ///
    /// # Errors
    ///
    /// A frame out of order, too many fragments, a message that would be too big, an opcode that is no data.
    pub fn start_frame(&mut self, header: &FrameHeader) -> Result<(), FrameError> {
        if self.complete {
            self.clear();
        }
        match (header.opcode, self.is_idle()) {
            (Opcode::Continuation, false) => {}
            (Opcode::Continuation, true) => return Err(FrameError::ContinuationWithoutStart),
            (Opcode::Text | Opcode::Binary, false) => return Err(FrameError::MessageInterrupted),
            (Opcode::Text, true) => self.buffer = Buffer::Text(TextBuffer::default()),
            (Opcode::Binary, true) => self.buffer = Buffer::Binary(Vec::new()),
            (other, _) => {
                return Err(FrameError::UnknownOpcode {
                    opcode: other.to_bits(),
                });
            }
        }
        if header.opcode != Opcode::Continuation {
            self.begin(header.rsv1)?;
        }
        self.last = header.fin;
        self.charge(header)
    }

    /// Adds some of the open frame's payload, unmasked.
    ///
    /// # Errors
    ///
    /// Text that cannot be UTF-8 any more; a compressed message that cannot be inflated, or becomes too big.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.deflated {
            return self.inflate(bytes);
        }
        // What is charged covers what was announced: a last frame's total is known, before it only the limit is.
        let ceiling = if self.last {
            self.charged
        } else {
            self.limits.max_message_size
        };
        self.buffer.push(bytes, ceiling)
    }

    /// Ends the open frame; true if the message is complete with it.
    ///
    /// # Errors
    ///
    /// A text message that ends inside a character.
    pub fn end_frame(&mut self) -> Result<bool, FrameError> {
        if !self.last {
            return Ok(false);
        }
        if self.deflated {
            self.finish_inflating()?;
        }
        if let Buffer::Text(text) = &self.buffer {
            text.finish()?;
        }
        self.complete = true;
        Ok(true)
    }

    /// The complete message, if there is one.
    pub fn message(&self) -> Option<MessageRef<'_>> {
        match &self.buffer {
            _ if !self.complete => None,
            Buffer::None => None,
            Buffer::Text(text) => Some(MessageRef::Text(text.as_str())),
            Buffer::Binary(bytes) => Some(MessageRef::Binary(bytes)),
        }
    }

    /// Takes the complete message out, if there is one.
    pub fn take(&mut self) -> Option<Message> {
        if !self.complete {
            return None;
        }
        let buffer = mem::take(&mut self.buffer);
        self.clear();
        match buffer {
            Buffer::None => None,
            Buffer::Text(text) => Some(Message::Text(text.into_string())),
            Buffer::Binary(bytes) => Some(Message::Binary(bytes)),
        }
    }

    /// Adds a whole frame, and returns the message if it is complete with it.
    ///
    /// # Errors
    ///
    /// As the three steps it consists of.
    pub fn push_frame(
        &mut self,
        header: &FrameHeader,
        payload: &[u8],
    ) -> Result<Option<Message>, FrameError> {
        self.start_frame(header)?;
        self.push(payload)?;
        self.end_frame()?;
        Ok(self.take())
    }

    /// Drops what is held, memory included; a large buffer goes to the thread's next large message.
    pub fn clear(&mut self) {
        match mem::take(&mut self.buffer) {
            Buffer::None => {}
            Buffer::Text(text) => spare::give(text.into_string().into_bytes()),
            Buffer::Binary(bytes) => spare::give(bytes),
        }
        let inflater = self.inflater.take();
        *self = Self::new(self.limits);
        self.inflater = inflater;
    }

    /// Drops the message if it is complete: called once its reader is done with it.
    #[inline]
    pub(super) fn release(&mut self) {
        if self.complete {
            self.clear();
        }
    }

    fn begin(&mut self, deflated: bool) -> Result<(), FrameError> {
        self.deflated = deflated;
        match (&mut self.inflater, deflated) {
            (_, false) => {}
            (Some(inflater), true) => inflater.begin(),
            (None, true) => return Err(FrameError::ReservedBits { bits: 0b100 }),
        }
        Ok(())
    }

    fn inflate(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let limit = self.inflated_limit();
        let (Some(inflater), buffer) = (&mut self.inflater, &mut self.buffer) else {
            return Ok(());
        };
        inflater.push(bytes, &mut |piece| buffer.push_within(piece, limit))
    }

    fn finish_inflating(&mut self) -> Result<(), FrameError> {
        let limit = self.inflated_limit();
        let (Some(inflater), buffer) = (&mut self.inflater, &mut self.buffer) else {
            return Ok(());
        };
        inflater.finish(&mut |piece| buffer.push_within(piece, limit))
    }

    /// What may come out of a compressed message: fragments are charged there, too.
    fn inflated_limit(&self) -> usize {
        let charge = FRAGMENT_CHARGE.saturating_mul(self.fragments as usize);
        self.limits.max_message_size.saturating_sub(charge)
    }

    fn charge(&mut self, header: &FrameHeader) -> Result<(), FrameError> {
        let mut charge = header.payload_length;
        if !header.fin || header.opcode == Opcode::Continuation {
            if self.fragments == self.limits.max_fragments {
                return Err(FrameError::TooManyFragments {
                    limit: self.limits.max_fragments,
                });
            }
            self.fragments += 1;
            charge = charge.saturating_add(FRAGMENT_CHARGE as u64);
        }
        let size = charge.saturating_add(self.charged as u64);
        let limit = self.limits.max_message_size as u64;
        if size > limit {
            return Err(FrameError::MessageTooBig { size, limit });
        }
        // Below the limit, which is a usize.
        self.charged = size as usize;
        Ok(())
    }
}

impl Buffer {
    fn push(&mut self, bytes: &[u8], ceiling: usize) -> Result<(), FrameError> {
        match self {
            Self::None => {}
            Self::Text(text) => {
                let room = growth(text.len(), text.capacity(), bytes.len(), ceiling);
                if is_large(text.capacity(), text.len() + room) {
                    text.move_to(spare::take(text.len() + room, ceiling));
                }
                text.reserve(room);
                text.push(bytes)?;
            }
            Self::Binary(buffer) => {
                let room = growth(buffer.len(), buffer.capacity(), bytes.len(), ceiling);
                if is_large(buffer.capacity(), buffer.len() + room) {
                    let mut spare = spare::take(buffer.len() + room, ceiling);
                    spare.extend_from_slice(buffer);
                    *buffer = spare;
                }
                buffer.reserve_exact(room);
                buffer.extend_from_slice(bytes);
            }
        }
        Ok(())
    }

    /// The same for bytes that nobody announced.
    fn push_within(&mut self, bytes: &[u8], limit: usize) -> Result<(), FrameError> {
        let size = self.len() + bytes.len();
        if size > limit {
            let (size, limit) = (size as u64, limit as u64);
            return Err(FrameError::MessageTooBig { size, limit });
        }
        self.push(bytes, limit)
    }

    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// Whether a message just became too large for what it lies in, and large enough for a buffer that was kept.
fn is_large(capacity: usize, needed: usize) -> bool {
    capacity < spare::LARGE && needed >= spare::LARGE
}

/// How much to reserve: twice what there is, but not beyond what the message can need.
fn growth(length: usize, capacity: usize, additional: usize, ceiling: usize) -> usize {
    let needed = length + additional;
    if needed <= capacity {
        return 0;
    }
    needed.max(capacity.saturating_mul(2).min(ceiling)) - length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(opcode: Opcode, fin: bool, length: u64) -> FrameHeader {
        FrameHeader::new(opcode, length).with_fin(fin)
    }

    #[test]
    fn memory_follows_what_came_not_what_was_announced() {
        let mut assembler = Assembler::new(Limits::default());

        assembler
            .start_frame(&header(Opcode::Binary, true, 1 << 20))
            .unwrap();
        assert_eq!(assembler.memory(), 0);
        assembler.push(&[0; 1000]).unwrap();

        assert!(assembler.memory() < 3000, "{} bytes", assembler.memory());
    }

    #[test]
    fn memory_stops_at_the_limit_or_the_announced_length() {
        for (limit, announced) in [(1000, 1000), (5000, 1000)] {
            let mut assembler = Assembler::new(Limits::default().message_size(limit));
            assembler
                .start_frame(&header(Opcode::Binary, true, announced))
                .unwrap();

            assembler.push(&[0; 600]).unwrap();
            assembler.push(&[0; 300]).unwrap();

            assert_eq!(assembler.memory(), 1000, "limit {limit}");
        }
    }

    #[test]
    fn each_fragment_is_charged_a_hundred_bytes() {
        let limits = Limits::default().message_size(1000);
        let mut assembler = Assembler::new(limits);

        assembler
            .push_frame(&header(Opcode::Binary, false, 0), b"")
            .unwrap();
        for _ in 0..9 {
            assembler
                .push_frame(&header(Opcode::Continuation, false, 0), b"")
                .unwrap();
        }
        let eleventh = assembler.start_frame(&header(Opcode::Continuation, false, 0));

        assert_eq!(
            eleventh,
            Err(FrameError::MessageTooBig {
                size: 1100,
                limit: 1000
            })
        );
    }

    #[test]
    fn a_whole_message_is_charged_its_payload_only() {
        let mut assembler = Assembler::new(Limits::default().message_size(4));

        let message = assembler
            .push_frame(&header(Opcode::Text, true, 4), b"four")
            .unwrap();

        assert_eq!(message, Some(Message::text("four")));
        assert!(assembler.is_idle());
        assert_eq!(assembler.memory(), 0);
    }
}
