//! The receiving side of an engine: from what a socket read to messages and control frames. Sends and decides nothing.

use super::Inflater;
use super::{
    Assembler, CloseRef, FrameError, FrameHeader, FrameParser, FramePart, Limits, MessageRef,
    Opcode, Parsed, Role, unmask,
};

/// Turns received bytes into [`Event`]s, borrowed where that is possible.
///
/// A message that lies whole and in one frame in the input is unmasked there and handed out without a copy. Only what
/// a read cuts, or a peer fragments, is kept in memory of the decoder's own; that is allocated as bytes arrive, stays
/// below the limits, and is gone once the message is done.
///
/// The caller reads into a buffer of its own and calls [`decode`](Self::decode) until no event comes any more; the
/// buffer is then free for the next read. See [the module](super) for the loop.
#[derive(Debug)]
pub struct Decoder {
    parser: FrameParser,
    assembler: Assembler,
    /// A control frame that a read cut. It may come between fragments, so it needs a place of its own.
    control: Vec<u8>,
    /// The opcode of the control frame that is open now, if one is.
    control_opcode: Option<Opcode>,
    /// After CLOSE or an error nothing that arrives has a meaning.
    deaf: bool,
}

/// What one call of [`Decoder::decode`] made of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// How many bytes of the input are done with. The event may borrow from them.
    pub consumed: usize,
    /// The next event; `None` if more bytes are needed, and then all were consumed.
    pub event: Option<Event<'a>>,
}

/// What arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message; if it is text, it is valid UTF-8.
    Message(MessageRef<'a>),
    /// A ping, to be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// The peer's CLOSE, checked. No event comes after it.
    Close(CloseRef<'a>),
}

impl Decoder {
    /// A decoder for the frames that arrive at this end.
    pub fn new(role: Role, limits: Limits) -> Self {
        Self {
            parser: FrameParser::new(role).max_payload(limits.max_message_size as u64),
            assembler: Assembler::new(limits),
            control: Vec::new(),
            control_opcode: None,
            deaf: false,
        }
    }

    /// Takes compressed messages, too, once permessage-deflate was agreed on.
    #[cfg_attr(not(feature = "compression"), doc(hidden))]
    #[must_use]
    pub fn with_inflater(mut self, inflater: Inflater) -> Self {
        self.parser = self.parser.allow_rsv1(true);
        self.assembler = self.assembler.with_inflater(inflater);
        self
    }

    /// Whether nothing is held: no part of a frame, no part of a message.
    pub fn is_idle(&self) -> bool {
        self.parser.is_idle() && self.assembler.is_idle()
    }

    /// How many bytes are allocated now, besides the decoder itself and what an inflater remembers.
    pub fn memory(&self) -> usize {
        self.assembler.memory() + self.control.capacity()
    }

    /// Reads the next event from the beginning of `input`, whose bytes it may change.
    ///
    /// Call it again with what is left until it returns no event: only that call consumes the rest, and frees what the
    /// event before it borrowed from the decoder. After a CLOSE or an error everything is consumed and nothing comes.
    ///
    /// # Errors
    ///
    /// The first rule that the peer broke. [`FrameError::close_code`] is what to tell it; the stream is of no more use.
    #[inline]
    pub fn decode<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Decoded<'a>, FrameError> {
        self.release();
        let Step { consumed, found } = self.step(input).inspect_err(|_| self.go_deaf())?;
        let event = match found {
            Found::Nothing => None,
            Found::Frame { opcode, start } => {
                let event = read_whole(opcode, &input[start..consumed]);
                if event.is_err() || opcode == Opcode::Close {
                    self.go_deaf();
                }
                Some(event?)
            }
            Found::Control(opcode) => {
                if opcode == Opcode::Close {
                    self.go_deaf();
                }
                Some(read_whole(opcode, &self.control)?)
            }
            Found::Message => self.assembler.message().map(Event::Message),
        };
        Ok(Decoded { consumed, event })
    }

    #[inline]
    fn step(&mut self, input: &mut [u8]) -> Result<Step, FrameError> {
        let mut at = 0;
        while !self.deaf {
            if let Some(step) = self.whole_frame(input, at)? {
                return Ok(step);
            }
            let Parsed { consumed, part } = self.parser.parse(&mut input[at..])?;
            at += consumed;
            let Some(part) = part else {
                break;
            };
            if let Some(found) = self.take_part(part)? {
                return Ok(Step {
                    consumed: at,
                    found,
                });
            }
        }
        Ok(Step {
            consumed: input.len(),
            found: Found::Nothing,
        })
    }

    /// The way that most frames take: whole in the input, and not part of a fragmented message.
    #[inline]
    fn whole_frame(&self, input: &mut [u8], at: usize) -> Result<Option<Step>, FrameError> {
        if !self.parser.is_idle() {
            return Ok(None);
        }
        let Some((header, length)) = self.parser.header(&input[at..])? else {
            return Ok(None);
        };
        let start = at + length;
        let rest = &mut input[start..];
        if !self.stands_alone(&header) || header.payload_length > rest.len() as u64 {
            return Ok(None);
        }
        let payload = &mut rest[..header.payload_length as usize];
        if let Some(key) = header.masking_key {
            unmask(payload, key, 0);
        }
        Ok(Some(Step {
            consumed: start + payload.len(),
            found: Found::Frame {
                opcode: header.opcode,
                start,
            },
        }))
    }

    fn stands_alone(&self, header: &FrameHeader) -> bool {
        match header.opcode {
            // What is compressed has no form in the input that could be handed out.
            Opcode::Text | Opcode::Binary => header.fin && !header.rsv1 && self.assembler.is_idle(),
            opcode => opcode.is_control(),
        }
    }

    /// Keeps a part of a frame that is not whole in the input, or belongs to a fragmented message.
    fn take_part(&mut self, part: FramePart<'_>) -> Result<Option<Found>, FrameError> {
        match part {
            FramePart::Header(header) if header.opcode.is_control() => {
                self.control_opcode = Some(header.opcode);
            }
            FramePart::Header(header) => self.assembler.start_frame(&header)?,
            FramePart::Payload { bytes, end } => return self.take_payload(bytes, end),
        }
        Ok(None)
    }

    fn take_payload(&mut self, bytes: &[u8], end: bool) -> Result<Option<Found>, FrameError> {
        if let Some(opcode) = self.control_opcode {
            // At most 125 bytes: the parser saw to it.
            self.control.extend_from_slice(bytes);
            return Ok(end.then(|| {
                self.control_opcode = None;
                Found::Control(opcode)
            }));
        }
        self.assembler.push(bytes)?;
        let complete = end && self.assembler.end_frame()?;
        Ok(complete.then_some(Found::Message))
    }

    /// Frees what the last event borrowed.
    #[inline]
    fn release(&mut self) {
        self.assembler.release();
        if self.control_opcode.is_none() && self.control.capacity() > 0 {
            self.control = Vec::new();
        }
    }

    #[cold]
    fn go_deaf(&mut self) {
        self.deaf = true;
        self.control_opcode = None;
        self.assembler.clear();
    }
}

/// How far the input was read, and what was found there: no borrow, so the ways above may look at the input again.
struct Step {
    consumed: usize,
    found: Found,
}

enum Found {
    Nothing,
    /// A whole frame in the input; its payload goes from `start` to what was consumed.
    Frame {
        opcode: Opcode,
        start: usize,
    },
    /// A control frame, in the decoder's memory.
    Control(Opcode),
    /// A message, in the assembler's memory.
    Message,
}

/// Reads a frame that is an event of its own.
#[inline]
fn read_whole(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, FrameError> {
    Ok(match opcode {
        Opcode::Text => match simdutf8::basic::from_utf8(payload) {
            Ok(text) => Event::Message(MessageRef::Text(text)),
            Err(_) => return Err(FrameError::InvalidUtf8),
        },
        Opcode::Binary => Event::Message(MessageRef::Binary(payload)),
        Opcode::Close => Event::Close(CloseRef::parse(payload)?),
        Opcode::Ping => Event::Ping(payload),
        Opcode::Pong => Event::Pong(payload),
        Opcode::Continuation | Opcode::Unknown(_) => {
            return Err(FrameError::UnknownOpcode {
                opcode: opcode.to_bits(),
            });
        }
    })
}
