//! The four bits that say what a frame is. Judges none of them: that is the parser's task.

/// What a frame is (RFC 6455 §5.2). Values that no RFC defines are kept, not refused.
///
/// ```
/// use zcomm_ws::frame::Opcode;
///
/// assert!(Opcode::Ping.is_control());
/// assert!(Opcode::Pong.is_control());
/// assert!(Opcode::Close.is_control());
/// assert!(!Opcode::Text.is_control());
///
/// assert_eq!(Opcode::from_bits(0x3), Opcode::Unknown(0x3));
/// assert!(Opcode::from_bits(0xB).is_control());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0: goes on with the message of the frame before.
    Continuation,
    /// 0x1: text, UTF-8.
    Text,
    /// 0x2: any bytes.
    Binary,
    /// 0x8: the last frame of a side.
    Close,
    /// 0x9: asks for a pong.
    Ping,
    /// 0xA: answers a ping.
    Pong,
    /// 0x3 to 0x7 (data) and 0xB to 0xF (control), reserved by the RFC. A [`FrameParser`](super::FrameParser) refuses them.
    Unknown(u8),
}

impl Opcode {
    /// Reads an opcode from the low four bits of a frame's first byte; the others are ignored.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 0x0F {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            unknown => Self::Unknown(unknown),
        }
    }

    /// The opcode as the low four bits of a byte.
    pub fn to_bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
            Self::Unknown(bits) => bits & 0x0F,
        }
    }

    /// Whether this is a control frame: whole, at most 125 bytes, allowed between fragments. 0xB to 0xF are.
    pub fn is_control(self) -> bool {
        self.to_bits() & 0x8 != 0
    }

    /// Whether this is part of a message.
    pub fn is_data(self) -> bool {
        !self.is_control()
    }

    /// Whether an RFC gives this opcode a meaning.
    pub fn is_known(self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_four_bits_survives_a_round_trip() {
        for bits in 0x0..=0xF {
            let opcode = Opcode::from_bits(bits);

            assert_eq!(opcode.to_bits(), bits);
            assert_eq!(opcode.is_control(), bits >= 0x8, "opcode {bits:#x}");
            assert_eq!(
                opcode.is_known(),
                matches!(bits, 0..=2 | 8..=10),
                "opcode {bits:#x}"
            );
        }
    }
}
