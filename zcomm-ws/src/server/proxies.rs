//! The proxies whose word about their clients is believed, and what they say in headers. Reads no streams.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap, HeaderName};
use zcomm_core::Peer;

use crate::error::Error;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that are trusted. Of anyone else's headers nothing is believed, nor even read.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies(Vec<Network>);

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Headers of a trusted proxy that leave open whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// One of the two is the client's own, passed on unread, and nobody can say which.
    #[error("Forwarded and X-Forwarded-For name different clients")]
    Differ,
    #[error("Forwarded is not written as RFC 7239 has it")]
    Malformed,
}

impl Proxies {
    /// Addresses, or networks like `10.0.0.0/8`.
    pub(super) fn parse(list: &[String]) -> Result<Self, Error> {
        let networks = list.iter().map(|text| {
            Network::parse(text).ok_or_else(|| Error::ProxyInvalid {
                proxy: text.clone(),
            })
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }

    /// Whether this peer is one of them.
    pub(super) fn trust(&self, peer: &Peer) -> bool {
        peer.address.is_some_and(|address| self.hold(address.ip()))
    }

    /// Whose request it is, if the peer that sent it is a proxy: the last address in the chain that is none of ours.
    pub(super) fn client(&self, peer: Peer, headers: &HeaderMap) -> Result<Peer, Doubt> {
        if self.0.is_empty() || !self.trust(&peer) {
            return Ok(peer);
        }
        let standard = self.walk(forwarded(headers)?);
        let common = self.walk(x_forwarded_for(headers));
        let address = match (standard, common) {
            (Some(one), Some(other)) if one.ip() != other.ip() => return Err(Doubt::Differ),
            (one, other) => one.or(other),
        };
        let mut client = peer;
        client.address = address.or(peer.address);
        Ok(client)
    }

    /// The chain, nearest hop first, as far as each hop is trusted; one that is not known ends it.
    fn walk(&self, chain: Vec<Option<SocketAddr>>) -> Option<SocketAddr> {
        let mut farthest = None;
        for hop in chain.into_iter().rev() {
            let Some(address) = hop else { break };
            farthest = Some(address);
            if !self.hold(address.ip()) {
                break;
            }
        }
        farthest
    }

    fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.holds(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().ok()?,
            None => longest,
        };
        (prefix <= longest).then_some(Self { address, prefix })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let shift = |width: u32| width - u32::from(self.prefix);
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = u32::from(ours) ^ u32::from(theirs);
                differ.checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = u128::from(ours) ^ u128::from(theirs);
                differ.checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The hops that `X-Forwarded-For` names, the client's own first; one that is no address is not known.
fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<SocketAddr>> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(|hop| std::str::from_utf8(hop).ok().and_then(node))
        .collect()
}

/// The hops that `Forwarded` names (RFC 7239), in the same order.
fn forwarded(headers: &HeaderMap) -> Result<Vec<Option<SocketAddr>>, Doubt> {
    let mut hops = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let line = line.to_str().map_err(|_| Doubt::Malformed)?;
        for element in split(line, ',')? {
            let mut hop = None;
            for pair in split(element, ';')? {
                let Some((name, value)) = pair.split_once('=') else {
                    continue;
                };
                if name.trim().eq_ignore_ascii_case("for") {
                    hop = node(value.trim().trim_matches('"'));
                }
            }
            hops.push(hop);
        }
    }
    Ok(hops)
}

/// Splits at a sign that stands outside quotes. A quote that is left open would swallow what a proxy appended.
fn split(text: &str, sign: char) -> Result<Vec<&str>, Doubt> {
    let (mut quoted, mut escaped) = (false, false);
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == sign && !quoted => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    if quoted {
        return Err(Doubt::Malformed);
    }
    Ok(parts)
}

/// An address with or without a port, brackets as IPv6 needs them where there is one. Port 0 means that none is known.
fn node(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(text).parse().ok()?;
    Some(SocketAddr::new(address, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1:5000";

    fn proxies() -> Proxies {
        Proxies::parse(&["10.0.0.0/8".to_owned(), "::1".to_owned()]).unwrap()
    }

    /// Whom a request is from: the address, or what is in doubt.
    fn client(peer: &str, lines: &[(&str, &str)]) -> Result<String, Doubt> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let peer = Peer::at(peer.parse().unwrap());
        let client = proxies().client(peer, &headers)?;
        Ok(client.address.unwrap().ip().to_string())
    }

    #[track_caller]
    fn check(lines: &[(&str, &str)], expected: &str) {
        assert_eq!(client(PROXY, lines).as_deref(), Ok(expected), "{lines:?}");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_client() {
        check(&[("x-forwarded-for", "192.0.2.7")], "192.0.2.7");
        check(
            &[("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.1.1.1")],
            "192.0.2.7",
        );
        check(
            &[
                ("x-forwarded-for", "6.6.6.6"),
                ("x-forwarded-for", "192.0.2.7:81"),
            ],
            "192.0.2.7",
        );
        check(&[("x-forwarded-for", "[2001:db8::1]:9")], "2001:db8::1");
        check(&[("x-forwarded-for", "10.2.2.2, 10.1.1.1")], "10.2.2.2");
        check(&[("x-forwarded-for", "6.6.6.6, unknown")], "10.0.0.1");
        check(&[], "10.0.0.1");
    }

    #[test]
    fn the_standard_header_says_the_same() {
        check(&[("forwarded", "for=192.0.2.7;proto=https")], "192.0.2.7");
        check(
            &[("forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:4711\"")],
            "2001:db8::1",
        );
        check(
            &[("forwarded", "by=10.0.0.9;for=192.0.2.7, for=10.1.1.1")],
            "192.0.2.7",
        );
        check(&[("forwarded", "for=6.6.6.6, for=_hidden")], "10.0.0.1");
        check(
            &[
                ("forwarded", "for=192.0.2.7"),
                ("x-forwarded-for", "192.0.2.7"),
            ],
            "192.0.2.7",
        );
    }

    #[test]
    fn headers_that_leave_room_for_doubt_are_refused() {
        let differing = [
            ("forwarded", "for=6.6.6.6"),
            ("x-forwarded-for", "192.0.2.7"),
        ];
        let open_quote = [("forwarded", "for=\"6.6.6.6, for=192.0.2.7")];

        assert_eq!(client(PROXY, &differing), Err(Doubt::Differ));
        assert_eq!(client(PROXY, &open_quote), Err(Doubt::Malformed));
    }

    #[test]
    fn of_a_stranger_nothing_is_believed() {
        let claims = [
            ("forwarded", "for=\"10.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
        ];

        assert_eq!(client("192.0.2.1:1", &claims).as_deref(), Ok("192.0.2.1"));
        assert_eq!(client("11.0.0.1:1", &claims).as_deref(), Ok("11.0.0.1"));
    }

    #[test]
    fn networks_are_compared_by_their_prefix() {
        let holds = |network: &str, address: &str| {
            let network = Network::parse(network).unwrap();
            network.holds(address.parse().unwrap())
        };

        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "9.9.9.9") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::") && !holds("fe80::/10", "2001::"));
        assert!(proxies().hold("::ffff:10.1.2.3".parse().unwrap()));
        for wrong in ["10.0.0.0/33", "::/129", "proxy.local", "", "1.2.3.4/x"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
