//! Addresses as logs and errors may show them: without credentials and without the values of parameters.

use std::fmt;

use http::header::REFERER;
use http::{HeaderMap, Uri};

use crate::layers::credential::is_neutral;

/// Prints an address without its userinfo, and with `***` for the value of each query parameter.
///
/// ```
/// use zcomm_http::Redacted;
///
/// let uri = "https://ada:pw@host/path?token=s3cr3t&page=2".parse().unwrap();
/// assert_eq!(Redacted(&uri).to_string(), "https://host/path?token=***&page=***");
/// ```
#[derive(Clone, Copy)]
pub struct Redacted<'a>(pub &'a Uri);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        write!(f, "{}{}", crate::call::host(self.0), self.0.path())?;
        self.0.query().map_or(Ok(()), |query| write_query(f, query))
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Prints headers with `***` for each value of which it is not known that it is none of somebody's secrets.
pub(crate) struct RedactedHeaders<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for RedactedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            // The page that one comes from has an address with parameters.
            let shown = !value.is_sensitive() && is_neutral(name) && name != REFERER;
            let value: &dyn fmt::Debug = if shown { value } else { &format_args!("***") };
            map.entry(&name.as_str(), value);
        }
        map.finish()
    }
}

fn write_query(f: &mut fmt::Formatter<'_>, query: &str) -> fmt::Result {
    let mut separator = '?';
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((name, _)) => write!(f, "{separator}{name}=***")?,
            // A parameter without a name is all value.
            None => write!(f, "{separator}***")?,
        }
        separator = '&';
    }
    Ok(())
}

/// The same for a text that may be no address: what cannot be parsed shows only that it was there.
pub(crate) fn redacted_text(text: &str) -> String {
    match text.parse::<Uri>() {
        Ok(uri) => Redacted(&uri).to_string(),
        Err(_) => before_secrets(text),
    }
}

/// The part of a text in which neither userinfo nor a query can be.
fn before_secrets(text: &str) -> String {
    let end = text.find(['?', '@', '#']).unwrap_or(text.len());
    // What stands before an `@` may be a password, so nothing but the scheme is left of it.
    let shown = match text.contains('@') {
        true => text.split_once("://").map_or("", |(scheme, _)| scheme),
        false => &text[..end],
    };
    let mut shown: String = shown.chars().flat_map(char::escape_debug).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(redacted_text(text), shown);
    }

    #[test]
    fn credentials_and_values_are_left_out() {
        check("http://u:p@h:1/a?k=v&flag", "http://h:1/a?k=***&***");
        check("http://h/", "http://h/");
        check("not a url", "not a url");
        check("ht tp://u:secret@h/?k=v", "ht tp…");
        check("nonsense ?token=secret", "nonsense …");
    }
}
