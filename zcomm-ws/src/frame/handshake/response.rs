//! The server's half of the handshake: made by a server, read and verified by a client.

use super::head::{Head, list, malformed, names, only, optional};
use super::{HandshakeError, HandshakeRequest, accept_key, extension_name, is_extension};

const SWITCHING: u16 = 101;
const UPGRADE_REQUIRED: u16 = 426;

/// The answer to a [`HandshakeRequest`].
///
/// ```
/// use zcomm_ws::frame::{HandshakeRequest, HandshakeResponse};
///
/// let request = HandshakeRequest::new("example.com", "/chat")?.with_key("dGhlIHNhbXBsZSBub25jZQ==")?;
///
/// let answer = HandshakeResponse::accept(&request).build();
/// assert_eq!(
///     String::from_utf8_lossy(&answer),
///     "HTTP/1.1 101 Switching Protocols\r\n\
///      Upgrade: websocket\r\n\
///      Connection: Upgrade\r\n\
///      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
/// );
///
/// let (response, _) = HandshakeResponse::parse(&answer)?.unwrap();
/// response.verify(&request)?;
/// // Not every answer that has an accept key has the right one.
/// assert!(response.verify(&HandshakeRequest::new("example.com", "/chat")?).is_err());
/// # Ok::<(), zcomm_ws::frame::HandshakeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeResponse {
    status: u16,
    accept: Option<String>,
    protocol: Option<String>,
    extensions: Vec<String>,
}

impl HandshakeResponse {
    /// The answer that opens the connection; no subprotocol, no extension.
    pub fn accept(request: &HandshakeRequest) -> Self {
        Self {
            accept: Some(accept_key(request.key())),
            ..Self::refuse(SWITCHING)
        }
    }

    /// An answer that doesn't open it. 426 says which version is spoken.
    pub fn refuse(status: u16) -> Self {
        Self {
            status,
            accept: None,
            protocol: None,
            extensions: Vec::new(),
        }
    }

    /// Takes the first of the server's subprotocols that the client offered; none if there is none.
    #[must_use]
    pub fn choosing_protocol<P: AsRef<str>>(
        mut self,
        request: &HandshakeRequest,
        preferred: &[P],
    ) -> Self {
        let offered = |name: &&str| request.protocols().iter().any(|offer| offer == name);
        self.protocol = preferred
            .iter()
            .map(AsRef::as_ref)
            .find(offered)
            .map(str::to_owned);
        self
    }

    /// Adds an extension that was agreed upon, with its parameters.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Unsendable`] if it doesn't begin with a token, or is not printable.
    pub fn with_extension(mut self, agreed: impl Into<String>) -> Result<Self, HandshakeError> {
        let agreed = agreed.into();
        if !is_extension(&agreed) {
            return Err(HandshakeError::Unsendable { field: "extension" });
        }
        self.extensions.push(agreed);
        Ok(self)
    }

    /// The answer as it goes over the wire.
    pub fn build(&self) -> Vec<u8> {
        let reason = http::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let mut head = format!(
            "HTTP/1.1 {:03} {}\r\n",
            self.status,
            reason.unwrap_or_default()
        );
        if let Some(accept) = &self.accept {
            head += "Upgrade: websocket\r\nConnection: Upgrade\r\n";
            head += &format!("Sec-WebSocket-Accept: {accept}\r\n");
        } else {
            head += "Connection: close\r\nContent-Length: 0\r\n";
        }
        if self.status == UPGRADE_REQUIRED {
            head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        }
        if let Some(protocol) = &self.protocol {
            head += &format!("Sec-WebSocket-Protocol: {protocol}\r\n");
        }
        if !self.extensions.is_empty() {
            head += &format!(
                "Sec-WebSocket-Extensions: {}\r\n",
                self.extensions.join(", ")
            );
        }
        head += "\r\n";
        head.into_bytes()
    }

    /// Reads an answer and its length in bytes; `None` if it isn't all there yet.
    ///
    /// # Errors
    ///
    /// What is wrong with it. An answer other than 101 is none of this: [`verify`](Self::verify) names its status.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, HandshakeError> {
        let Some(Head {
            start,
            headers,
            length,
        }) = Head::parse(bytes)?
        else {
            return Ok(None);
        };
        let mut response = Self::refuse(parse_status(start)?);
        if response.status == SWITCHING {
            names(&headers, "upgrade", "websocket")?;
            names(&headers, "connection", "upgrade")?;
            response.accept = Some(only(&headers, "sec-websocket-accept")?.to_owned());
            response.protocol = optional(&headers, "sec-websocket-protocol")?.map(str::to_owned);
            let extensions = list(&headers, "sec-websocket-extensions")?;
            response.extensions = extensions.into_iter().map(str::to_owned).collect();
        }
        Ok(Some((response, length)))
    }

    /// Verifies that this answers that request, and agrees to nothing that wasn't offered.
    ///
    /// # Errors
    ///
    /// What doesn't fit; the connection must be dropped then, without a CLOSE (RFC 6455 §4.1).
    pub fn verify(&self, request: &HandshakeRequest) -> Result<(), HandshakeError> {
        if self.status != SWITCHING {
            return Err(HandshakeError::Status {
                status: self.status,
            });
        }
        if self.accept.as_deref() != Some(accept_key(request.key()).as_str()) {
            return Err(HandshakeError::AcceptMismatch);
        }
        if let Some(protocol) = self
            .protocol
            .as_ref()
            .filter(|protocol| !request.protocols().contains(protocol))
        {
            return Err(HandshakeError::ProtocolNotOffered {
                protocol: protocol.clone(),
            });
        }
        let offered = |name| {
            request
                .extensions()
                .iter()
                .any(|offer| extension_name(offer) == name)
        };
        match self
            .extensions
            .iter()
            .find(|agreed| !offered(extension_name(agreed)))
        {
            Some(extension) => Err(HandshakeError::ExtensionNotOffered {
                extension: extension.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The subprotocol that was chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// The extensions that were agreed upon, with their parameters.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

fn parse_status(line: &str) -> Result<u16, HandshakeError> {
    let mut parts = line.splitn(3, ' ');
    match (parts.next(), parts.next()) {
        (Some("HTTP/1.1"), Some(status))
            if status.len() == 3 && status.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            status.parse().map_err(|_| malformed("its status"))
        }
        _ => Err(malformed("its first line")),
    }
}
