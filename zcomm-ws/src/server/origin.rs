//! Which `Host` is answered, and which pages may connect. Compares parsed parts, never substrings.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, HeaderMap, ORIGIN};
use http::uri::Authority;

use crate::error::Error;

/// What an origin's rule says of a request. Plain HTTP requests carry it as an extension: their paths decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginVerdict {
    /// No page sent it.
    Absent,
    /// A page that may.
    Allowed,
    /// A page from disk, where those may: but only with a valid token.
    File,
    /// A page that may not, or something that is no origin.
    Denied,
}

/// The rules of one server.
#[derive(Clone, Debug)]
pub(super) struct OriginRules {
    allowed: Vec<Origin>,
    files: bool,
    hosts: Option<Vec<HostPort>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    at: HostPort,
}

/// A host in lower case, without the dot at its end or brackets; no port means any in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostPort {
    host: String,
    port: Option<u16>,
}

impl OriginRules {
    /// `bound` is where the server listens: on loopback only hosts of this machine are answered.
    pub(super) fn new(
        origins: &[String],
        hosts: &[String],
        bound: SocketAddr,
    ) -> Result<Self, Error> {
        let (files, pages): (Vec<_>, Vec<_>) = origins.iter().partition(|origin| is_file(origin));
        let allowed = pages.into_iter().map(|origin| {
            Origin::parse(origin).ok_or_else(|| Error::OriginInvalid {
                origin: origin.clone(),
            })
        });
        let restricted = bound.ip().is_loopback() || !hosts.is_empty();
        let hosts = hosts.iter().filter_map(|host| HostPort::parse(host));
        Ok(Self {
            allowed: allowed.collect::<Result<_, _>>()?,
            files: !files.is_empty(),
            hosts: restricted.then(|| hosts.collect()),
        })
    }

    /// Whether requests for this host are answered at all: a page that had its name rebound to us is not.
    pub(super) fn host_is_answered(&self, headers: &HeaderMap) -> bool {
        let Some(allowed) = &self.hosts else {
            return true;
        };
        let Some(host) = only(headers, &HOST).and_then(HostPort::parse) else {
            return false;
        };
        host.is_loopback() || allowed.iter().any(|rule| rule.admits(&host))
    }

    pub(super) fn judge(&self, headers: &HeaderMap) -> OriginVerdict {
        if !headers.contains_key(ORIGIN) {
            return OriginVerdict::Absent;
        }
        let Some(origin) = only(headers, &ORIGIN) else {
            return OriginVerdict::Denied;
        };
        if is_file(origin) {
            return if self.files {
                OriginVerdict::File
            } else {
                OriginVerdict::Denied
            };
        }
        match Origin::parse(origin) {
            Some(origin) if self.admits(&origin) => OriginVerdict::Allowed,
            _ => OriginVerdict::Denied,
        }
    }

    fn admits(&self, origin: &Origin) -> bool {
        if self.allowed.is_empty() && !self.files {
            return origin.at.is_loopback();
        }
        let at = HostPort {
            port: origin.at.port.or(default_port(&origin.scheme)),
            ..origin.at.clone()
        };
        self.allowed
            .iter()
            .any(|rule| rule.scheme == origin.scheme && rule.at.admits(&at))
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        // An origin ends with the authority; a slash alone is what people write into lists.
        let at = HostPort::parse(rest.strip_suffix('/').unwrap_or(rest))?;
        if !matches!(scheme.as_str(), "http" | "https") {
            return None;
        }
        Some(Self { scheme, at })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl HostPort {
    fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()),
            // `host:` and `host:99999` are nothing that anybody means.
            None if authority.as_str() != authority.host() => return None,
            None => None,
        };
        let host = authority.host().to_ascii_lowercase();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| Self {
            host: host.strip_suffix('.').unwrap_or(host).to_owned(),
            port,
        })
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn admits(&self, other: &Self) -> bool {
        self.host == other.host && (self.port.is_none() || self.port == other.port)
    }
}

fn is_file(origin: &str) -> bool {
    origin.eq_ignore_ascii_case("null")
        || origin
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("file://"))
}

/// The value of a header that may be there once only.
fn only<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn rules(origins: &[&str], hosts: &[&str], bound: &str) -> OriginRules {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        OriginRules::new(&owned(origins), &owned(hosts), bound.parse().unwrap()).unwrap()
    }

    #[track_caller]
    fn check(rules: &OriginRules, origin: &str, expected: OriginVerdict) {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());

        assert_eq!(rules.judge(&headers), expected, "{origin}");
    }

    #[test]
    fn without_a_list_only_pages_of_this_machine_are_let_in() {
        use OriginVerdict::{Allowed, Denied};
        let rules = rules(&[], &[], "127.0.0.1:8765");

        for origin in [
            "http://localhost:3000",
            "HTTP://LOCALHOST",
            "https://127.0.0.9",
            "http://[::1]:8080",
        ] {
            check(&rules, origin, Allowed);
        }
        for origin in [
            "https://localhost.evil.com",
            "https://evil.com/localhost",
            "http://localhost@evil.com",
            "http://evil.com#localhost",
            "null",
            "file://",
            "",
            "localhost",
            "chrome-extension://localhost",
        ] {
            check(&rules, origin, Denied);
        }
    }

    #[test]
    fn a_rule_without_a_port_means_any_of_that_host() {
        use OriginVerdict::{Allowed, Denied};
        let rules = rules(
            &["http://localhost", "https://app.example:8443"],
            &[],
            "127.0.0.1:1",
        );

        check(&rules, "http://localhost:5173", Allowed);
        check(&rules, "https://localhost:5173", Denied);
        check(&rules, "https://app.example:8443", Allowed);
        check(&rules, "https://app.example.:8443", Allowed);
        check(&rules, "https://app.example:9443", Denied);
        check(&rules, "https://app.example", Denied);
        check(&rules, "https://sub.app.example:8443", Denied);
    }

    #[test]
    fn pages_from_disk_are_told_apart_where_they_are_listed() {
        let rules = rules(&["file://"], &[], "127.0.0.1:1");

        check(&rules, "null", OriginVerdict::File);
        check(&rules, "file:///home/ada/page.html", OriginVerdict::File);
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            headers.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        }

        assert_eq!(
            rules(&[], &[], "127.0.0.1:1").judge(&headers),
            OriginVerdict::Denied
        );
    }

    #[test]
    fn a_list_with_something_else_in_it_is_an_error() {
        let error = OriginRules::new(
            &["example.org".to_owned()],
            &[],
            "127.0.0.1:1".parse().unwrap(),
        )
        .unwrap_err();

        assert!(matches!(error, Error::OriginInvalid { origin } if origin == "example.org"));
    }

    #[track_caller]
    fn check_host(rules: &OriginRules, host: Option<&'static str>, expected: bool) {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(HOST, HeaderValue::from_static(host));
        }

        assert_eq!(rules.host_is_answered(&headers), expected, "{host:?}");
    }

    #[test]
    fn on_loopback_only_hosts_of_this_machine_are_answered() {
        let local = rules(&[], &["zcomm.test"], "127.0.0.1:1");
        check_host(&local, Some("localhost:8765"), true);
        check_host(&local, Some("[::1]:8765"), true);
        check_host(&local, Some("zcomm.test:1"), true);
        check_host(&local, Some("evil.example"), false);
        check_host(&local, None, false);

        let open = rules(&[], &[], "0.0.0.0:1");
        check_host(&open, Some("evil.example"), true);
    }
}
