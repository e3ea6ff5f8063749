//! What a caller presents, read from a request's head. Judges nothing.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::Refusal;
use crate::identity::Identity;
use crate::secret::Secret;

/// What a caller presents to be identified.
///
/// ```
/// use zcomm_core::{Credentials, TokenSource};
///
/// let (head, ()) = http::Request::get("/ws?token=a%2Bb&app_name=shop").body(()).unwrap().into_parts();
/// let given = Credentials::of_head(&head).unwrap();
/// assert_eq!(given.token.unwrap().expose(), "a+b");
/// assert_eq!(given.source, Some(TokenSource::Query));
/// assert_eq!(given.app.as_deref(), Some("shop"));
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Credentials {
    /// The token, if there is one; never an empty one.
    pub token: Option<Secret>,
    /// Where the token stood.
    pub source: Option<TokenSource>,
    /// The application that the caller says it belongs to.
    pub app: Option<String>,
    /// Who the connection is already, where a live one presents another token.
    pub held: Option<Arc<Identity>>,
}

/// Where a token stood. The order is that in which a head is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenSource {
    /// `?token=`
    Query,
    /// `Authorization: Bearer`
    Bearer,
    /// `Sec-WebSocket-Protocol: token.<base64url>`
    Subprotocol,
    /// `{"event":"auth","token":…}`, or a program's own code.
    Message,
}

impl Credentials {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// A token that came by message, or is at hand in code.
    pub fn token(token: impl Into<Secret>) -> Self {
        let token = token.into();
        if token.is_empty() {
            return Self::none();
        }
        Self {
            token: Some(token),
            source: Some(TokenSource::Message),
            ..Self::default()
        }
    }

    /// The same credentials, presented by a connection that already is somebody.
    #[must_use]
    pub fn held_by(mut self, identity: Arc<Identity>) -> Self {
        self.app = self.app.or_else(|| Some(identity.app().to_owned()));
        self.held = Some(identity);
        self
    }

    /// Reads a head: the first place that holds a token decides, whatever stands further down.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidToken`] for a token that is there twice, is no UTF-8, or is not encoded as its place wants.
    pub fn of_head(head: &Parts) -> Result<Self, Refusal> {
        let query = head.uri.query().unwrap_or_default();
        let app = parameter(query, "app_name")?;
        let found = match parameter(query, "token")? {
            Some(token) => Some((token, TokenSource::Query)),
            None => match bearer(&head.headers)? {
                Some(token) => Some((token, TokenSource::Bearer)),
                None => subprotocol(&head.headers)?.map(|token| (token, TokenSource::Subprotocol)),
            },
        };
        let (token, source) = found
            .map(|(token, source)| (Secret::new(token), source))
            .unzip();
        Ok(Self {
            token,
            source,
            app,
            held: None,
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            token,
            source,
            app,
            held,
        } = self;
        f.debug_struct("Credentials")
            .field("token", token)
            .field("source", source)
            .field("app", app)
            .field("held", held)
            .finish()
    }
}

/// The decoded value of a query parameter; blank counts as absent, two of them as an attack.
fn parameter(query: &str, name: &str) -> Result<Option<String>, Refusal> {
    let mut values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key == name);
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Refusal::InvalidToken);
    }
    let Some((_, raw)) = first else {
        return Ok(None);
    };
    let value = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| Refusal::InvalidToken)?;
    if value.contains('\0') {
        return Err(Refusal::InvalidToken);
    }
    Ok((!value.trim().is_empty()).then(|| value.into_owned()))
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Refusal::InvalidToken);
    }
    let Some(value) = first else { return Ok(None) };
    let value = value.to_str().map_err(|_| Refusal::InvalidToken)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim();
    Ok((!token.is_empty()).then(|| token.to_owned()))
}

fn subprotocol(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let offered = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut tokens = offered
        .flat_map(|value| value.split(','))
        .filter_map(|one| one.trim().strip_prefix("token."));
    let (first, second) = (tokens.next(), tokens.next());
    if second.is_some() {
        return Err(Refusal::InvalidToken);
    }
    let Some(encoded) = first else {
        return Ok(None);
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(encoded.trim_end_matches('='))
        .map_err(|_| Refusal::InvalidToken)?;
    let token = String::from_utf8(bytes).map_err(|_| Refusal::InvalidToken)?;
    Ok((!token.is_empty()).then_some(token))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(
        uri: &str,
        headers: &[(&str, &str)],
        expected: Result<Option<(&str, TokenSource)>, &str>,
    ) {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();

        let found = Credentials::of_head(&head);

        match (&found, expected) {
            (Ok(given), Ok(expected)) => {
                let token = given.token.as_ref().map(Secret::expose);
                assert_eq!(token.zip(given.source), expected);
            }
            (Err(refusal), Err(reason)) => assert_eq!(refusal.to_string(), reason),
            _ => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn the_first_place_that_holds_a_token_decides() {
        use TokenSource::{Bearer, Query, Subprotocol};
        let bearer = ("authorization", "bEaReR abc");
        let protocol = ("sec-websocket-protocol", "zcomm, token.eHl6");

        check("/", &[], Ok(None));
        check("/?token=q", &[bearer, protocol], Ok(Some(("q", Query))));
        check("/?token=", &[bearer, protocol], Ok(Some(("abc", Bearer))));
        check("/?token=%20", &[protocol], Ok(Some(("xyz", Subprotocol))));
        check("/?token=a%26b+c", &[], Ok(Some(("a&b+c", Query))));
        check("/", &[("authorization", "Basic abc")], Ok(None));
        check("/", &[("authorization", "Bearer")], Ok(None));
    }

    #[test]
    fn a_token_that_is_unclear_is_invalid() {
        check("/?token=a&token=b", &[], Err("Invalid token"));
        check("/?token=%ff", &[], Err("Invalid token"));
        check("/?token=%00", &[], Err("Invalid token"));
        check(
            "/",
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
            Err("Invalid token"),
        );
        check(
            "/",
            &[("sec-websocket-protocol", "token.!!")],
            Err("Invalid token"),
        );
        check(
            "/",
            &[("sec-websocket-protocol", "token.YQ, token.Yg")],
            Err("Invalid token"),
        );
    }

    #[test]
    fn debug_shows_no_token() {
        assert!(!format!("{:?}", Credentials::token("hunter2")).contains("hunter2"));
        assert!(Credentials::token("").token.is_none());
    }
}
