//! Name look-up by the system's resolver, and the guard that lets no request reach a private address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::dns::Name as HyperName;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower::Service;
use zcomm_core::BoxError;

use crate::call::host;
use crate::error::{Error, Place};

/// Asks the system's resolver.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemResolver {
    /// Whether addresses that are not public count as not there.
    pub(super) public_only: bool,
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let public_only = self.public_only;
        Box::pin(async move { look_up(name.as_str(), public_only).await })
    }
}

/// The same for hyper, whose errors do not say that it was the look-up that failed.
impl Service<HyperName> for SystemResolver {
    type Response = Addrs;
    type Error = LookUpFailed;
    type Future = BoxFuture<'static, Result<Addrs, LookUpFailed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LookUpFailed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: HyperName) -> Self::Future {
        let public_only = self.public_only;
        Box::pin(async move {
            let found = look_up(name.as_str(), public_only).await;
            found.map_err(|source| LookUpFailed { source })
        })
    }
}

/// A name has no address that may be used.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be looked up")]
pub(super) struct LookUpFailed {
    source: BoxError,
}

async fn look_up(name: &str, public_only: bool) -> Result<Addrs, BoxError> {
    let mut found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
    if public_only {
        found.retain(|address| is_public(address.ip()));
        if found.is_empty() {
            return Err(PrivateTarget.into());
        }
    }
    Ok(Box::new(found.into_iter()))
}

/// All addresses of a host are private ones, and the transport serves public ones only.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the address is not a public one")]
pub(super) struct PrivateTarget;

/// Refuses an address that is written in numbers, which no resolver sees.
///
/// Hyper connects to an address without a resolver only where it is written in full, as it is read here; whatever else
/// stands for an address, such as `127.1`, goes to the resolver, which looks at what it found.
pub(super) fn refuse_private_literal(uri: &Uri) -> Result<(), Error> {
    refuse_private(uri.host().unwrap_or_default(), host(uri))
}

/// The same of an address as it was parsed: that has made one in full of `127.1`, `0x7f000001` and `2130706433`.
pub(super) fn refuse_private_host(url: &Url, named: &str) -> Result<(), Error> {
    refuse_private(url.host_str().unwrap_or_default(), named)
}

fn refuse_private(literal: &str, named: &str) -> Result<(), Error> {
    let literal = literal.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(Error::PrivateTarget {
            at: Place::new(named),
        }),
        _ => Ok(()),
    }
}

/// Whether an address is neither of this machine, nor of the local network, nor reserved.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b); // RFC 6598
    let protocols = (a, b, c) == (192, 0, 0); // RFC 6890
    let benchmarks = a == 198 && (18..20).contains(&b); // RFC 2544
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || shared
        || protocols
        || benchmarks)
}

/// Only what is globally assigned (2000::/3), less the prefixes in it that are for documentation and special use.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let global = first & 0xe000 == 0x2000;
    let special = first == 0x2001 && second < 0x0200; // RFC 2928
    let documentation = (first, second) == (0x2001, 0x0db8) || first == 0x3fff;
    global && !special && !documentation
}

/// The IPv4 address that an IPv6 one stands for: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(pair(high, low))
        }
        [0x2002, high, low, ..] => Some(pair(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, public: bool) {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }

    #[test]
    fn only_assigned_addresses_are_public() {
        for public in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700::1111"] {
            check(public, true);
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            check(private, false);
        }
    }

    #[test]
    fn a_private_literal_is_refused_and_a_name_is_left_to_the_resolver() {
        let refused = refuse_private_literal(&"http://[::1]:80/".parse().unwrap()).unwrap_err();

        assert_eq!(
            (refused.code(), refused.host()),
            ("private_target", Some("[::1]:80"))
        );
        assert!(refuse_private_literal(&"http://name/".parse().unwrap()).is_ok());
    }

    #[tokio::test]
    async fn a_name_with_private_addresses_only_is_refused() {
        let error = look_up("localhost", true).await.err().unwrap();

        assert!(error.is::<PrivateTarget>(), "{error:?}");
    }
}
