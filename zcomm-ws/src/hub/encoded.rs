//! A message as the bytes of its frame, made once for any number of receivers.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::error::Error;
use crate::frame::{Message, MessageKind, MessageRef, encode_header};

/// A message, encoded as a server sends it. Clones share the bytes.
///
/// ```
/// use zcomm_ws::hub::Encoded;
///
/// let hello = Encoded::from("Hello");
/// assert_eq!(&hello.frame()[..], b"\x81\x05Hello");
/// let object = Encoded::json(&serde_json::json!({"event": "tick"}))?;
/// assert_eq!(object.payload(), br#"{"event":"tick"}"#);
/// # Ok::<(), zcomm_ws::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    frame: Bytes,
    header: u8,
}

impl Encoded {
    /// Encodes a message that lies in several pieces. Those of a text, taken together, must be UTF-8.
    pub fn from_parts(kind: MessageKind, parts: &[&[u8]]) -> Self {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut frame = Vec::with_capacity(length + 10);
        encode_header(&mut frame, kind.opcode(), length, None);
        let header = frame.len() as u8;
        for part in parts {
            frame.extend_from_slice(part);
        }
        Self {
            frame: frame.into(),
            header,
        }
    }

    /// Encodes a value as a text of JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] where serde refuses.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let text = serde_json::to_vec(value).map_err(|source| Error::Json { source })?;
        Ok(Self::from_parts(MessageKind::Text, &[&text]))
    }

    /// The whole frame, header and payload.
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The message's bytes.
    pub fn payload(&self) -> &[u8] {
        &self.frame[usize::from(self.header)..]
    }
}

// Payloads don't belong into logs.
impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoded({} bytes)", self.payload().len())
    }
}

impl<'m> From<MessageRef<'m>> for Encoded {
    fn from(message: MessageRef<'m>) -> Self {
        Self::from_parts(message.kind(), &[message.as_bytes()])
    }
}

impl From<&Message> for Encoded {
    fn from(message: &Message) -> Self {
        message.as_message_ref().into()
    }
}

impl From<Message> for Encoded {
    fn from(message: Message) -> Self {
        message.as_message_ref().into()
    }
}

impl From<&str> for Encoded {
    fn from(text: &str) -> Self {
        MessageRef::Text(text).into()
    }
}

impl From<String> for Encoded {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&[u8]> for Encoded {
    fn from(bytes: &[u8]) -> Self {
        MessageRef::Binary(bytes).into()
    }
}

impl From<Vec<u8>> for Encoded {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl From<&Encoded> for Encoded {
    fn from(encoded: &Encoded) -> Self {
        encoded.clone()
    }
}
