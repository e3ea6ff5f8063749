//! Whether a request's head is a well-formed upgrade (RFC 6455 §4.2.1). Judges form only, not who asks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    AsHeaderName, CONNECTION, CONTENT_LENGTH, HeaderMap, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version};

/// What a head asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An ordinary HTTP request.
    Plain,
    /// To speak WebSocket from here on.
    Upgrade,
    /// The same, in a way that is answered with a status and a sentence.
    Malformed(StatusCode, &'static str),
}

pub(super) fn asked(head: &Parts) -> Asked {
    let headers = &head.headers;
    if !has_token(headers, UPGRADE, "websocket") {
        return Asked::Plain;
    }
    let bad = |sentence| Asked::Malformed(StatusCode::BAD_REQUEST, sentence);
    if head.version != Version::HTTP_11 {
        return bad("an upgrade needs HTTP/1.1");
    }
    if head.method != Method::GET {
        return Asked::Malformed(StatusCode::METHOD_NOT_ALLOWED, "an upgrade is a GET");
    }
    if !has_token(headers, CONNECTION, "upgrade") {
        return bad("`Connection` does not name `Upgrade`");
    }
    if has_body(headers) {
        return bad("an upgrade has no body");
    }
    if only(headers, SEC_WEBSOCKET_VERSION) != Some(&b"13"[..]) {
        return Asked::Malformed(
            StatusCode::UPGRADE_REQUIRED,
            "the version spoken here is 13",
        );
    }
    if !only(headers, SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        return bad("`Sec-WebSocket-Key` is not one of 16 bytes");
    }
    Asked::Upgrade
}

/// The first protocol of the server's list that the client offers.
pub(super) fn agree_on_protocol(headers: &HeaderMap, spoken: &[String]) -> Option<String> {
    spoken
        .iter()
        .find(|protocol| offers(headers, protocol))
        .cloned()
}

fn offers(headers: &HeaderMap, protocol: &str) -> bool {
    // Unlike the other tokens, names of protocols tell upper case from lower.
    tokens(headers, SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == protocol.as_bytes())
}

fn has_token(headers: &HeaderMap, name: impl AsHeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token.as_bytes()))
}

fn tokens(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
}

fn has_body(headers: &HeaderMap) -> bool {
    let empty = |value: &HeaderValue| value.as_bytes() == b"0";
    headers.contains_key(TRANSFER_ENCODING) || !headers.get_all(CONTENT_LENGTH).iter().all(empty)
}

fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

fn is_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    /// The status of a good upgrade with one header in place of another; 101 if it is good still.
    fn status_with(name: &str, values: &[&str]) -> u16 {
        let mut request = Request::get("/");
        for (good, value) in GOOD.into_iter().filter(|(good, _)| *good != name) {
            request = request.header(good, value);
        }
        for value in values {
            request = request.header(name, *value);
        }
        status(request)
    }

    fn status(request: http::request::Builder) -> u16 {
        match asked(&request.body(()).unwrap().into_parts().0) {
            Asked::Upgrade => 101,
            Asked::Plain => 200,
            Asked::Malformed(status, _) => status.as_u16(),
        }
    }

    #[test]
    fn only_a_whole_upgrade_is_one() {
        assert_eq!(status_with("x-other", &["1"]), 101);
        assert_eq!(status_with("connection", &["upgrade"]), 101);
        assert_eq!(status_with("content-length", &["0"]), 101);
        assert_eq!(status_with("upgrade", &[]), 200);
        assert_eq!(status_with("upgrade", &["h2c"]), 200);
        assert_eq!(status_with("connection", &[]), 400);
        assert_eq!(status_with("connection", &["close"]), 400);
        assert_eq!(status_with("content-length", &["5"]), 400);
        assert_eq!(status_with("transfer-encoding", &["chunked"]), 400);
    }

    #[test]
    fn another_version_is_told_which_one_is_spoken() {
        assert_eq!(status_with("sec-websocket-version", &["8"]), 426);
        assert_eq!(status_with("sec-websocket-version", &[]), 426);
        assert_eq!(status_with("sec-websocket-version", &["13", "13"]), 426);
    }

    #[test]
    fn a_key_is_sixteen_bytes_once() {
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(status_with("sec-websocket-key", &[]), 400);
        assert_eq!(status_with("sec-websocket-key", &[key, key]), 400);
        assert_eq!(status_with("sec-websocket-key", &["not base64!"]), 400);
        assert_eq!(
            status_with("sec-websocket-key", &["AAAAAAAAAAAAAAAAAAAA"]),
            400
        );
    }

    #[test]
    fn method_and_version_of_http_are_those_of_the_rfc() {
        let all = |mut request: http::request::Builder| {
            for (name, value) in GOOD {
                request = request.header(name, value);
            }
            status(request)
        };

        assert_eq!(all(Request::post("/")), 405);
        assert_eq!(all(Request::get("/").version(Version::HTTP_10)), 400);
    }

    #[test]
    fn the_server_prefers_among_what_is_offered() {
        let mut headers = HeaderMap::new();
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static("v1, zcomm"),
        );
        let spoken = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();

        let agreed = agree_on_protocol(&headers, &spoken(&["v2", "zcomm", "v1"]));
        assert_eq!(agreed.as_deref(), Some("zcomm"));
        assert_eq!(agree_on_protocol(&headers, &spoken(&["ZCOMM"])), None);
    }
}
