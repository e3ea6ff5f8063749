//! What a future answers with, and why a connection ends: the values that handlers give the server.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::frame::{CloseCode, Message, MessageKind};

/// A message to answer with, or nothing. Its bytes are shared where they are at hand.
///
/// ```
/// use zcomm_ws::server::Reply;
///
/// let body = bytes::Bytes::from_static(br#"{"result":1"#);
/// let reply = Reply::text(body).followed_by(r#","_requestId":7}"#);
/// assert_eq!(reply.len(), 27);
/// assert!(Reply::from(()).is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Reply(pub(super) Option<Parts>);

#[derive(Clone)]
pub(super) struct Parts {
    pub(super) kind: MessageKind,
    pub(super) first: Bytes,
    pub(super) second: Bytes,
}

impl Reply {
    /// No answer.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A text. The bytes must be UTF-8, together with what is added; they are not looked at again.
    pub fn text(bytes: impl Into<Bytes>) -> Self {
        Self::new(MessageKind::Text, bytes.into())
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::new(MessageKind::Binary, bytes.into())
    }

    /// The same with more bytes at its end; called once more, it replaces these. No answer stays none.
    #[must_use]
    pub fn followed_by(mut self, bytes: impl Into<Bytes>) -> Self {
        if let Some(parts) = &mut self.0 {
            parts.second = bytes.into();
        }
        self
    }

    /// Whether nothing is answered.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The length of the message.
    pub fn len(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |parts| parts.first.len() + parts.second.len())
    }

    /// Whether there are no bytes in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn new(kind: MessageKind, first: Bytes) -> Self {
        Self(Some(Parts {
            kind,
            first,
            second: Bytes::new(),
        }))
    }
}

// Payloads don't belong into logs.
impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.first.len() + self.second.len();
        write!(f, "{:?}({length} bytes)", self.kind)
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::none()
    }
}

impl From<Message> for Reply {
    fn from(message: Message) -> Self {
        Self::new(message.kind(), message.into_bytes().into())
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&'static str> for Reply {
    fn from(text: &'static str) -> Self {
        Self::text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Reply {
    fn from(reply: Option<T>) -> Self {
        reply.map(Into::into).unwrap_or_default()
    }
}

/// Why a connection is closed: the code, and a text for people.
///
/// ```
/// use zcomm_ws::frame::CloseCode;
/// use zcomm_ws::server::CloseReason;
///
/// let reason = CloseReason::new(CloseCode::PolicyViolation, "Invalid origin");
/// assert_eq!(reason.to_string(), "1008 Invalid origin");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    code: CloseCode,
    text: Cow<'static, str>,
}

impl CloseReason {
    /// A reason. The text is cut to the 123 bytes that a frame holds when it is sent.
    pub fn new(code: CloseCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }

    /// 1000, without a text.
    pub fn normal() -> Self {
        Self::from(CloseCode::Normal)
    }

    /// 1008: the peer may not do what it tried.
    pub fn policy(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CloseCode::PolicyViolation, text)
    }

    /// 1001: the server stops.
    pub(crate) fn going_away() -> Self {
        Self::new(CloseCode::GoingAway, "the server shuts down")
    }

    /// The code.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The text, often empty.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl From<CloseCode> for CloseReason {
    fn from(code: CloseCode) -> Self {
        Self::new(code, "")
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        u16::from(self.code).fmt(f)?;
        if self.text.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.text)
    }
}
