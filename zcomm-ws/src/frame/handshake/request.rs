//! The client's half of the handshake: made by a client, read and checked by a server.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use super::head::{Head, list, malformed, names, only, problem};
use super::{HandshakeError, is_extension, is_printable, is_token};
use crate::frame::mask;

const HOST: &str = "host";
const UPGRADE: &str = "upgrade";
const CONNECTION: &str = "connection";
const KEY: &str = "sec-websocket-key";
const VERSION: &str = "sec-websocket-version";
const PROTOCOL: &str = "sec-websocket-protocol";
const EXTENSIONS: &str = "sec-websocket-extensions";

/// Headers that the handshake writes itself.
const OWN: [&str; 9] = [
    HOST,
    UPGRADE,
    CONNECTION,
    KEY,
    VERSION,
    PROTOCOL,
    EXTENSIONS,
    "content-length",
    "transfer-encoding",
];

/// A request to upgrade to WebSocket. Whoever holds one knows that it is valid.
///
/// ```
/// use zcomm_ws::frame::HandshakeRequest;
///
/// let request = HandshakeRequest::new("example.com", "/chat")?.with_key("dGhlIHNhbXBsZSBub25jZQ==")?;
/// let handshake = String::from_utf8(request.build()).unwrap();
/// assert!(handshake.starts_with("GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
/// assert!(handshake.contains("Upgrade: websocket\r\n"));
///
/// // The server's side of it.
/// let (received, length) = HandshakeRequest::parse(handshake.as_bytes())?.unwrap();
/// assert_eq!((received.path(), length), ("/chat", handshake.len()));
///
/// // Nothing that could end a line gets in.
/// assert!(HandshakeRequest::new("example.com\r\nX: y", "/").is_err());
/// # Ok::<(), zcomm_ws::frame::HandshakeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HandshakeRequest {
    host: String,
    path: String,
    key: String,
    protocols: Vec<String>,
    extensions: Vec<String>,
    headers: HeaderMap,
}

impl HandshakeRequest {
    /// A request with a random key.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Unsendable`] if host or path cannot stand in a request, [`HandshakeError::Random`].
    pub fn new(host: impl Into<String>, path: impl Into<String>) -> Result<Self, HandshakeError> {
        let (host, path) = (host.into(), path.into());
        let visible = |text: &str| is_printable(text) && !text.contains([' ', '#']);
        if host.is_empty() || !visible(&host) || host.contains(['/', '?', '@']) {
            return Err(HandshakeError::Unsendable { field: "host" });
        }
        if !path.starts_with('/') || !visible(&path) {
            return Err(HandshakeError::Unsendable { field: "path" });
        }
        let mut nonce = [0; 16];
        mask::fill(&mut nonce).map_err(HandshakeError::Random)?;
        Ok(Self {
            host,
            path,
            key: STANDARD.encode(nonce),
            protocols: Vec::new(),
            extensions: Vec::new(),
            headers: HeaderMap::new(),
        })
    }

    /// Sets the key: 16 bytes in base64. A client needs a new one for each connection; tests need the same.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Header`] if it is anything else.
    pub fn with_key(mut self, key: impl Into<String>) -> Result<Self, HandshakeError> {
        self.key = check_key(key.into())?;
        Ok(self)
    }

    /// Offers a subprotocol, after those offered before.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Unsendable`] if it is no token, or offered already.
    pub fn with_protocol(mut self, protocol: impl Into<String>) -> Result<Self, HandshakeError> {
        let protocol = protocol.into();
        if !is_token(&protocol) || self.protocols.contains(&protocol) {
            return Err(HandshakeError::Unsendable { field: "protocol" });
        }
        self.protocols.push(protocol);
        Ok(self)
    }

    /// Offers an extension with its parameters, after those offered before.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Unsendable`] if it doesn't begin with a token, is not printable, or would be more than one in a list.
    pub fn with_extension(mut self, offer: impl Into<String>) -> Result<Self, HandshakeError> {
        let offer = offer.into();
        if !is_extension(&offer) {
            return Err(HandshakeError::Unsendable { field: "extension" });
        }
        self.extensions.push(offer);
        Ok(self)
    }

    /// Adds another header, as `Authorization` or `Origin`.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Unsendable`] if name or value cannot be sent, or the handshake writes that header itself.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, HandshakeError> {
        let unsendable = HandshakeError::Unsendable { field: "header" };
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) else {
            return Err(unsendable);
        };
        if OWN.contains(&name.as_str()) {
            return Err(unsendable);
        }
        self.headers.append(name, value);
        Ok(self)
    }

    /// The request as it goes over the wire.
    pub fn build(&self) -> Vec<u8> {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n\
             Sec-WebSocket-Version: 13\r\n",
            self.path, self.host, self.key
        );
        for (name, values) in [
            ("Protocol", &self.protocols),
            ("Extensions", &self.extensions),
        ] {
            if !values.is_empty() {
                head += &format!("Sec-WebSocket-{name}: {}\r\n", values.join(", "));
            }
        }
        let mut head = head.into_bytes();
        for (name, value) in &self.headers {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        head
    }

    /// Reads and checks a request and its length in bytes; `None` if it isn't all there yet.
    ///
    /// # Errors
    ///
    /// What is wrong with it; [`HandshakeError::status`] is what to answer.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, HandshakeError> {
        let Some(head) = Head::parse(bytes)? else {
            return Ok(None);
        };
        let mut parts = head.start.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("its first line"));
        };
        let version = match version {
            "HTTP/1.1" => Version::HTTP_11,
            _ => Version::HTTP_10,
        };
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed("its method"))?;
        Ok(Some((
            Self::check(&method, target, version, &head.headers)?,
            head.length,
        )))
    }

    /// Checks a request that an HTTP server has read. Copies what it keeps: the request's buffers are free again.
    ///
    /// # Errors
    ///
    /// What is wrong with it; [`HandshakeError::status`] is what to answer.
    pub fn from_http<B>(request: &http::Request<B>) -> Result<Self, HandshakeError> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        Self::check(request.method(), path, request.version(), request.headers())
    }

    /// The host that was asked for, with the port where one was given.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path and query. The query may hold a token: not for logs.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key that the answer must fit.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The subprotocols offered, the client's favourite first.
    pub fn protocols(&self) -> &[String] {
        &self.protocols
    }

    /// The extensions offered, with their parameters, the client's favourite first.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// The other headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn check(
        method: &Method,
        path: &str,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<Self, HandshakeError> {
        if method != Method::GET {
            return Err(HandshakeError::Method);
        }
        if version != Version::HTTP_11 {
            return Err(malformed("not HTTP/1.1"));
        }
        names(headers, UPGRADE, "websocket")?;
        names(headers, CONNECTION, "upgrade")?;
        refuse_body(headers)?;
        if only(headers, VERSION)? != "13" {
            return Err(HandshakeError::Version);
        }
        let key = check_key(only(headers, KEY)?.to_owned())?;
        let mut request = Self::new(only(headers, HOST)?, path).map_err(received)?;
        request.key = key;
        for protocol in list(headers, PROTOCOL)? {
            request = request.with_protocol(protocol).map_err(received)?;
        }
        for offer in list(headers, EXTENSIONS)? {
            request = request.with_extension(offer).map_err(received)?;
        }
        request.headers = others(headers)?;
        Ok(request)
    }
}

// Tokens travel in the query, in a subprotocol and in headers: none of them is shown.
impl fmt::Debug for HandshakeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeRequest")
            .field("host", &self.host)
            .field("path", &self.path.split('?').next())
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

/// The same fault, told of a request that was received instead of one to be sent.
fn received(error: HandshakeError) -> HandshakeError {
    match error {
        HandshakeError::Unsendable { field: "host" } => problem(HOST, "is no host"),
        HandshakeError::Unsendable { field: "protocol" } => {
            problem(PROTOCOL, "is no list of different tokens")
        }
        HandshakeError::Unsendable { field: "extension" } => {
            problem(EXTENSIONS, "is no list of extensions")
        }
        HandshakeError::Unsendable { .. } => malformed("its target"),
        other => other,
    }
}

fn check_key(key: String) -> Result<String, HandshakeError> {
    match STANDARD.decode(&key) {
        Ok(nonce) if nonce.len() == 16 => Ok(key),
        _ => Err(problem(KEY, "is not 16 bytes in base64")),
    }
}

/// A body would be read as frames, or frames as a body.
fn refuse_body(headers: &HeaderMap) -> Result<(), HandshakeError> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return Err(problem("transfer-encoding", "announces a body"));
    }
    if headers
        .get_all(CONTENT_LENGTH)
        .iter()
        .any(|length| length != "0")
    {
        return Err(problem("content-length", "announces a body"));
    }
    Ok(())
}

/// Copies of the headers that are not the handshake's own: a clone would keep the reader's whole buffer alive.
fn others(headers: &HeaderMap) -> Result<HeaderMap, HandshakeError> {
    let mut copies = HeaderMap::new();
    for (name, value) in headers {
        if !OWN.contains(&name.as_str()) {
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| malformed("a header's value"))?;
            copies.append(name.clone(), value);
        }
    }
    Ok(copies)
}
