//! A message as the bytes of its frame, made once for any number of receivers.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Serialize;

use crate::error::Error;
use crate::frame::{FrameHeader, Message, MessageKind, MessageRef, encode_header, frame_once};
use crate::server::Deflation;

/// Windows of 8 to 15 bits.
const WINDOWS: usize = 8;

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
#[derive(Clone)]
pub struct Encoded {
    frame: Bytes,
    header: u8,
    deflated: Option<Arc<Deflated>>,
}

/// The same frame compressed, once for each window; nothing where that makes it no smaller.
#[derive(Default)]
struct Deflated([OnceLock<Option<Bytes>>; WINDOWS]);

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
            deflated: None,
        }
    }

    /// The same for many receivers: those that agreed on compression share one compressed form for each window.
    ///
    /// A [`Hub`](super::Hub) does this by itself. It is for who pushes one message to connections of its own choice; to
    /// a single one, a message is better sent as it is, for its compressor may remember others like it.
    #[must_use]
    pub fn for_many(mut self) -> Self {
        self.deflated.get_or_insert_default();
        self
    }

    /// The frame for a connection that agreed on this. Compresses it, if nobody has for this window yet.
    pub(crate) fn frame_for(&self, deflation: Option<&Deflation>) -> &Bytes {
        let (Some(deflation), Some(deflated)) = (deflation, &self.deflated) else {
            return &self.frame;
        };
        if self.payload().len() < deflation.threshold {
            return &self.frame;
        }
        let bits = deflation.agreed.server_max_window_bits;
        let form = deflated.0[usize::from(bits.clamp(8, 15) - 8)].get_or_init(|| {
            let (header, _) = FrameHeader::decode(&self.frame)?;
            frame_once(bits, header.opcode, self.payload()).map(Bytes::from)
        });
        form.as_ref().unwrap_or(&self.frame)
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

impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame
    }
}

impl Eq for Encoded {}

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
