//! The opening handshake (RFC 6455 §4), as values and bytes. Opens no connection; judges no origin and no token.

mod error;
mod head;
mod request;
mod response;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

pub use error::HandshakeError;
pub use request::HandshakeRequest;
pub use response::HandshakeResponse;

/// What RFC 6455 §1.3 has every server append to the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`.
///
/// ```
/// use zcomm_ws::frame::accept_key;
///
/// assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// Whether a text is a token (RFC 9110 §5.6.2), as names of subprotocols and extensions are.
fn is_token(text: &str) -> bool {
    let symbol = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

/// Whether a text is printable ASCII: it can end no line and start no header.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The name of an extension, without its parameters.
fn extension_name(offer: &str) -> &str {
    offer.split(';').next().unwrap_or_default().trim()
}

/// Whether a text is one extension with its parameters: as part of a list it stays what it is.
fn is_extension(text: &str) -> bool {
    let parts = head::split_unquoted(text).count();
    is_token(extension_name(text)) && is_printable(text) && parts == 1 && head::is_closed(text)
}

#[cfg(test)]
mod tests;
