//! Frames as bytes, for both ends. Knows nothing about when they may be sent.

use super::close::cut_reason;
use super::deflate::Deflater;
use super::{
    CloseCode, Fragment, FrameError, FrameHeader, MAX_CONTROL_PAYLOAD, MaskingKeys, MessageRef,
    Opcode, Role, unmask,
};

/// Appends the header of a whole frame to `output`.
#[inline]
pub fn encode_header(output: &mut Vec<u8>, opcode: Opcode, length: usize, mask: Option<[u8; 4]>) {
    let header = FrameHeader::new(opcode, length as u64).with_mask(mask);
    output.extend_from_slice(header.encode().as_bytes());
}

/// Appends a whole, unmasked frame to `output`, as a server sends it.
///
/// The payload of a control frame must fit: see [`FrameBuilder`] for the checks.
///
/// ```
/// use zcomm_ws::frame::{encode_frame, Opcode};
///
/// let mut output = Vec::new();
/// encode_frame(&mut output, Opcode::Text, b"Hello");
/// encode_frame(&mut output, Opcode::Pong, b"");
/// assert_eq!(output, b"\x81\x05Hello\x8a\x00");
/// ```
#[inline]
pub fn encode_frame(output: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    debug_assert!(
        opcode.is_data() || payload.len() <= MAX_CONTROL_PAYLOAD,
        "a control frame's payload fits"
    );
    // One growth for both parts, not two.
    output.reserve(payload.len() + 10);
    encode_header(output, opcode, payload.len(), None);
    output.extend_from_slice(payload);
}

/// Appends an unmasked CLOSE to `output`, its reason cut to what fits.
///
/// [`CloseCode::NoStatus`] makes an empty CLOSE: the code itself is never sent.
///
/// # Errors
///
/// [`FrameError::CloseCodeInvalid`] for the other codes that may not be sent.
pub fn encode_close(output: &mut Vec<u8>, code: CloseCode, reason: &str) -> Result<(), FrameError> {
    let (payload, length) = close_payload(code, reason)?;
    encode_frame(output, Opcode::Close, &payload[..length]);
    Ok(())
}

/// Builds frames, one after the other, into one buffer.
///
/// For a client each frame is masked with a key of its own.
///
/// ```
/// use zcomm_ws::frame::{CloseCode, FrameBuilder, Role};
///
/// let mut builder = FrameBuilder::new(Role::Server);
/// builder.text("Hello")?;
///
/// // Frame format: [FIN|RSV|Opcode][MASK|Length][Payload]
/// let frame = builder.as_bytes();
/// assert_eq!(frame[0], 0x81); // FIN=1, opcode=1 (text)
/// assert_eq!(frame[1], 5); // MASK=0, length=5
/// assert_eq!(&frame[2..], b"Hello");
///
/// builder.ping("heartbeat")?.close(CloseCode::Normal, "Goodbye")?;
/// assert_eq!(builder.build(), b"\x81\x05Hello\x89\x09heartbeat\x88\x09\x03\xe8Goodbye");
/// # Ok::<(), zcomm_ws::frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct FrameBuilder {
    keys: Option<MaskingKeys>,
    buffer: Vec<u8>,
    deflater: Option<Deflater>,
}

impl FrameBuilder {
    /// A builder for the frames that leave this end.
    pub fn new(role: Role) -> Self {
        Self {
            keys: role.sends_masked().then(MaskingKeys::new),
            buffer: Vec::new(),
            deflater: None,
        }
    }

    /// Compresses messages, once permessage-deflate was agreed on. Fragments and control frames stay as they are.
    #[cfg_attr(not(feature = "compression"), doc(hidden))]
    #[must_use]
    pub fn with_deflater(mut self, deflater: Deflater) -> Self {
        self.deflater = Some(deflater);
        self
    }

    /// Adds a text message.
    ///
    /// # Errors
    ///
    /// Of a client: [`FrameError::RandomUnavailable`], as everywhere here.
    pub fn text(&mut self, text: &str) -> Result<&mut Self, FrameError> {
        self.message(MessageRef::Text(text))
    }

    /// Adds a binary message.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn binary(&mut self, bytes: &[u8]) -> Result<&mut Self, FrameError> {
        self.message(MessageRef::Binary(bytes))
    }

    /// Adds a message, as one frame.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn message<'m>(
        &mut self,
        message: impl Into<MessageRef<'m>>,
    ) -> Result<&mut Self, FrameError> {
        let message = message.into();
        let header = FrameHeader::new(message.opcode(), 0);
        let mut deflated = Vec::new();
        if let Some(deflater) = &mut self.deflater
            && deflater.deflate(&[message.as_bytes()], &mut deflated)
        {
            return self.frame(header.with_rsv1(true), &deflated);
        }
        self.frame(header, message.as_bytes())
    }

    /// Adds one fragment of a message.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn fragment(&mut self, fragment: &Fragment<'_>) -> Result<&mut Self, FrameError> {
        self.frame(fragment.header(), fragment.payload)
    }

    /// Adds a ping.
    ///
    /// # Errors
    ///
    /// [`FrameError::ControlTooLong`] beyond 125 bytes.
    pub fn ping(&mut self, payload: impl AsRef<[u8]>) -> Result<&mut Self, FrameError> {
        self.control(Opcode::Ping, payload.as_ref())
    }

    /// Adds a pong.
    ///
    /// # Errors
    ///
    /// [`FrameError::ControlTooLong`] beyond 125 bytes.
    pub fn pong(&mut self, payload: impl AsRef<[u8]>) -> Result<&mut Self, FrameError> {
        self.control(Opcode::Pong, payload.as_ref())
    }

    /// Adds a CLOSE; the reason is cut, at a character, to the 123 bytes that fit.
    ///
    /// [`CloseCode::NoStatus`] makes an empty CLOSE: the code itself is never sent.
    ///
    /// # Errors
    ///
    /// [`FrameError::CloseCodeInvalid`] for the other codes that may not be sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<&mut Self, FrameError> {
        let (payload, length) = close_payload(code, reason)?;
        self.control(Opcode::Close, &payload[..length])
    }

    /// The frames built so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Gives the frames out and is empty again.
    #[must_use]
    pub fn build(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<&mut Self, FrameError> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(FrameError::ControlTooLong { opcode });
        }
        self.frame(FrameHeader::new(opcode, 0), payload)
    }

    fn frame(&mut self, mut header: FrameHeader, payload: &[u8]) -> Result<&mut Self, FrameError> {
        let mask = self.keys.as_mut().map(MaskingKeys::next_key).transpose()?;
        header.masking_key = mask;
        header.payload_length = payload.len() as u64;
        self.buffer.extend_from_slice(header.encode().as_bytes());
        let start = self.buffer.len();
        self.buffer.extend_from_slice(payload);
        if let Some(key) = mask {
            unmask(&mut self.buffer[start..], key, 0);
        }
        Ok(self)
    }
}

/// A CLOSE frame's payload, and how long it is.
fn close_payload(
    code: CloseCode,
    reason: &str,
) -> Result<([u8; MAX_CONTROL_PAYLOAD], usize), FrameError> {
    let mut payload = [0; MAX_CONTROL_PAYLOAD];
    if code == CloseCode::NoStatus {
        return Ok((payload, 0));
    }
    if !code.is_sendable() {
        return Err(FrameError::CloseCodeInvalid { code: code.into() });
    }
    let reason = cut_reason(reason).as_bytes();
    payload[..2].copy_from_slice(&u16::from(code).to_be_bytes());
    payload[2..2 + reason.len()].copy_from_slice(reason);
    Ok((payload, 2 + reason.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_only_reported_cannot_be_sent() {
        let mut builder = FrameBuilder::new(Role::Server);

        for code in [
            CloseCode::Abnormal,
            CloseCode::TlsHandshake,
            CloseCode::Other(1004),
            CloseCode::Other(5000),
        ] {
            let error = builder.close(code, "").map(|_| ()).unwrap_err();

            assert_eq!(error, FrameError::CloseCodeInvalid { code: code.into() });
        }
        assert_eq!(builder.as_bytes(), b"");
    }

    #[test]
    fn a_close_without_status_is_empty() {
        let mut output = Vec::new();

        encode_close(&mut output, CloseCode::NoStatus, "never sent").unwrap();

        assert_eq!(output, b"\x88\x00");
    }

    #[test]
    fn a_long_reason_is_cut_to_the_control_frame() {
        let mut output = Vec::new();

        encode_close(&mut output, CloseCode::Normal, &"€".repeat(100)).unwrap();

        assert_eq!(output.len(), 2 + 2 + 123);
        assert_eq!(str::from_utf8(&output[4..]).unwrap(), "€".repeat(41));
    }

    #[test]
    fn a_ping_of_126_bytes_is_refused() {
        let error = FrameBuilder::new(Role::Client)
            .ping([0; 126])
            .map(|_| ())
            .unwrap_err();

        assert_eq!(
            error,
            FrameError::ControlTooLong {
                opcode: Opcode::Ping
            }
        );
    }

    #[test]
    fn a_client_masks_each_frame_with_another_key() {
        let mut builder = FrameBuilder::new(Role::Client);

        let frames = builder.text("same").unwrap().text("same").unwrap().build();

        let (first, second) = frames.split_at(frames.len() / 2);
        assert_eq!(first[..2], second[..2]);
        assert_ne!(first[2..6], second[2..6]);
    }
}
