//! Handshakes as attackers and careless peers send them.

use super::*;

const REQUEST: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com:8765\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n\r\n";

/// Parses the request above with one part replaced.
#[track_caller]
fn parse_with(from: &str, to: &str) -> Result<HandshakeRequest, HandshakeError> {
    assert!(REQUEST.contains(from), "`{from}` is in the request");
    let request = REQUEST.replacen(from, to, 1);
    HandshakeRequest::parse(request.as_bytes()).map(|parsed| parsed.expect("the head is whole").0)
}

#[track_caller]
fn refused(from: &str, to: &str, error: HandshakeError) {
    assert_eq!(
        parse_with(from, to),
        Err(error),
        "`{from}` replaced by `{to}`"
    );
}

fn header(name: &'static str, problem: &'static str) -> HandshakeError {
    HandshakeError::Header { name, problem }
}

fn malformed(what: &'static str) -> HandshakeError {
    HandshakeError::Malformed { what }
}

#[test]
fn a_request_is_read_with_all_it_says() {
    let request = parse_with(
        "\r\n\r\n",
        "\r\nSec-WebSocket-Protocol: zcomm, token.abc\r\n\r\n",
    )
    .unwrap();

    assert_eq!(
        (request.host(), request.path()),
        ("example.com:8765", "/chat?room=1")
    );
    assert_eq!(request.key(), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(request.protocols(), ["zcomm", "token.abc"]);
    assert_eq!(request.headers().len(), 1);
    assert_eq!(request.headers()["origin"], "http://localhost");
}

#[test]
fn input_may_end_anywhere_and_go_on_behind() {
    for cut in 0..REQUEST.len() {
        assert_eq!(
            HandshakeRequest::parse(&REQUEST.as_bytes()[..cut]),
            Ok(None),
            "cut at {cut}"
        );
    }

    let pipelined = [REQUEST.as_bytes(), b"\x81\x80mask"].concat();
    let (_, length) = HandshakeRequest::parse(&pipelined).unwrap().unwrap();

    assert_eq!(&pipelined[length..], b"\x81\x80mask");
}

#[test]
fn names_and_values_are_compared_without_regard_to_case() {
    assert!(parse_with("Upgrade: websocket", "uPGRADE: WebSocket").is_ok());
    assert!(parse_with("keep-alive, Upgrade", "UPGRADE").is_ok());
}

#[test]
fn what_makes_an_upgrade_must_be_there_once() {
    refused(
        "Upgrade: websocket\r\n",
        "",
        header("upgrade", "is missing"),
    );
    refused(
        "Upgrade: websocket",
        "Upgrade: h2c",
        header("upgrade", "asks for something else"),
    );
    refused(
        "Connection: keep-alive, Upgrade\r\n",
        "",
        header("connection", "is missing"),
    );
    refused(
        "keep-alive, Upgrade",
        "keep-alive",
        header("connection", "asks for something else"),
    );
    refused(
        "Host: example.com:8765\r\n",
        "",
        header("host", "is missing"),
    );
    refused(
        "Host:",
        "Host: a\r\nHost:",
        header("host", "comes more than once"),
    );
    refused(
        "Host: example.com",
        "Host: evil@example.com",
        header("host", "is no host"),
    );
}

#[test]
fn the_key_is_16_bytes_in_base64() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let wrong = header("sec-websocket-key", "is not 16 bytes in base64");

    refused(key, "", header("sec-websocket-key", "is missing"));
    refused(
        key,
        &key.repeat(2),
        header("sec-websocket-key", "comes more than once"),
    );
    // 15 bytes, 17 bytes, no base64, no padding, nothing.
    for value in [
        "AAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "not base64 at all!!!!!!",
        "dGhlIHNhbXBsZSBub25jZQ",
        "",
    ] {
        refused("dGhlIHNhbXBsZSBub25jZQ==", value, wrong.clone());
    }
}

#[test]
fn only_version_13_is_spoken() {
    refused("Version: 13", "Version: 8", HandshakeError::Version);
    assert_eq!(HandshakeError::Version.status(), 426);
    refused(
        "Sec-WebSocket-Version: 13\r\n",
        "",
        header("sec-websocket-version", "is missing"),
    );

    let answer = String::from_utf8(HandshakeResponse::refuse(426).build()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
    assert!(answer.contains("\r\nSec-WebSocket-Version: 13\r\n"));
}

#[test]
fn other_methods_and_versions_of_http_are_refused() {
    refused("GET", "POST", HandshakeError::Method);
    assert_eq!(HandshakeError::Method.status(), 405);
    refused("HTTP/1.1", "HTTP/1.0", malformed("not HTTP/1.1"));
    refused("HTTP/1.1", "HTTP/2.0", malformed("not HTTP/1.1"));
    refused("GET /chat", "GET  /chat", malformed("its first line"));
    refused(
        "/chat?room=1",
        "http://example.com/",
        malformed("its target"),
    );
}

#[test]
fn an_upgrade_has_no_body() {
    refused(
        "Origin:",
        "Content-Length: 5\r\nOrigin:",
        header("content-length", "announces a body"),
    );
    refused(
        "Origin:",
        "Transfer-Encoding: chunked\r\nOrigin:",
        header("transfer-encoding", "announces a body"),
    );
    assert!(parse_with("Origin:", "Content-Length: 0\r\nOrigin:").is_ok());
}

#[test]
fn lines_end_with_crlf_and_nothing_else() {
    refused(
        "\r\nOrigin:",
        "\nOrigin:",
        malformed("a line that ends without CR"),
    );
    refused(
        "Origin: http",
        "Origin: \0http",
        malformed("a header's value"),
    );
    refused(
        "Origin: http",
        "Origin: a\rhttp",
        malformed("a header's value"),
    );
    refused(
        "Origin: http://",
        "Origin: a\r\n folded: http://",
        malformed("a header's name"),
    );
    refused("Origin:", "Origin :", malformed("a header's name"));
    refused(
        "Origin: http://localhost",
        "Origin",
        malformed("a line without a colon"),
    );
}

#[test]
fn bytes_beyond_ascii_stay_out_of_what_counts() {
    let with = |from: &str, to: &[u8]| {
        let at = REQUEST.find(from).expect("the part is in the request");
        let (before, after) = (
            &REQUEST.as_bytes()[..at],
            &REQUEST.as_bytes()[at + from.len()..],
        );
        HandshakeRequest::parse(&[before, to, after].concat()).map(|parsed| parsed.is_some())
    };

    assert_eq!(with("http://localhost", b"http://l\xf6calhost"), Ok(true));
    assert_eq!(
        with("example.com", b"ex\xc3\xa4mple.com"),
        Err(header("host", "is not ASCII"))
    );
    assert_eq!(
        with("websocket", b"websocket, \xff"),
        Err(header("upgrade", "is not ASCII"))
    );
    assert_eq!(
        with("/chat", b"/\xc3\xa4"),
        Err(malformed("its first line"))
    );
}

#[test]
fn a_request_that_an_http_server_read_is_checked_alike() {
    let request = |method: &str, key: &str| {
        http::Request::builder()
            .method(method)
            .uri("/chat?room=1")
            .header("Host", "example.com:8765")
            .header("Upgrade", "websocket")
            .header("Connection", "keep-alive, Upgrade")
            .header("Sec-WebSocket-Key", key)
            .header("Sec-WebSocket-Version", "13")
            .header("Origin", "http://localhost")
            .body(())
            .unwrap()
    };

    let checked = HandshakeRequest::from_http(&request("GET", "dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(checked, parse_with("GET", "GET"));

    let posted = HandshakeRequest::from_http(&request("POST", "dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(posted, Err(HandshakeError::Method));
    let short = HandshakeRequest::from_http(&request("GET", "AAAA"));
    assert_eq!(
        short,
        Err(header("sec-websocket-key", "is not 16 bytes in base64"))
    );
}

#[test]
fn a_head_has_bounds() {
    let headers = "X: y\r\n".repeat(101);
    let error = HandshakeError::HeadTooLarge {
        limit: 100,
        unit: "headers",
    };
    refused("Origin:", &format!("{headers}Origin:"), error);

    let endless = "GET /".to_owned() + &"a".repeat(16 << 10);
    let error = HandshakeRequest::parse(endless.as_bytes()).unwrap_err();
    assert_eq!(error.status(), 431);
}

#[test]
fn nothing_that_ends_a_line_can_be_sent() {
    let request = || HandshakeRequest::new("example.com", "/").unwrap();
    for hostile in ["a\r\nX: y", "a\nb", "a\rb", "a\0b"] {
        assert!(HandshakeRequest::new(hostile, "/").is_err());
        assert!(HandshakeRequest::new("example.com", format!("/{hostile}")).is_err());
        assert!(request().with_protocol(hostile).is_err());
        assert!(request().with_extension(hostile).is_err());
        assert!(request().with_header("X-A", hostile).is_err());
        assert!(request().with_header(hostile, "x").is_err());
        assert!(request().with_key(hostile).is_err());
        assert!(
            HandshakeResponse::refuse(101)
                .with_extension(hostile)
                .is_err()
        );
    }
    assert!(request().with_header("Host", "twice").is_err());
}

#[test]
fn keys_are_random_and_valid() {
    let first = HandshakeRequest::new("h", "/").unwrap();
    let second = HandshakeRequest::new("h", "/").unwrap();

    assert_ne!(first.key(), second.key());
    assert!(HandshakeRequest::parse(&first.build()).unwrap().is_some());
}

#[test]
fn what_is_built_is_read_back() {
    let request = HandshakeRequest::new("example.com", "/a?b=c")
        .and_then(|request| request.with_protocol("zcomm"))
        .and_then(|request| request.with_extension("permessage-deflate; note=\"a, b\""))
        .and_then(|request| request.with_extension("permessage-deflate"))
        .and_then(|request| request.with_header("Authorization", "Bearer x"))
        .unwrap();

    let (received, _) = HandshakeRequest::parse(&request.build()).unwrap().unwrap();

    assert_eq!(received, request);
}

#[test]
fn debug_shows_no_token() {
    let request = HandshakeRequest::new("h", "/ws?token=s3cr3t")
        .and_then(|request| request.with_protocol("token.s3cr3t"))
        .and_then(|request| request.with_header("Authorization", "Bearer s3cr3t"))
        .unwrap();

    assert!(!format!("{request:?}").contains("s3cr3t"));
}

#[test]
fn the_server_chooses_by_its_own_preference() {
    let request = HandshakeRequest::new("h", "/")
        .and_then(|request| request.with_protocol("old"))
        .and_then(|request| request.with_protocol("new"))
        .unwrap();

    let chosen =
        HandshakeResponse::accept(&request).choosing_protocol(&request, &["newest", "new", "old"]);
    let none = HandshakeResponse::accept(&request).choosing_protocol(&request, &["other"]);

    assert_eq!((chosen.protocol(), none.protocol()), (Some("new"), None));
}

/// Verifies an answer to a request that offered the subprotocol `zcomm` and compression.
#[track_caller]
fn verify(answer: &str) -> Result<(), HandshakeError> {
    let request = HandshakeRequest::new("example.com", "/chat")
        .and_then(|request| request.with_key("dGhlIHNhbXBsZSBub25jZQ=="))
        .and_then(|request| request.with_protocol("zcomm"))
        .and_then(|request| request.with_extension("permessage-deflate; client_max_window_bits"))
        .unwrap();
    let (response, length) =
        HandshakeResponse::parse(answer.as_bytes())?.expect("the head is whole");
    assert_eq!(length, answer.len());
    response.verify(&request)
}

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[test]
fn an_answer_must_fit_the_request() {
    let with = |line: &str| ANSWER.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"));

    assert_eq!(verify(ANSWER), Ok(()));
    assert_eq!(verify(&with("Sec-WebSocket-Protocol: zcomm")), Ok(()));
    assert_eq!(
        verify(&with(
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"
        )),
        Ok(())
    );
    assert_eq!(
        verify(&ANSWER.replace("s3pP", "S3pP")),
        Err(HandshakeError::AcceptMismatch)
    );
    assert_eq!(
        verify(&with("Sec-WebSocket-Protocol: other")),
        Err(HandshakeError::ProtocolNotOffered {
            protocol: "other".to_owned()
        })
    );
    assert_eq!(
        verify(&with("Sec-WebSocket-Extensions: x-bzip")),
        Err(HandshakeError::ExtensionNotOffered {
            extension: "x-bzip".to_owned()
        })
    );
}

#[test]
fn an_answer_must_be_an_upgrade() {
    assert_eq!(
        verify(&ANSWER.replace("Upgrade: websocket\r\n", "")),
        Err(header("upgrade", "is missing"))
    );
    assert_eq!(
        verify(&ANSWER.replace("Connection: Upgrade", "Connection: close")),
        Err(header("connection", "asks for something else"))
    );
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    assert_eq!(
        verify(&ANSWER.replace(accept, "")),
        Err(header("sec-websocket-accept", "is missing"))
    );
    assert_eq!(
        verify(&ANSWER.replace(accept, &accept.repeat(2))),
        Err(header("sec-websocket-accept", "comes more than once"))
    );
    assert_eq!(
        verify("HTTP/1.1 403 Forbidden\r\n\r\n"),
        Err(HandshakeError::Status { status: 403 })
    );
    assert_eq!(
        verify("HTTP/1.1 1010 x\r\n\r\n"),
        Err(malformed("its first line"))
    );
    assert_eq!(
        verify("HTTP/1.0 101 x\r\n\r\n"),
        Err(malformed("its first line"))
    );
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_other_offer() {
    let head = |extensions: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\r\n"
        )
    };
    let line = "Sec-WebSocket-Extensions: x; y=\"a, b\r\n";

    let request = || HandshakeRequest::new("example.com", "/").unwrap();
    let error = HandshakeRequest::parse(head(&line.repeat(2)).as_bytes()).unwrap_err();
    assert_eq!(error.status(), 400);
    assert!(HandshakeRequest::parse(head(line).as_bytes()).is_err());
    for several in ["a, b", "a; x=\"", "a; x=\"\\\""] {
        assert!(request().with_extension(several).is_err(), "{several}");
    }
    assert!(request().with_extension("a; x=\"\\\", b\"").is_ok());
}
