//! Every line of the hostile handshakes in `docs/security.md`: what is answered, and that others are served meanwhile.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use zcomm_core::{Action, AuthPolicy, Credentials, Identity, Peer, Refusal};
use zcomm_ws::server::{Server, ServerConfig, ServerHandle, sync_handler};

use crate::peer::{Client, Seen, text, upgrade, within};
use crate::serving::{config, echo, serve_with};

/// The head of a good upgrade, with something in the place of something else.
fn with(from: &str, to: &str) -> Vec<u8> {
    let head = upgrade("/", &[]);
    assert!(head.contains(from), "{from:?} is no part of a good head");
    head.replace(from, to).into_bytes()
}

/// A good upgrade with one more header.
fn and(header: &[u8]) -> Vec<u8> {
    let head = upgrade("/", &[]);
    let bytes = head
        .strip_suffix("\r\n")
        .expect("a head ends with an empty line");
    [bytes.as_bytes(), header, b"\r\n\r\n"].concat()
}

async fn status(server: &ServerHandle, bytes: &[u8]) -> String {
    let client = Client::say(server.local_addr(), bytes).await;
    client.status().to_owned()
}

/// The server answers so, and the next client is served as if nothing had been.
async fn answers(server: &ServerHandle, bytes: &[u8], expected: &str) {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
    assert_eq!(status(server, bytes).await, expected, "to {start:?}");
    let mut next = Client::open(server.local_addr()).await;
    next.text("still here").await;
    assert_eq!(next.next_text().await, "still here");
}

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn an_upgrade_says_so_in_two_headers() {
    let server = echo().await;

    answers(&server, &with("Upgrade: websocket\r\n", ""), "426").await;
    answers(&server, &with("Connection: Upgrade\r\n", ""), "400").await;
    let list = with("Connection: Upgrade", "Connection: keep-alive, Upgrade");
    answers(&server, &list, "101").await;
    let mixed = upgrade("/", &[])
        .replace("Connection: Upgrade", "CONNECTION: uPGRADE")
        .replace("Upgrade: websocket", "uPGRADE: WebSocket")
        .replace("Sec-WebSocket-Key", "sEC-wEBSOCKET-kEY");
    answers(&server, mixed.as_bytes(), "101").await;
}

#[tokio::test]
async fn an_upgrade_has_no_body() {
    let server = echo().await;

    let lengthy = [&and(b"Content-Length: 5")[..], b"hello"].concat();
    answers(&server, &lengthy, "400").await;
    let chunked = [&and(b"Transfer-Encoding: chunked")[..], b"0\r\n\r\n"].concat();
    answers(&server, &chunked, "400").await;
}

#[tokio::test]
async fn length_and_chunks_together_are_no_request() {
    let server = echo().await;

    let smuggled = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG";
    let client = Client::say(server.local_addr(), smuggled).await;

    // hyper takes the chunks and drops the length, as RFC 9112 §6.3 permits; what matters is that `G` is no request.
    assert!(matches!(client.status(), "400" | "404"), "{}", client.head);
    let rest = String::from_utf8(client.remaining().await).unwrap();
    assert!(!rest.contains("HTTP/1.1"), "{rest}");
}

#[tokio::test]
async fn other_versions_of_the_protocol_are_told_which_one_is_spoken() {
    let server = echo().await;

    for version in ["8", "7", "0", "14", "1313", "thirteen", ""] {
        let old = with("Version: 13", &format!("Version: {version}"));
        let client = Client::say(server.local_addr(), &old).await;

        let names = client.head.to_ascii_lowercase();
        assert!(
            matches!(client.status(), "426" | "400"),
            "{version:?}: {}",
            client.head
        );
        assert_eq!(
            names.contains("sec-websocket-version: 13\r\n"),
            client.status() == "426",
            "{version:?}: {}",
            client.head
        );
    }
    assert_eq!(
        status(&server, &with("Version: 13", "Version: 8")).await,
        "426"
    );
}

#[tokio::test]
async fn a_key_is_sixteen_bytes_in_base64_and_comes_once() {
    let server = echo().await;
    let wrong = [
        String::new(),
        // Fifteen bytes, then seventeen.
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n".to_owned(),
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n".to_owned(),
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n".to_owned(),
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n".to_owned(),
        "Sec-WebSocket-Key: \r\n".to_owned(),
        KEY.repeat(2),
    ];

    for key in wrong {
        answers(&server, &with(KEY, &key), "400").await;
    }
}

#[tokio::test]
async fn only_a_get_of_http_1_1_becomes_a_socket() {
    let server = echo().await;

    answers(&server, &with("HTTP/1.1", "HTTP/1.0"), "400").await;
    answers(&server, &with("GET /", "POST /"), "405").await;
    answers(&server, &with("GET /", "OPTIONS /"), "405").await;
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_refused_before_it_is_all_there() {
    let server = echo().await;

    let path = with("GET / ", &format!("GET /{} ", "a".repeat(100_000)));
    let answer = status(&server, &path).await;
    assert!(matches!(&*answer, "414" | "431"), "{answer}");
    let many: Vec<u8> = (0..2000)
        .flat_map(|n| format!("X-{n}: 1\r\n").into_bytes())
        .collect();
    answers(&server, &and(&many[..many.len() - 2]), "431").await;
    let large = [b"X-Large: ", &vec![b'x'; 1_000_000][..]].concat();
    // The answer comes long before the megabyte has been read, so that writing it may fail.
    let mut stream = within(TcpStream::connect(server.local_addr()))
        .await
        .unwrap();
    let _ = within(tokio::io::AsyncWriteExt::write_all(
        &mut stream,
        &and(&large),
    ))
    .await;
    answers(&server, upgrade("/", &[]).as_bytes(), "101").await;
}

#[tokio::test]
async fn lines_that_http_does_not_know_are_no_request() {
    let server = echo().await;

    for header in [
        &b"X-Nul: a\0b"[..],
        b"X-Cr: a\rb",
        b"X-Fold: a\r\n b",
        b" X-Space: a",
        b"X Space: a",
        b": a",
    ] {
        answers(&server, &and(header), "400").await;
    }
    // RFC 9112 §2.2 lets a recipient take a bare LF as the end of a line, and hyper does: the request means the same.
    let bare = upgrade("/", &[]).replace("\r\n", "\n");
    let answer = status(&server, bare.as_bytes()).await;
    assert!(matches!(&*answer, "101" | "400"), "{answer}");
}

#[tokio::test]
async fn bytes_beyond_ascii_are_taken_where_they_mean_nothing_and_refused_elsewhere() {
    let server = echo().await;

    answers(&server, &and(b"X-Name: J\xfcrgen"), "101").await;
    answers(&server, &and(b"X-N\xe4me: 1"), "400").await;
    for line in ["Connection: Upgrade", "Version: 13"] {
        let head = with(line, &format!("{line}\u{e9}"));
        let answer = status(&server, &head).await;
        assert!(matches!(&*answer, "400" | "426"), "{line}: {answer}");
    }
    let key = with("ZQ==", "ZQ\u{e9}=");
    answers(&server, &key, "400").await;
    let host = upgrade("/", &[("Host", "localh\u{f6}st")]);
    answers(&server, host.as_bytes(), "403").await;
    // Nothing that is spoken here is offered, so nothing is agreed on.
    let protocol = upgrade("/", &[("Sec-WebSocket-Protocol", "zc\u{f6}mm")]);
    let answer = status(&server, protocol.as_bytes()).await;
    assert!(matches!(&*answer, "101" | "400"), "{answer}");
}

#[tokio::test]
async fn an_origin_is_compared_as_what_it_is_not_as_text() {
    let mut listed = config();
    listed.allowed_origins = vec![
        "https://app.example:8443".into(),
        "https://xn--bcher-kva.example".into(),
    ];
    let server = serve_with(listed, sync_handler(|cx, message| cx.reply(message))).await;
    let refused = async |origins: &[&str]| {
        let headers: Vec<_> = origins.iter().map(|origin| ("Origin", *origin)).collect();
        let mut client = Client::open_as(server.local_addr(), "/", &headers).await;
        client.text("?").await;
        match client.next().await {
            Seen::Text(_) => false,
            Seen::Close(1008, reason) => {
                assert_eq!(reason, "Invalid origin");
                true
            }
            other => panic!("{other:?}"),
        }
    };

    assert!(!refused(&["https://app.example:8443"]).await);
    assert!(!refused(&["HTTPS://APP.Example:8443"]).await);
    // The same host: the dot says that the name is complete.
    assert!(!refused(&["https://app.example.:8443"]).await);
    assert!(!refused(&["https://xn--bcher-kva.example"]).await);
    for wrong in [
        "https://app.example",
        "https://app.example:8444",
        "http://app.example:8443",
        "https://user@app.example:8443",
        "https://app.example:8443@evil.example",
        "https://app.example:8443.evil.example",
        "https://app.example:8443/path",
        "https://b\u{fc}cher.example",
        "https://bucher.example",
        "https://app.example..:8443",
        "app.example:8443",
        "",
    ] {
        assert!(refused(&[wrong]).await, "{wrong}");
    }
    let twice = ["https://app.example:8443", "https://app.example:8443"];
    assert!(refused(&twice).await);
}

#[tokio::test]
async fn five_hundred_streams_that_trickle_end_in_time_and_hold_up_nobody() {
    let mut hasty = config();
    hasty.handshake_timeout = Duration::from_secs(2);
    let server = serve_with(hasty, sync_handler(|cx, message| cx.reply(message))).await;
    let mut slow = JoinSet::new();
    for _ in 0..500 {
        let mut stream = within(TcpStream::connect(server.local_addr()))
            .await
            .unwrap();
        within(tokio::io::AsyncWriteExt::write_all(&mut stream, b"G"))
            .await
            .unwrap();
        slow.spawn(async move {
            let mut rest = Vec::new();
            let _ = within(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest)).await;
        });
    }

    let mut client = Client::open(server.local_addr()).await;
    client.text("meanwhile").await;
    assert_eq!(client.next_text().await, "meanwhile");

    assert_eq!(slow.join_all().await.len(), 500);
}

#[tokio::test]
async fn what_comes_behind_the_handshake_is_held_to_the_rules() {
    let server = echo().await;
    let mut bytes = upgrade("/", &[]).into_bytes();
    bytes.extend(text("good"));
    bytes.extend(b"\x81\x03bad");

    let mut client = Client::say(server.local_addr(), &bytes).await;

    assert_eq!(client.next_text().await, "good");
    assert!(matches!(client.next().await, Seen::Close(1002, _)));
}

/// Wants a token, and knows one.
struct OneToken;

#[async_trait]
impl AuthPolicy for OneToken {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        match &given.token {
            None => Err(Refusal::AuthenticationRequired),
            Some(token) if token.expose() == "good" => Ok(Identity::user("ada")),
            Some(_) => Err(Refusal::InvalidToken),
        }
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_one_is_refused() {
    let mut strict: ServerConfig = config();
    strict.require_auth = true;
    strict.auth_failures_per_minute = 1000;
    let server = Server::builder()
        .config(strict)
        .auth(Arc::new(OneToken))
        .handler(sync_handler(|cx, message| cx.reply(message)));
    let server = server.bind().await.unwrap();
    let reason = async |target: &str| {
        let mut client = Client::open_as(server.local_addr(), target, &[]).await;
        match client.next().await {
            Seen::Close(1008, reason) => reason,
            other => panic!("{target}: {other:?}"),
        }
    };

    assert_eq!(reason("/?token=").await, "Authentication required");
    assert_eq!(reason("/?token").await, "Authentication required");
    for target in [
        "/?token=good&token=good",
        "/?token=good&token=",
        "/?token=%00",
        "/?token=good%00",
        "/?token=%ff%fe",
        "/?token=%zz",
        "/?token=Good",
    ] {
        assert_eq!(reason(target).await, "Invalid token", "{target}");
    }
    let large = format!("/?token={}", "g".repeat(1_000_000));
    let mut stream = within(TcpStream::connect(server.local_addr()))
        .await
        .unwrap();
    let head = upgrade(&large, &[]);
    let _ = within(tokio::io::AsyncWriteExt::write_all(
        &mut stream,
        head.as_bytes(),
    ))
    .await;
    let mut client = Client::open_as(server.local_addr(), "/?token=good", &[]).await;
    client.text("served").await;
    assert_eq!(client.next_text().await, "served");
}
