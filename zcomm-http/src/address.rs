//! From what people write to an address that can be requested: checked, encoded, without credentials in it.

use std::fmt;

use http::Uri;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use zcomm_core::{BoxError, Secret};

use crate::error::Error;
use crate::redact::redacted_text;

/// An address that is still being put together.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted_text(self.url.as_str()))
    }
}

/// The name and password that stood in an address.
pub(crate) type UserInfo = (String, Secret);

/// Why a text is no address that can be requested.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Flaw {
    #[error("it holds control characters")]
    Control,
    #[error("it names no host; a whole address begins with `https://` or `http://`")]
    NoHost,
    #[error("it is neither `https://` nor `http://`")]
    Scheme,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<(Self, Option<UserInfo>), Error> {
        let parsed = parse(text);
        parsed.map_err(|source| Error::Url {
            url: redacted_text(text),
            source,
        })
    }

    /// Adds parameters behind those that are there.
    pub(crate) fn extend_query(&mut self, pairs: &[(String, String)]) {
        if !pairs.is_empty() {
            self.url.query_pairs_mut().extend_pairs(pairs);
        }
    }

    /// The same, parsed.
    pub(crate) fn into_url(self) -> Url {
        self.url
    }

    pub(crate) fn to_uri(&self) -> Result<Uri, Error> {
        let text = self.url.as_str();
        text.parse()
            .map_err(|source: http::uri::InvalidUri| Error::Url {
                url: redacted_text(text),
                source: source.into(),
            })
    }
}

fn parse(text: &str) -> Result<(Address, Option<UserInfo>), BoxError> {
    // The URL standard has parsers drop line breaks; whoever sends some wants something else.
    if text.chars().any(char::is_control) {
        return Err(Flaw::Control.into());
    }
    let mut url = Url::parse(text)?;
    if !url.has_host() {
        return Err(Flaw::NoHost.into());
    }
    let user = take_user(&mut url);
    url.set_fragment(None);
    Ok((Address { url }, user))
}

fn take_user(url: &mut Url) -> Option<UserInfo> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = (
        decoded(url.username()),
        Secret::new(decoded(url.password().unwrap_or_default())),
    );
    url.set_username("")
        .expect("an address with a host may name a user");
    url.set_password(None)
        .expect("an address with a host may have a password");
    Some(user)
}

/// Where a redirect leads: relative to where it came from, without credentials or fragment.
pub(crate) fn join(base: &Uri, location: &str) -> Result<Uri, BoxError> {
    let mut target = Url::parse(&base.to_string())?.join(location)?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(Flaw::Scheme.into());
    }
    let _ = take_user(&mut target);
    target.set_fragment(None);
    Ok(target.as_str().parse()?)
}

/// Pairs in the form of an HTML form.
pub(crate) fn form_encoded(pairs: &[(String, String)]) -> String {
    let mut url = Url::parse("form:").expect("a scheme alone is an address");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Result<String, Error> {
        let (address, _) = Address::parse(text)?;
        Ok(address.to_uri()?.to_string())
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        use std::error::Error as _;

        let error = uri(text).unwrap_err();
        assert_eq!(error.source().unwrap().to_string(), why, "{error}");
    }

    #[test]
    fn addresses_are_normalized() {
        assert_eq!(
            uri("HTTP://Host:80/a b?q=ü#part").unwrap(),
            "http://host/a%20b?q=%C3%BC"
        );
    }

    #[test]
    fn what_is_no_address_says_why() {
        let no_host = "it names no host; a whole address begins with `https://` or `http://`";
        refused("http://h/\r\nX: y", "it holds control characters");
        refused("localhost:8080/x", no_host);
        refused("h/x", "relative URL without a base");
        refused("http://", "empty host");
    }

    #[test]
    fn credentials_leave_the_address() {
        let (address, user) = Address::parse("http://ada:p%40ss@h/").unwrap();

        let (name, password) = user.unwrap();
        assert_eq!((name.as_str(), password.expose()), ("ada", "p@ss"));
        assert_eq!(address.to_uri().unwrap().to_string(), "http://h/");
    }

    #[test]
    fn a_redirect_is_relative_to_its_origin() {
        let base = "https://h/a/b?x=1".parse().unwrap();

        assert_eq!(join(&base, "../c#d").unwrap(), "https://h/c");
        assert_eq!(join(&base, "//u:p@i/").unwrap(), "https://i/");
        assert!(join(&base, "mailto:x").is_err());
    }

    #[test]
    fn pairs_are_written_as_a_form() {
        let pairs = [("a b".to_owned(), "1&2".to_owned())];

        assert_eq!(form_encoded(&pairs), "a+b=1%262");
    }
}
