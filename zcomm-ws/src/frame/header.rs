//! A frame's header as a value, to and from bytes. Knows the layout only, not what is allowed.

use super::Opcode;

/// The longest header: two bytes, an eight-byte length, a masking key.
pub const MAX_HEADER: usize = 14;

/// The longest payload of a control frame (RFC 6455 §5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;
const RSV3: u8 = 0x10;
const MASKED: u8 = 0x80;

/// The header of a frame (RFC 6455 §5.2).
///
/// ```
/// use zcomm_ws::frame::{FrameHeader, Opcode};
///
/// // Text frame: FIN=1, opcode=1, unmasked, length=5, payload="Hello"
/// let frame = [0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];
///
/// let (header, length) = FrameHeader::decode(&frame).unwrap();
/// assert!(header.fin);
/// assert_eq!(header.opcode, Opcode::Text);
/// assert!(!header.is_masked());
/// assert_eq!(header.payload_length, 5);
/// assert_eq!(&frame[length..], b"Hello");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameHeader {
    /// Whether this is the message's last frame.
    pub fin: bool,
    /// Reserved; permessage-deflate marks a compressed message with it.
    pub rsv1: bool,
    /// Reserved.
    pub rsv2: bool,
    /// Reserved.
    pub rsv3: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The key that the payload is masked with; `None` if it isn't.
    pub masking_key: Option<[u8; 4]>,
    /// How many bytes follow the header, as announced: not yet received, not yet allowed.
    pub payload_length: u64,
}

impl FrameHeader {
    /// A whole, unmasked frame's header.
    pub fn new(opcode: Opcode, payload_length: u64) -> Self {
        Self {
            fin: true,
            rsv1: false,
            rsv2: false,
            rsv3: false,
            opcode,
            masking_key: None,
            payload_length,
        }
    }

    /// Says whether this is the message's last frame.
    #[must_use]
    pub fn with_fin(mut self, fin: bool) -> Self {
        self.fin = fin;
        self
    }

    /// Says whether this begins a compressed message.
    #[must_use]
    pub fn with_rsv1(mut self, rsv1: bool) -> Self {
        self.rsv1 = rsv1;
        self
    }

    /// Sets the masking key.
    #[must_use]
    pub fn with_mask(mut self, key: Option<[u8; 4]>) -> Self {
        self.masking_key = key;
        self
    }

    /// Whether the payload is masked.
    pub fn is_masked(&self) -> bool {
        self.masking_key.is_some()
    }

    /// Reads a header and its length in bytes; `None` if the input ends inside it.
    ///
    /// Nothing is judged here, so a tool can look at frames that a [`FrameParser`](super::FrameParser) refuses.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (payload_length, rest) = match second & !MASKED {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let (masking_key, rest) = if second & MASKED == 0 {
            (None, rest)
        } else {
            let (key, rest) = rest.split_first_chunk()?;
            (Some(*key), rest)
        };
        let header = Self {
            fin: first & FIN != 0,
            rsv1: first & RSV1 != 0,
            rsv2: first & RSV2 != 0,
            rsv3: first & RSV3 != 0,
            opcode: Opcode::from_bits(first),
            masking_key,
            payload_length,
        };
        Some((header, bytes.len() - rest.len()))
    }

    /// Writes the header, with the shortest form of its length.
    #[inline]
    pub fn encode(&self) -> EncodedHeader {
        let mut encoded = EncodedHeader {
            bytes: [0; MAX_HEADER],
            length: 0,
        };
        encoded.push(&[self.first_byte()]);
        let masked = if self.is_masked() { MASKED } else { 0 };
        match self.payload_length {
            short @ 0..=125 => encoded.push(&[masked | short as u8]),
            medium @ 126..=0xFFFF => {
                encoded.push(&[masked | 126]);
                encoded.push(&(medium as u16).to_be_bytes());
            }
            long => {
                encoded.push(&[masked | 127]);
                encoded.push(&long.to_be_bytes());
            }
        }
        if let Some(key) = &self.masking_key {
            encoded.push(key);
        }
        encoded
    }

    fn first_byte(&self) -> u8 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        flag(self.fin, FIN)
            | flag(self.rsv1, RSV1)
            | flag(self.rsv2, RSV2)
            | flag(self.rsv3, RSV3)
            | self.opcode.to_bits()
    }
}

/// A header's bytes, on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodedHeader {
    bytes: [u8; MAX_HEADER],
    length: u8,
}

impl EncodedHeader {
    /// The bytes as they go over the wire.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    #[inline]
    fn push(&mut self, part: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + part.len()].copy_from_slice(part);
        self.length += part.len() as u8;
    }
}

impl AsRef<[u8]> for EncodedHeader {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: FrameHeader, bytes: &[u8]) {
        assert_eq!(header.encode().as_bytes(), bytes);
        assert_eq!(FrameHeader::decode(bytes), Some((header, bytes.len())));
        for cut in 0..bytes.len() {
            assert_eq!(FrameHeader::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        check(FrameHeader::new(Opcode::Text, 0), b"\x81\x00");
        check(FrameHeader::new(Opcode::Binary, 125), b"\x82\x7d");
        check(FrameHeader::new(Opcode::Binary, 126), b"\x82\x7e\x00\x7e");
        check(
            FrameHeader::new(Opcode::Binary, 0xFFFF),
            b"\x82\x7e\xff\xff",
        );
        check(
            FrameHeader::new(Opcode::Binary, 0x1_0000),
            b"\x82\x7f\0\0\0\0\0\x01\0\0",
        );
    }

    #[test]
    fn flags_and_key_have_their_places() {
        let masked = FrameHeader::new(Opcode::Ping, 1).with_mask(Some(*b"mask"));
        check(masked, b"\x89\x81mask");

        let longest = FrameHeader::new(Opcode::Continuation, u64::MAX)
            .with_fin(false)
            .with_mask(Some(*b"mask"));
        check(longest, b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xffmask");

        for (bit, header) in [(0x40, 1), (0x20, 2), (0x10, 3)].map(|(bit, rsv)| {
            let mut header = FrameHeader::new(Opcode::Text, 0);
            (header.rsv1, header.rsv2, header.rsv3) = (rsv == 1, rsv == 2, rsv == 3);
            (bit, header)
        }) {
            check(header, &[0x81 | bit, 0]);
        }
    }
}
