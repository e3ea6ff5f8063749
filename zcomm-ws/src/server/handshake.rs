//! Tells an upgrade from any other request. What makes one valid is settled in [`crate::frame`], who may in `upgrade`.

use http::Request;
use http::header::UPGRADE;

use crate::frame::{HandshakeError, HandshakeRequest};

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// An ordinary answer.
    Plain,
    /// To speak WebSocket from here on.
    Upgrade(HandshakeRequest),
    /// The same, in a way that is answered with a status.
    Malformed(HandshakeError),
}

pub(super) fn asked<B>(request: &Request<B>) -> Asked {
    let names = request.headers().get_all(UPGRADE).iter();
    let mut names = names.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    if !names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket")) {
        return Asked::Plain;
    }
    match HandshakeRequest::from_http(request) {
        Ok(upgrade) => Asked::Upgrade(upgrade),
        Err(error) => Asked::Malformed(error),
    }
}

/// The first protocol of the server's list that the client offers.
pub(super) fn agree_on_protocol<'s>(
    upgrade: &HandshakeRequest,
    spoken: &'s [String],
) -> Option<&'s str> {
    let offered = upgrade.protocols();
    spoken
        .iter()
        .find(|protocol| offered.contains(protocol))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use http::Version;

    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("host", "localhost"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    /// The status of a good upgrade with one header in place of another: 101 if it is good still, 200 if it is none.
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
        match asked(&request.body(()).unwrap()) {
            Asked::Upgrade(_) => 101,
            Asked::Plain => 200,
            Asked::Malformed(error) => error.status(),
        }
    }

    #[test]
    fn only_a_whole_upgrade_is_one() {
        assert_eq!(status_with("x-other", &["1"]), 101);
        assert_eq!(status_with("connection", &["upgrade"]), 101);
        assert_eq!(status_with("upgrade", &["h2c, websocket"]), 101);
        assert_eq!(status_with("upgrade", &[]), 200);
        assert_eq!(status_with("upgrade", &["h2c"]), 200);
        assert_eq!(status_with("connection", &["close"]), 400);
        assert_eq!(status_with("content-length", &["5"]), 400);
        assert_eq!(status_with("sec-websocket-version", &["8"]), 426);
        assert_eq!(status_with("sec-websocket-key", &[]), 400);
    }

    #[test]
    fn method_and_version_of_http_are_those_of_the_rfc() {
        let all = |request: http::request::Builder| {
            let add = |request: http::request::Builder, (name, value)| request.header(name, value);
            status(GOOD.into_iter().fold(request, add))
        };

        assert_eq!(all(Request::post("/")), 405);
        assert_eq!(all(Request::get("/").version(Version::HTTP_10)), 400);
    }

    #[test]
    fn the_server_prefers_among_what_is_offered() {
        let upgrade = HandshakeRequest::new("localhost", "/").unwrap();
        let upgrade = upgrade.with_protocol("v1").unwrap();
        let upgrade = upgrade.with_protocol("zcomm").unwrap();
        let spoken = ["v2", "zcomm", "v1"].map(str::to_owned);

        assert_eq!(agree_on_protocol(&upgrade, &spoken), Some("zcomm"));
        assert_eq!(agree_on_protocol(&upgrade, &["ZCOMM".to_owned()]), None);
    }
}
