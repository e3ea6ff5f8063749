//! What can be wrong with a frame or a message, and what the peer is told about it.

use super::{CloseCode, Opcode};

/// Why a frame or message was refused, or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Reserved bits are set that no negotiated extension uses.
    #[error("reserved bits {bits:#05b} are set, and no extension that uses them was negotiated")]
    ReservedBits {
        /// RSV1, RSV2 and RSV3 as three bits.
        bits: u8,
    },
    /// The opcode has no meaning.
    #[error("opcode {opcode:#x} is reserved")]
    UnknownOpcode {
        /// The four bits.
        opcode: u8,
    },
    /// A client sent an unmasked frame.
    #[error("a client's frame is not masked")]
    Unmasked,
    /// A server sent a masked frame.
    #[error("a server's frame is masked")]
    Masked,
    /// A control frame without FIN.
    #[error("a control frame ({opcode:?}) is fragmented")]
    ControlFragmented {
        /// What it was.
        opcode: Opcode,
    },
    /// A control frame of more than 125 bytes, received or to be sent.
    #[error("a control frame ({opcode:?}) is longer than 125 bytes")]
    ControlTooLong {
        /// What it was.
        opcode: Opcode,
    },
    /// A length in more bytes than it needs.
    #[error("length {length} is not in its shortest form")]
    LengthNotMinimal {
        /// The length.
        length: u64,
    },
    /// A length with its highest bit set.
    #[error("length {length} is beyond 63 bits")]
    LengthOverflow {
        /// The length.
        length: u64,
    },
    /// A continuation frame while no message is open.
    #[error("a continuation frame continues no message")]
    ContinuationWithoutStart,
    /// A new message before the last frame of the one before.
    #[error("a new message began inside a fragmented one")]
    MessageInterrupted,
    /// A message, fragments charged, beyond the limit.
    #[error("a message of {size} bytes or more is beyond the limit of {limit}")]
    MessageTooBig {
        /// Its size as far as known.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A message in too many fragments.
    #[error("a message of more than {limit} fragments")]
    TooManyFragments {
        /// The limit.
        limit: u32,
    },
    /// A text message or a close reason that isn't UTF-8.
    #[error("text is not valid UTF-8")]
    InvalidUtf8,
    /// A compressed message that cannot be inflated.
    #[error("a compressed message cannot be inflated")]
    InvalidDeflate,
    /// A CLOSE whose payload is a single byte.
    #[error("a close frame holds half a code")]
    CloseTooShort,
    /// A close code that may not be sent, received or to be sent.
    #[error("close code {code} may not be sent")]
    CloseCodeInvalid {
        /// The code.
        code: u16,
    },
    /// The operating system gave no random bytes for a masking key.
    #[error("no random bytes for a key (os error {os_error:?})")]
    RandomUnavailable {
        /// The system's error number, where it gave one.
        os_error: Option<i32>,
    },
}

impl FrameError {
    /// The code to close the connection with.
    ///
    /// ```
    /// use zcomm_ws::frame::{CloseCode, FrameError};
    ///
    /// assert_eq!(FrameError::Unmasked.close_code(), CloseCode::ProtocolError);
    /// assert_eq!(FrameError::InvalidUtf8.close_code(), CloseCode::InvalidData);
    /// ```
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidDeflate => CloseCode::InvalidData,
            Self::MessageTooBig { .. } | Self::TooManyFragments { .. } => CloseCode::MessageTooBig,
            Self::RandomUnavailable { .. } => CloseCode::InternalError,
            _ => CloseCode::ProtocolError,
        }
    }

    /// A stable name for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReservedBits { .. } => "reserved_bits",
            Self::UnknownOpcode { .. } => "unknown_opcode",
            Self::Unmasked => "unmasked",
            Self::Masked => "masked",
            Self::ControlFragmented { .. } => "control_fragmented",
            Self::ControlTooLong { .. } => "control_too_long",
            Self::LengthNotMinimal { .. } => "length_not_minimal",
            Self::LengthOverflow { .. } => "length_overflow",
            Self::ContinuationWithoutStart => "continuation_without_start",
            Self::MessageInterrupted => "message_interrupted",
            Self::MessageTooBig { .. } => "message_too_big",
            Self::TooManyFragments { .. } => "too_many_fragments",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::InvalidDeflate => "invalid_deflate",
            Self::CloseTooShort => "close_too_short",
            Self::CloseCodeInvalid { .. } => "close_code_invalid",
            Self::RandomUnavailable { .. } => "random_unavailable",
        }
    }

    /// Whether the same call may succeed later: only where randomness was missing.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::RandomUnavailable { .. })
    }
}
