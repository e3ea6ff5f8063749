//! Which way a channel goes, and as whom. Opens none.

use std::hash::{Hash, Hasher};

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::secret::{Secret, SecretDigest};

/// Everything of an address, and of who asks for it, that opening a channel sees.
///
/// Scheme and authority compare as the URL standard has it, whatever their case; what stands before the `@` is no part
/// of the authority here, and counts letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    userinfo: Option<SecretDigest>,
    token: Option<SecretDigest>,
}

impl Way {
    pub(super) fn of(target: &Uri, token: Option<&Secret>) -> Self {
        let authority = target.authority();
        let (authority, userinfo) = match authority.and_then(parted) {
            Some((userinfo, bare)) => (bare, Some(userinfo.digest())),
            None => (authority.cloned(), None),
        };
        Self {
            scheme: target.scheme().cloned(),
            authority,
            userinfo,
            token: token.map(Secret::digest),
        }
    }

    /// The same in memory of its own: a part of an address keeps the whole of it, down to the query.
    pub(super) fn kept(&self) -> Self {
        let copy = |authority: &Authority| {
            let copied = Authority::try_from(authority.as_str());
            copied.expect("an authority is written as it was parsed")
        };
        Self {
            authority: self.authority.as_ref().map(copy),
            ..self.clone()
        }
    }
}

impl Hash for Way {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // `Authority` hashes byte by byte, which takes five times as long. Most are in lower case already.
        let authority = self.authority.as_ref().map_or("", Authority::as_str);
        match authority.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => authority.to_ascii_lowercase().hash(state),
            false => authority.hash(state),
        }
        self.userinfo.hash(state);
        self.token.hash(state);
    }
}

/// What stands before the `@`, and the authority without it, where there is such a thing.
fn parted(authority: &Authority) -> Option<(Secret, Option<Authority>)> {
    let text = authority.as_str();
    let at = text.bytes().rposition(|byte| byte == b'@')?;
    Some((Secret::from(&text[..at]), text[at + 1..].parse().ok()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn way(uri: &str) -> Way {
        Way::of(&uri.parse().unwrap(), None)
    }

    #[test]
    fn case_counts_in_credentials_only() {
        let (one, same) = (way("ws://Host:1/x"), way("WS://host:1/y"));
        assert_eq!(one, same);
        assert!(HashSet::from([one]).contains(&same));
        assert_ne!(way("ws://host:1/"), way("ws://host:2/"));
        assert_ne!(way("ws://u:a@host/"), way("ws://u:A@host/"));
        assert_ne!(way("ws://u:a@host/"), way("ws://host/"));
    }

    #[test]
    fn what_is_kept_is_the_same_way_and_names_no_secret() {
        let way = way("ws://u:pass@host:1/path?token=x");

        assert_eq!(way.kept(), way);
        let text = format!("{:?}", way.kept());
        assert!(!text.contains("pass") && !text.contains("path"), "{text}");
    }
}
