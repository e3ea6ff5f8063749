//! An address of `ws` or `wss` in its parts, its token cut out. Looks nothing up.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zcomm_core::Secret;

use super::ClientError;

/// What may stand in a query as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where a client connects to.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) secure: bool,
    /// A name or an IP address, without brackets.
    pub(super) name: String,
    pub(super) port: u16,
    /// As the header `Host` has it.
    pub(super) host: String,
    /// Path and query, without the token.
    target: String,
}

impl Address {
    /// Reads an address, and the token that its query may hold.
    ///
    /// # Errors
    ///
    /// [`ClientError::Address`], which never repeats the address: it may hold a token.
    pub(super) fn parse(text: &str) -> Result<(Self, Option<Secret>), ClientError> {
        let uri: Uri = text.parse().map_err(|_| wrong("is none"))?;
        Self::of(&uri)
    }

    /// The same of an address that is parsed already.
    pub(super) fn of(uri: &Uri) -> Result<(Self, Option<Secret>), ClientError> {
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(wrong("begins with neither `ws://` nor `wss://`")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "holds a user's name, which sockets have no place for",
            ));
        }
        let name = authority.host().trim_matches(['[', ']']).to_owned();
        if name.is_empty() {
            return Err(wrong("names no host"));
        }
        let port = match (authority.port_u16(), secure) {
            (Some(port @ 1..), _) => port,
            _ if authority.as_str().len() > authority.host().len() => {
                return Err(wrong("has a port that is none"));
            }
            (_, true) => 443,
            (_, false) => 80,
        };
        let (target, token) = cut_token(uri.path(), uri.query().unwrap_or_default())?;
        let address = Self {
            secure,
            name,
            port,
            host: authority.as_str().to_ascii_lowercase(),
            target,
        };
        Ok((address, token))
    }

    /// The same host under the path that servers advertise, without a query.
    pub(super) fn at_socket(mut self) -> Self {
        "/ws".clone_into(&mut self.target);
        self
    }

    /// Path and query, with this token in the query where there is one. Not for logs then.
    pub(super) fn target(&self, token: Option<&Secret>) -> String {
        let Some(token) = token else {
            return self.target.clone();
        };
        let mark = if self.target.contains('?') { '&' } else { '?' };
        let token = utf8_percent_encode(token.expose(), QUERY);
        format!("{}{mark}token={token}", self.target)
    }

    /// Host and port, for errors.
    pub(super) fn place(&self) -> String {
        if self.name.contains(':') {
            format!("[{}]:{}", self.name, self.port)
        } else {
            format!("{}:{}", self.name, self.port)
        }
    }
}

// The token is cut out already: what is left may be shown.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.host, self.target)
    }
}

fn cut_token(path: &str, query: &str) -> Result<(String, Option<Secret>), ClientError> {
    let mut target = if path.is_empty() { "/" } else { path }.to_owned();
    let mut token = None;
    let mut mark = '?';
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some(value) = pair.strip_prefix("token=") else {
            target.push(mark);
            target.push_str(pair);
            mark = '&';
            continue;
        };
        if token.is_some() {
            return Err(wrong("holds two tokens"));
        }
        let value = percent_decode_str(value).decode_utf8();
        token = Some(value.map_err(|_| wrong("holds a token that is no text"))?);
    }
    let token = token.filter(|token| !token.trim().is_empty());
    Ok((target, token.map(|token| Secret::new(token.into_owned()))))
}

fn wrong(problem: &'static str) -> ClientError {
    ClientError::Address { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parsed(text: &str) -> (String, String, Option<String>) {
        let (address, token) = Address::parse(text).unwrap();
        let token = token.map(|token| token.expose().to_owned());
        (address.place(), address.target(None), token)
    }

    #[test]
    fn an_address_is_read_in_its_parts() {
        let row = |place: &str, target: &str, token: Option<&str>| {
            (
                place.to_owned(),
                target.to_owned(),
                token.map(str::to_owned),
            )
        };

        assert_eq!(parsed("ws://h"), row("h:80", "/", None));
        assert_eq!(parsed("wss://H.org/ws"), row("H.org:443", "/ws", None));
        assert_eq!(parsed("ws://[::1]:8765/a"), row("[::1]:8765", "/a", None));
        assert_eq!(
            parsed("ws://h:1/ws?a=1&token=x%2By&b=2"),
            row("h:1", "/ws?a=1&b=2", Some("x+y"))
        );
        assert_eq!(parsed("ws://h/?token="), row("h:80", "/", None));
    }

    #[test]
    fn a_token_is_encoded_where_it_stands_in_the_query() {
        let (address, _) = Address::parse("ws://h/ws?app_name=shop").unwrap();

        let target = address.target(Some(&Secret::new("a b&c=d#é")));

        assert_eq!(target, "/ws?app_name=shop&token=a%20b%26c%3Dd%23%C3%A9");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in [
            "http://h/?token=s3cr3t",
            "h:80",
            "ws://ada:s3cr3t@h/",
            "ws://h/?token=s3cr3t&token=s3cr3t",
            "ws://h:99999/?token=s3cr3t",
            "ws://h:0/",
            "ws:///ws",
            "ws://h/?token=%FFs3cr3t",
            "ws://h/ x",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(matches!(error, ClientError::Address { .. }), "{text}");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{text}");
        }
    }
}
