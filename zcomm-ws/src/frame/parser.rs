//! Frames out of bytes, strictly as RFC 6455 §5 has them. Knows single frames, no messages.

use super::{FrameError, FrameHeader, MAX_CONTROL_PAYLOAD, MAX_HEADER, Opcode, Role, unmask};

const RESERVED: u8 = 0x70;
const RSV1: u8 = 0x40;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// An incremental parser of frames: input may end anywhere, nothing is lost and nothing is held but a header.
///
/// Payloads are handed on as they come, unmasked in place. Every rule that one frame can break is checked as soon as
/// the byte is there that breaks it.
///
/// ```
/// use zcomm_ws::frame::{FrameError, FrameParser, Opcode, Role};
///
/// let frame = [0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];
///
/// let (header, length) = FrameParser::new(Role::Client).header(&frame)?.unwrap();
/// assert_eq!((header.opcode, header.payload_length, length), (Opcode::Text, 5, 2));
///
/// // Not all there yet.
/// assert_eq!(FrameParser::new(Role::Client).header(&frame[..1])?, None);
/// // From a client, this frame would have to be masked.
/// assert_eq!(FrameParser::new(Role::Server).header(&frame), Err(FrameError::Unmasked));
/// # Ok::<(), FrameError>(())
/// ```
#[derive(Debug)]
pub struct FrameParser {
    role: Role,
    rsv1: bool,
    max_payload: u64,
    head: [u8; MAX_HEADER],
    head_length: u8,
    open: Option<OpenFrame>,
}

/// A frame whose header was handed on and whose payload was not, or not all.
#[derive(Debug)]
struct OpenFrame {
    key: Option<[u8; 4]>,
    received: u64,
    length: u64,
}

/// What one call of [`FrameParser::parse`] made of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// How many bytes of the input are done with.
    pub consumed: usize,
    /// The next part; `None` if more bytes are needed, and then all were consumed.
    pub part: Option<FramePart<'a>>,
}

/// A part of a frame. Each frame is one header and at least one payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramePart<'a> {
    /// The next frame's header, checked.
    Header(FrameHeader),
    /// Some of its payload, unmasked.
    Payload {
        /// The bytes; empty for an empty frame.
        bytes: &'a [u8],
        /// Whether the frame ends with them.
        end: bool,
    },
}

impl FrameParser {
    /// A parser for the frames that arrive at this end. No extension, no limit but the protocol's.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            rsv1: false,
            max_payload: u64::MAX,
            head: [0; MAX_HEADER],
            head_length: 0,
            open: None,
        }
    }

    /// Refuses data frames that announce more than this.
    #[must_use]
    pub fn max_payload(mut self, bytes: u64) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Allows RSV1 on a message's first frame, as permessage-deflate needs once it is negotiated (RFC 7692 §6).
    #[must_use]
    pub fn allow_rsv1(mut self, allowed: bool) -> Self {
        self.rsv1 = allowed;
        self
    }

    /// Whether the parser stands between two frames.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.open.is_none() && self.head_length == 0
    }

    /// Reads and checks the header at the beginning of `bytes`, and says how long it is. Keeps nothing.
    ///
    /// # Errors
    ///
    /// The first rule that the header breaks, even if it isn't all there yet.
    #[inline]
    pub fn header(&self, bytes: &[u8]) -> Result<Option<(FrameHeader, usize)>, FrameError> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        self.check_flags(first, second)?;
        let Some((header, length)) = FrameHeader::decode(bytes) else {
            return Ok(None);
        };
        self.check_length(&header, second)?;
        Ok(Some((header, length)))
    }

    /// Reads the next part of a frame from the beginning of `input`.
    ///
    /// After an error the position inside the stream is lost: the connection has to be closed.
    ///
    /// ```
    /// use zcomm_ws::frame::{FrameParser, FramePart, Role};
    ///
    /// let mut parser = FrameParser::new(Role::Server);
    /// let mut hello = Vec::new();
    /// // Byte by byte, and still nothing is lost.
    /// for mut byte in *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" {
    ///     let mut input = std::slice::from_mut(&mut byte);
    ///     loop {
    ///         let parsed = parser.parse(input)?;
    ///         match parsed.part {
    ///             Some(FramePart::Payload { bytes, .. }) => hello.extend_from_slice(bytes),
    ///             Some(FramePart::Header(header)) => assert_eq!(header.payload_length, 5),
    ///             None => break,
    ///         }
    ///         let consumed = parsed.consumed;
    ///         input = &mut input[consumed..];
    ///     }
    /// }
    /// assert_eq!(hello, b"Hello");
    /// # Ok::<(), zcomm_ws::frame::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first rule that the frame breaks.
    pub fn parse<'a>(&mut self, input: &'a mut [u8]) -> Result<Parsed<'a>, FrameError> {
        if self.open.is_some() {
            Ok(self.parse_payload(input))
        } else {
            self.parse_header(input)
        }
    }

    fn parse_header<'a>(&mut self, input: &[u8]) -> Result<Parsed<'a>, FrameError> {
        let held = usize::from(self.head_length);
        let taken = input.len().min(MAX_HEADER - held);
        let filled = held + taken;
        self.head[held..filled].copy_from_slice(&input[..taken]);
        let Some((header, length)) = self.header(&self.head[..filled])? else {
            // A header has at most as many bytes as fit, so an incomplete one took all there was.
            self.head_length = filled as u8;
            return Ok(Parsed {
                consumed: taken,
                part: None,
            });
        };
        self.head_length = 0;
        self.open = Some(OpenFrame {
            key: header.masking_key,
            received: 0,
            length: header.payload_length,
        });
        Ok(Parsed {
            consumed: length - held,
            part: Some(FramePart::Header(header)),
        })
    }

    fn parse_payload<'a>(&mut self, input: &'a mut [u8]) -> Parsed<'a> {
        let nothing = Parsed {
            consumed: 0,
            part: None,
        };
        let Some(frame) = &mut self.open else {
            return nothing;
        };
        let missing = frame.length - frame.received;
        if missing > 0 && input.is_empty() {
            return nothing;
        }
        let taken = usize::try_from(missing)
            .unwrap_or(usize::MAX)
            .min(input.len());
        let bytes = &mut input[..taken];
        if let Some(key) = frame.key {
            // Only the offset's two lowest bits count.
            unmask(bytes, key, (frame.received % 4) as usize);
        }
        frame.received += taken as u64;
        let end = frame.received == frame.length;
        if end {
            self.open = None;
        }
        Parsed {
            consumed: taken,
            part: Some(FramePart::Payload { bytes, end }),
        }
    }

    /// Checks what the first two bytes say.
    #[inline]
    fn check_flags(&self, first: u8, second: u8) -> Result<(), FrameError> {
        let opcode = Opcode::from_bits(first);
        let reserved = first & RESERVED;
        if reserved != 0
            && !(self.rsv1 && reserved == RSV1 && matches!(opcode, Opcode::Text | Opcode::Binary))
        {
            return Err(FrameError::ReservedBits {
                bits: reserved >> 4,
            });
        }
        if let Opcode::Unknown(opcode) = opcode {
            return Err(FrameError::UnknownOpcode { opcode });
        }
        if opcode.is_control() && first & FIN == 0 {
            return Err(FrameError::ControlFragmented { opcode });
        }
        match (second & MASKED != 0, self.role.receives_masked()) {
            (false, true) => return Err(FrameError::Unmasked),
            (true, false) => return Err(FrameError::Masked),
            _ => {}
        }
        if opcode.is_control() && usize::from(second & !MASKED) > MAX_CONTROL_PAYLOAD {
            return Err(FrameError::ControlTooLong { opcode });
        }
        Ok(())
    }

    /// Checks a length that took more than seven bits, and every data frame's size.
    #[inline]
    fn check_length(&self, header: &FrameHeader, second: u8) -> Result<(), FrameError> {
        let length = header.payload_length;
        match second & !MASKED {
            126 if length < 126 => return Err(FrameError::LengthNotMinimal { length }),
            127 if length > i64::MAX as u64 => return Err(FrameError::LengthOverflow { length }),
            127 if length <= u64::from(u16::MAX) => {
                return Err(FrameError::LengthNotMinimal { length });
            }
            _ => {}
        }
        if header.opcode.is_data() && length > self.max_payload {
            return Err(FrameError::MessageTooBig {
                size: length,
                limit: self.max_payload,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(parser: &FrameParser, first: u8) -> Result<u8, FrameError> {
        let header = parser
            .header(&[first, 0])
            .map(|header| header.expect("two bytes are all of it").0);
        header.map(|header| u8::from(header.rsv1))
    }

    #[test]
    fn negotiated_rsv1_marks_the_first_frame_of_a_message_only() {
        let parser = FrameParser::new(Role::Client).allow_rsv1(true);

        for first in [0xC1, 0xC2, 0x41, 0x42] {
            assert_eq!(flags(&parser, first), Ok(1), "{first:#x}");
        }
        assert_eq!(flags(&parser, 0x81), Ok(0));
        // Continuation, close, ping, pong.
        for first in [0xC0, 0xC8, 0xC9, 0xCA] {
            assert_eq!(
                flags(&parser, first),
                Err(FrameError::ReservedBits { bits: 0b100 }),
                "{first:#x}"
            );
        }
        assert_eq!(
            flags(&parser, 0xE1),
            Err(FrameError::ReservedBits { bits: 0b110 })
        );
        assert_eq!(
            flags(&parser, 0xD1),
            Err(FrameError::ReservedBits { bits: 0b101 })
        );
    }

    #[test]
    fn a_limit_is_for_data_frames() {
        let parser = FrameParser::new(Role::Client).max_payload(10);

        let text = parser.header(&[0x81, 11]);
        let ping = parser.header(&[0x89, 11]).map(|header| header.is_some());

        assert_eq!(
            text,
            Err(FrameError::MessageTooBig {
                size: 11,
                limit: 10
            })
        );
        assert_eq!(ping, Ok(true));
    }
}
