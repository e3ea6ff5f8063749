//! Close codes and the payload of a CLOSE frame. Decides nothing about when one is sent.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::{FrameError, MAX_CONTROL_PAYLOAD};

/// The longest reason in a CLOSE frame: a control frame's payload less the code.
pub const MAX_REASON: usize = MAX_CONTROL_PAYLOAD - 2;

/// Why a connection ends (RFC 6455 §7.4, its registry, and zcomm's own 4001 to 4005).
///
/// Two codes are equal if their numbers are.
///
/// ```
/// use zcomm_ws::frame::CloseCode;
///
/// assert_eq!(CloseCode::from(1000), CloseCode::Normal);
/// assert_eq!(CloseCode::Normal.to_string(), "Normal Closure");
/// assert_eq!(u16::from(CloseCode::SlowConsumer), 4002);
/// assert_eq!(CloseCode::from(4321), CloseCode::Other(4321));
/// assert_eq!(CloseCode::Other(4321).to_string(), "4321");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum CloseCode {
    /// 1000: done.
    Normal,
    /// 1001: the server shuts down, or the page was left.
    GoingAway,
    /// 1002: the peer broke the protocol.
    ProtocolError,
    /// 1003: a kind of data that isn't taken here.
    UnsupportedData,
    /// 1005: the CLOSE held no code. Only reported, never sent.
    NoStatus,
    /// 1006: the connection ended without a CLOSE. Only reported, never sent.
    Abnormal,
    /// 1007: text that isn't UTF-8.
    InvalidData,
    /// 1008: refused.
    PolicyViolation,
    /// 1009: a message beyond the limit.
    MessageTooBig,
    /// 1010: the server didn't agree to an extension that the client needs.
    MandatoryExtension,
    /// 1011: the server failed.
    InternalError,
    /// 1012: the service restarts.
    ServiceRestart,
    /// 1013: the service is overloaded.
    TryAgainLater,
    /// 1014: a gateway got a bad answer.
    BadGateway,
    /// 1015: the TLS handshake failed. Only reported, never sent.
    TlsHandshake,
    /// 4001: the token expired.
    TokenExpired,
    /// 4002: the peer reads too slowly.
    SlowConsumer,
    /// 4003: no pong came.
    NoPong,
    /// 4004: too many messages.
    RateExceeded,
    /// 4005: no authentication in time.
    AuthTimeout,
    /// Any other number.
    Other(u16),
}

impl CloseCode {
    /// Whether a CLOSE frame may carry this code.
    ///
    /// 1005, 1006 and 1015 are for reports only, 1004 and the rest below 3000 are reserved, 5000 and more undefined.
    pub fn is_sendable(self) -> bool {
        matches!(u16::from(self), 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        match code {
            1000 => Self::Normal,
            1001 => Self::GoingAway,
            1002 => Self::ProtocolError,
            1003 => Self::UnsupportedData,
            1005 => Self::NoStatus,
            1006 => Self::Abnormal,
            1007 => Self::InvalidData,
            1008 => Self::PolicyViolation,
            1009 => Self::MessageTooBig,
            1010 => Self::MandatoryExtension,
            1011 => Self::InternalError,
            1012 => Self::ServiceRestart,
            1013 => Self::TryAgainLater,
            1014 => Self::BadGateway,
            1015 => Self::TlsHandshake,
            4001 => Self::TokenExpired,
            4002 => Self::SlowConsumer,
            4003 => Self::NoPong,
            4004 => Self::RateExceeded,
            4005 => Self::AuthTimeout,
            other => Self::Other(other),
        }
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        match code {
            CloseCode::Normal => 1000,
            CloseCode::GoingAway => 1001,
            CloseCode::ProtocolError => 1002,
            CloseCode::UnsupportedData => 1003,
            CloseCode::NoStatus => 1005,
            CloseCode::Abnormal => 1006,
            CloseCode::InvalidData => 1007,
            CloseCode::PolicyViolation => 1008,
            CloseCode::MessageTooBig => 1009,
            CloseCode::MandatoryExtension => 1010,
            CloseCode::InternalError => 1011,
            CloseCode::ServiceRestart => 1012,
            CloseCode::TryAgainLater => 1013,
            CloseCode::BadGateway => 1014,
            CloseCode::TlsHandshake => 1015,
            CloseCode::TokenExpired => 4001,
            CloseCode::SlowConsumer => 4002,
            CloseCode::NoPong => 4003,
            CloseCode::RateExceeded => 4004,
            CloseCode::AuthTimeout => 4005,
            CloseCode::Other(code) => code,
        }
    }
}

impl PartialEq for CloseCode {
    fn eq(&self, other: &Self) -> bool {
        u16::from(*self) == u16::from(*other)
    }
}

impl Eq for CloseCode {}

impl Hash for CloseCode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        u16::from(*self).hash(state);
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "Normal Closure",
            Self::GoingAway => "Going Away",
            Self::ProtocolError => "Protocol Error",
            Self::UnsupportedData => "Unsupported Data",
            Self::NoStatus => "No Status Received",
            Self::Abnormal => "Abnormal Closure",
            Self::InvalidData => "Invalid Frame Payload Data",
            Self::PolicyViolation => "Policy Violation",
            Self::MessageTooBig => "Message Too Big",
            Self::MandatoryExtension => "Mandatory Extension",
            Self::InternalError => "Internal Server Error",
            Self::ServiceRestart => "Service Restart",
            Self::TryAgainLater => "Try Again Later",
            Self::BadGateway => "Bad Gateway",
            Self::TlsHandshake => "TLS Handshake Failure",
            Self::TokenExpired => "Token Expired",
            Self::SlowConsumer => "Slow Consumer",
            Self::NoPong => "No Pong",
            Self::RateExceeded => "Rate Exceeded",
            Self::AuthTimeout => "Authentication Timeout",
            Self::Other(code) => return code.fmt(f),
        })
    }
}

/// What a received CLOSE says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseRef<'a> {
    /// The code; [`CloseCode::NoStatus`] if the frame was empty.
    pub code: CloseCode,
    /// The reason, at most 123 bytes; often empty.
    pub reason: &'a str,
}

impl<'a> CloseRef<'a> {
    /// Reads the payload of a CLOSE frame.
    ///
    /// ```
    /// use zcomm_ws::frame::{CloseCode, CloseRef};
    ///
    /// let close = CloseRef::parse(b"\x03\xe8Goodbye")?;
    /// assert_eq!((close.code, close.reason), (CloseCode::Normal, "Goodbye"));
    ///
    /// assert_eq!(CloseRef::parse(b"")?.code, CloseCode::NoStatus);
    /// # Ok::<(), zcomm_ws::frame::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Half a code, a code that may not be sent, or a reason that isn't UTF-8.
    pub fn parse(payload: &'a [u8]) -> Result<Self, FrameError> {
        let Some((code, reason)) = payload.split_first_chunk() else {
            return if payload.is_empty() {
                Ok(Self {
                    code: CloseCode::NoStatus,
                    reason: "",
                })
            } else {
                Err(FrameError::CloseTooShort)
            };
        };
        let code = CloseCode::from(u16::from_be_bytes(*code));
        if !code.is_sendable() {
            return Err(FrameError::CloseCodeInvalid { code: code.into() });
        }
        let reason = str::from_utf8(reason).map_err(|_| FrameError::InvalidUtf8)?;
        Ok(Self { code, reason })
    }
}

/// The longest beginning of a reason that fits into a CLOSE frame and ends with a whole character.
pub(super) fn cut_reason(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_a_round_trip() {
        for number in 0..=u16::MAX {
            assert_eq!(u16::from(CloseCode::from(number)), number);
        }
    }

    #[test]
    fn only_codes_for_the_wire_are_sendable() {
        let sendable = |code: &u16| CloseCode::from(*code).is_sendable();

        let refused = [
            0,
            999,
            1004,
            1005,
            1006,
            1015,
            1016,
            2000,
            2999,
            5000,
            u16::MAX,
        ];
        assert!(!refused.iter().any(sendable));
        let taken = [1000, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999];
        assert!(taken.iter().all(sendable));
    }

    #[test]
    fn a_reason_is_cut_before_the_character_that_does_not_fit() {
        assert_eq!(cut_reason("short"), "short");
        assert_eq!(cut_reason(&"x".repeat(200)).len(), 123);
        assert_eq!(cut_reason(&"ö".repeat(100)).len(), 122);
    }

    #[test]
    fn codes_are_equal_by_number() {
        assert_eq!(CloseCode::Other(1000), CloseCode::Normal);
        assert_ne!(CloseCode::Other(4000), CloseCode::TokenExpired);
    }
}
