//! The negotiation of permessage-deflate (RFC 7692 §7.1): texts of a header in, parameters out. Compresses nothing.

use std::fmt::Write;

use crate::frame::HandshakeError;

const NAME: &str = "permessage-deflate";
const SERVER_FORGETS: &str = "server_no_context_takeover";
const CLIENT_FORGETS: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// The window of 32 KiB that holds where none is named.
const LARGEST: u8 = 15;

/// What both ends agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateParams {
    /// Whether the server compresses each message without memory of those before.
    pub server_no_context_takeover: bool,
    /// Whether the client does.
    pub client_no_context_takeover: bool,
    /// The server's window, as a power of two: 8 to 15.
    pub server_max_window_bits: u8,
    /// The client's window, as a power of two: 8 to 15.
    pub client_max_window_bits: u8,
}

impl Default for DeflateParams {
    /// Both remember, in the largest windows: what an answer without parameters means.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: LARGEST,
            client_max_window_bits: LARGEST,
        }
    }
}

/// What one end wants of permessage-deflate.
///
/// ```
/// use zcomm_ws::frame::DeflateConfig;
///
/// // A browser's offer, and a server that keeps nothing between messages.
/// let offers = ["permessage-deflate; client_max_window_bits"];
/// let (agreed, answer) = DeflateConfig::default().accept(offers).unwrap();
/// assert_eq!(answer, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
/// assert!(agreed.server_no_context_takeover);
///
/// // A window of 8 is answered as 8. What cannot be understood is no offer, and the next one is looked at.
/// let offers = ["permessage-deflate; mystery", "permessage-deflate; server_max_window_bits=8"];
/// let (agreed, answer) = DeflateConfig::default().with_context_takeover(true).accept(offers).unwrap();
/// assert_eq!((agreed.server_max_window_bits, answer.as_str()), (8, "permessage-deflate; server_max_window_bits=8"));
///
/// assert_eq!(DeflateConfig::default().accept(["x-webkit-deflate-frame"]), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateConfig {
    /// Whether each end may remember messages: smaller ones, at some 300 KB for each connection. Default: no.
    pub context_takeover: bool,
}

impl DeflateConfig {
    /// Says whether each end may remember messages.
    #[must_use]
    pub fn with_context_takeover(mut self, takeover: bool) -> Self {
        self.context_takeover = takeover;
        self
    }

    /// A server's part: takes the first offer that can be taken, and says what to answer.
    ///
    /// The offers are the elements of `Sec-WebSocket-Extensions`, other extensions among them.
    pub fn accept<'o>(
        &self,
        offers: impl IntoIterator<Item = &'o str>,
    ) -> Option<(DeflateParams, String)> {
        let offered = offers.into_iter().find_map(Named::parse)?;
        let agreed = DeflateParams {
            server_no_context_takeover: offered.server_forgets || !self.context_takeover,
            client_no_context_takeover: offered.client_forgets || !self.context_takeover,
            server_max_window_bits: offered.server_bits.unwrap_or(LARGEST),
            client_max_window_bits: offered.client_bits.flatten().unwrap_or(LARGEST),
        };
        let answer = Named {
            server_forgets: agreed.server_no_context_takeover,
            client_forgets: agreed.client_no_context_takeover,
            server_bits: offered.server_bits,
            // Only who said that it can be told may be told, and a client that names no size is free to use any.
            client_bits: offered.client_bits.filter(Option::is_some),
        };
        Some((agreed, answer.to_text()))
    }

    /// A client's part: what to offer.
    pub fn offer(&self) -> String {
        let named = Named {
            server_forgets: !self.context_takeover,
            client_forgets: !self.context_takeover,
            server_bits: None,
            client_bits: Some(None),
        };
        named.to_text()
    }

    /// A client's part: what the server made of [`offer`](Self::offer); nothing if it left it.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::ExtensionMismatch`] for an answer that doesn't fit: the connection has to be dropped.
    pub fn confirm<'a>(
        &self,
        answers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<DeflateParams>, HandshakeError> {
        let mut answers = answers.into_iter().filter(|answer| is_ours(answer));
        let Some(answer) = answers.next() else {
            return Ok(None);
        };
        let mismatch = || HandshakeError::ExtensionMismatch {
            extension: answer.to_owned(),
        };
        let named = Named::parse(answer).ok_or_else(mismatch)?;
        // A server that forgets not what it was asked to forget has not taken the offer.
        let remembers = !self.context_takeover && !named.server_forgets;
        if remembers || named.client_bits == Some(None) || answers.next().is_some() {
            return Err(mismatch());
        }
        Ok(Some(DeflateParams {
            server_no_context_takeover: named.server_forgets,
            client_no_context_takeover: named.client_forgets || !self.context_takeover,
            server_max_window_bits: named.server_bits.unwrap_or(LARGEST),
            client_max_window_bits: named.client_bits.flatten().unwrap_or(LARGEST),
        }))
    }
}

/// The parameters that one offer or answer names.
#[derive(Debug, Default)]
struct Named {
    server_forgets: bool,
    client_forgets: bool,
    server_bits: Option<u8>,
    /// In an offer it may come without a size.
    client_bits: Option<Option<u8>>,
}

impl Named {
    /// Nothing for another extension, an unknown parameter, one that comes twice, or a value that is none (§7.1).
    fn parse(element: &str) -> Option<Self> {
        if !is_ours(element) {
            return None;
        }
        let mut named = Self::default();
        for parameter in element.split(';').skip(1) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name.trim(), Some(unquoted(value.trim()))),
                None => (parameter.trim(), None),
            };
            let is_new = match (name, value) {
                (SERVER_FORGETS, None) => !std::mem::replace(&mut named.server_forgets, true),
                (CLIENT_FORGETS, None) => !std::mem::replace(&mut named.client_forgets, true),
                (SERVER_BITS, Some(value)) => named.server_bits.replace(bits(value)?).is_none(),
                (CLIENT_BITS, Some(value)) => {
                    named.client_bits.replace(Some(bits(value)?)).is_none()
                }
                (CLIENT_BITS, None) => named.client_bits.replace(None).is_none(),
                _ => false,
            };
            if !is_new {
                return None;
            }
        }
        Some(named)
    }

    fn to_text(&self) -> String {
        let mut text = NAME.to_owned();
        for (name, is_set) in [
            (SERVER_FORGETS, self.server_forgets),
            (CLIENT_FORGETS, self.client_forgets),
        ] {
            if is_set {
                text.push_str("; ");
                text.push_str(name);
            }
        }
        for (name, bits) in [
            (SERVER_BITS, self.server_bits.map(Some)),
            (CLIENT_BITS, self.client_bits),
        ] {
            let written = match bits {
                None => Ok(()),
                Some(None) => write!(text, "; {name}"),
                Some(Some(bits)) => write!(text, "; {name}={bits}"),
            };
            written.expect("a text takes everything");
        }
        text
    }
}

fn is_ours(element: &str) -> bool {
    element.split(';').next().unwrap_or_default().trim() == NAME
}

/// 8 to 15, without leading zeros.
fn bits(value: &str) -> Option<u8> {
    let bits = value
        .parse()
        .ok()
        .filter(|bits| (8..=LARGEST).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(bits)
}

fn unquoted(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value)
}
