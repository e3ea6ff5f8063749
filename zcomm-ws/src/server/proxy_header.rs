//! The header that a proxy puts before a stream, versions 1 and 2 of the PROXY protocol. Trusts nobody: `proxies` does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, by the protocol's own text.
const LONGEST_LINE: usize = 107;
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED: usize = 16;
/// What a header of version 2 may hold behind that: addresses and a few extensions.
const LONGEST_REST: usize = 2048;

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No header.
    None,
    /// The beginning of a header.
    Partial,
    /// A header of so many bytes; no source where the proxy speaks for itself or does not know.
    Header {
        length: usize,
        source: Option<SocketAddr>,
    },
    /// Something that begins like a header and is none.
    Invalid,
}

pub(super) fn parse(bytes: &[u8]) -> Found {
    if bytes.starts_with(b"PROXY ") {
        return line(bytes);
    }
    if bytes.starts_with(SIGNATURE) {
        return binary(bytes);
    }
    if b"PROXY ".starts_with(bytes) || SIGNATURE.starts_with(bytes) {
        Found::Partial
    } else {
        Found::None
    }
}

/// Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`.
fn line(bytes: &[u8]) -> Found {
    let head = &bytes[..bytes.len().min(LONGEST_LINE)];
    let Some(end) = head.windows(2).position(|pair| pair == b"\r\n") else {
        return if head.len() < LONGEST_LINE {
            Found::Partial
        } else {
            Found::Invalid
        };
    };
    let length = end + 2;
    let Ok(text) = std::str::from_utf8(&head[..end]) else {
        return Found::Invalid;
    };
    let words: Vec<&str> = text.split(' ').collect();
    let source = match words[..] {
        ["PROXY", "UNKNOWN", ..] => {
            return Found::Header {
                length,
                source: None,
            };
        }
        ["PROXY", family, source, target, source_port, target_port] => {
            source_of(family, [source, target], [source_port, target_port])
        }
        _ => None,
    };
    source.map_or(Found::Invalid, |source| Found::Header {
        length,
        source: Some(source),
    })
}

fn source_of(family: &str, addresses: [&str; 2], ports: [&str; 2]) -> Option<SocketAddr> {
    let of_family = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => Some(text.parse::<Ipv4Addr>().ok()?.into()),
            "TCP6" => Some(text.parse::<Ipv6Addr>().ok()?.into()),
            _ => None,
        }
    };
    let [source, _target] = [of_family(addresses[0])?, of_family(addresses[1])?];
    let [port, _target_port] = [ports[0].parse().ok()?, ports[1].parse::<u16>().ok()?];
    Some(SocketAddr::new(source, port))
}

fn binary(bytes: &[u8]) -> Found {
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED) else {
        return Found::Partial;
    };
    let (version, command, family) = (fixed[12] >> 4, fixed[12] & 15, fixed[13]);
    let announced = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if version != 2 || command > 1 || announced > LONGEST_REST {
        return Found::Invalid;
    }
    let Some(rest) = rest.get(..announced) else {
        return Found::Partial;
    };
    let length = FIXED + announced;
    // Command 0: the proxy itself asks, for its health checks.
    let source = match (command, family) {
        (1, 0x11) => address::<4>(rest, 12),
        (1, 0x21) => address::<16>(rest, 36),
        // Datagrams, UNIX sockets, or unspecified: there is no address in it that means anything here.
        _ => {
            return Found::Header {
                length,
                source: None,
            };
        }
    };
    source.map_or(Found::Invalid, |source| Found::Header {
        length,
        source: Some(source),
    })
}

/// The first address and the first port of a block of `size` bytes: two addresses, then two ports.
fn address<const N: usize>(rest: &[u8], size: usize) -> Option<SocketAddr>
where
    [u8; N]: Into<IpAddr>,
{
    let block = rest.get(..size)?;
    let address: [u8; N] = block[..N].try_into().ok()?;
    let port = u16::from_be_bytes([block[2 * N], block[2 * N + 1]]);
    Some(SocketAddr::new(address.into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], length: usize, source: &str) {
        let source = (!source.is_empty()).then(|| source.parse().unwrap());
        assert_eq!(parse(bytes), Found::Header { length, source });
        for end in 1..length {
            assert_eq!(parse(&bytes[..end]), Found::Partial, "{end} bytes");
        }
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    #[test]
    fn both_versions_name_the_source() {
        check(
            b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET /",
            45,
            "192.0.2.1:56324",
        );
        check(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", 32, "[2001:db8::1]:1");
        check(
            &v2(0x21, 0x11, &[192, 0, 2, 1, 10, 0, 0, 1, 1, 0, 0, 80]),
            28,
            "192.0.2.1:256",
        );
        let mut six = [0; 40];
        (six[15], six[33]) = (1, 9);
        check(&v2(0x21, 0x21, &six), 56, "[::1]:9");
    }

    #[test]
    fn a_proxy_may_speak_for_itself() {
        check(b"PROXY UNKNOWN\r\n", 15, "");
        check(&v2(0x20, 0x00, &[]), 16, "");
        check(&v2(0x21, 0x31, &[0; 216]), 232, "");
    }

    #[test]
    fn what_begins_like_a_header_and_is_none_is_refused() {
        for bytes in [
            &b"PROXY TCP4 192.0.2.1\r\n"[..],
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 70000 1\r\n",
            b"PROXY TCP9 1.2.3.4 1.2.3.4 7 1\r\n",
            b"PROXY \xff\r\n",
            &[b"PROXY ".to_vec(), vec![b'x'; 200]].concat(),
            &v2(0x11, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 11]),
            &v2(0x21, 0x11, &[0; 2049]),
        ] {
            assert_eq!(parse(bytes), Found::Invalid, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn requests_and_hellos_are_no_headers() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PUT / ",
            b"\x16\x03\x01",
            b"\r\nGET",
        ] {
            assert_eq!(parse(bytes), Found::None, "{}", bytes.escape_ascii());
        }
    }
}
