//! The stable error codes that go over the wire, and the HTTP status of each. Holds no error values.

use std::fmt;

use http::StatusCode;

/// What went wrong, in one word that clients may rely on.
///
/// ```
/// use zcomm_core::Code;
///
/// assert_eq!(Code::UnknownModel.as_str(), "unknown_model");
/// assert_eq!(Code::UnknownModel.status(), 404);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The text is not JSON.
    InvalidJson,
    /// The message or command has the wrong shape.
    BadRequest,
    /// Nothing answers this event.
    UnknownEvent,
    /// No such model.
    UnknownModel,
    /// The model has no such field.
    UnknownField,
    /// There is no such lookup.
    UnknownLookup,
    /// A value is of the wrong type or out of its range.
    BadValue,
    /// There is no such row, path or file.
    NotFound,
    /// Something is already there, or changed meanwhile.
    Conflict,
    /// The caller is not known.
    Unauthorized,
    /// The caller is known, and may not.
    Forbidden,
    /// More bytes than the limit allows.
    TooLarge,
    /// More often than the limit allows.
    TooManyRequests,
    /// The answer did not come in time.
    Timeout,
    /// Something that is needed does not answer now.
    Unavailable,
    /// Writes are switched off.
    ReadOnly,
    /// A fault on this side; the cause stays in the log.
    Internal,
}

impl Code {
    /// Every code, in the order of the protocol's list.
    pub const ALL: [Self; 17] = [
        Self::InvalidJson,
        Self::BadRequest,
        Self::UnknownEvent,
        Self::UnknownModel,
        Self::UnknownField,
        Self::UnknownLookup,
        Self::BadValue,
        Self::NotFound,
        Self::Conflict,
        Self::Unauthorized,
        Self::Forbidden,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::Timeout,
        Self::Unavailable,
        Self::ReadOnly,
        Self::Internal,
    ];

    /// The code as it stands in a reply.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::BadRequest => "bad_request",
            Self::UnknownEvent => "unknown_event",
            Self::UnknownModel => "unknown_model",
            Self::UnknownField => "unknown_field",
            Self::UnknownLookup => "unknown_lookup",
            Self::BadValue => "bad_value",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::TooLarge => "too_large",
            Self::TooManyRequests => "too_many_requests",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::ReadOnly => "read_only",
            Self::Internal => "internal",
        }
    }

    /// The code that is written so, if there is one.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The HTTP status of a reply with this code.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::UnknownEvent | Self::UnknownModel | Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::InvalidJson
            | Self::BadRequest
            | Self::UnknownField
            | Self::UnknownLookup
            | Self::BadValue => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::TooManyRequests | Self::Timeout | Self::Unavailable
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_what_it_writes() {
        for code in Code::ALL {
            assert_eq!(Code::from_wire(code.as_str()), Some(code));
            assert!(code.status().as_u16() >= 400);
        }
        assert_eq!(Code::from_wire("teapot"), None);
    }
}
