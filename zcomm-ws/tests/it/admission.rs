//! Who is let in by the server, and how the others are told: by close codes, by statuses, by plain HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use tower::service_fn;
use zcomm_core::{Action, AuthPolicy, Body, Credentials, Error, Identity, Peer, Refusal};
use zcomm_ws::server::{OriginVerdict, Reject, Server, ServerConfig, ServerHandle, sync_handler};

use crate::peer::{Client, Seen, upgrade};
use crate::serving::{config, until_connected};

/// Knows one token, and asks for one.
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

/// Answers each message with the user's name.
async fn guarded(change: impl FnOnce(&mut ServerConfig)) -> ServerHandle {
    let mut config = config();
    config.require_auth = true;
    change(&mut config);
    let builder = Server::builder()
        .config(config)
        .auth(Arc::new(OneToken))
        .handler(sync_handler(|cx, _| {
            let identity = cx.connection().identity();
            cx.reply(identity.name().unwrap_or("a guest"));
        }));
    builder.bind().await.expect("a free port")
}

async fn open_to_all(change: impl FnOnce(&mut ServerConfig)) -> ServerHandle {
    let mut config = config();
    change(&mut config);
    let builder = Server::builder().config(config);
    let handler = sync_handler(|cx, message| cx.reply(message));
    let bound = builder.handler(handler).bind().await;
    bound.expect("a free port")
}

async fn is_let_in(server: &ServerHandle, target: &str, headers: &[(&str, &str)]) {
    let mut client = Client::open_as(server.local_addr(), target, headers).await;
    client.text("who").await;
    client.next_text().await;
}

async fn is_refused(server: &ServerHandle, target: &str, headers: &[(&str, &str)], reason: &str) {
    let mut client = Client::open_as(server.local_addr(), target, headers).await;
    let seen = client.rest().await;
    assert_eq!(seen, [Seen::Close(1008, reason.to_owned())], "{target}");
}

#[tokio::test]
async fn a_token_is_found_in_all_its_places_and_wrong_ones_are_refused() {
    let server = guarded(|config| config.auth_failures_per_minute = 100).await;

    is_let_in(&server, "/ws?token=good", &[]).await;
    is_let_in(&server, "/", &[("Authorization", "bearer good")]).await;
    let offered = ("Sec-WebSocket-Protocol", "zcomm, token.Z29vZA");
    let client = Client::open_as(server.local_addr(), "/", &[offered]).await;
    assert!(
        client
            .head
            .to_ascii_lowercase()
            .contains("sec-websocket-protocol: zcomm\r\n"),
        "{}",
        client.head
    );

    is_refused(&server, "/", &[], "Authentication required").await;
    is_refused(&server, "/?token=", &[], "Authentication required").await;
    is_refused(&server, "/?token=bad", &[], "Invalid token").await;
    let right = ("Authorization", "Bearer good");
    is_refused(&server, "/?token=bad", &[right], "Invalid token").await;
    is_refused(&server, "/?token=good&token=good", &[], "Invalid token").await;
}

#[tokio::test]
async fn an_unlisted_origin_is_refused_before_the_token_is_looked_at() {
    let server =
        guarded(|config| config.allowed_origins = vec!["https://app.example".into()]).await;

    is_let_in(
        &server,
        "/?token=good",
        &[("Origin", "https://app.example:8443")],
    )
    .await;
    for origin in ["https://app.example.evil.com", "null", "http://localhost"] {
        is_refused(&server, "/", &[("Origin", origin)], "Invalid origin").await;
    }
}

#[tokio::test]
async fn a_page_from_disk_needs_a_token_unless_a_raw_server_waives_it() {
    let listed = |config: &mut ServerConfig| config.allowed_origins = vec!["file://".into()];
    let page = [("Origin", "null")];

    let guarded = guarded(listed).await;
    is_let_in(&guarded, "/?token=good", &page).await;
    is_refused(&guarded, "/", &page, "Authentication required").await;

    let strict = open_to_all(listed).await;
    is_refused(&strict, "/", &page, "Authentication required").await;

    let waived = open_to_all(|config| {
        listed(config);
        config.files_without_token = true;
    })
    .await;
    is_let_in(&waived, "/", &page).await;
}

#[tokio::test]
async fn the_connection_beyond_the_limit_is_refused_until_one_ends() {
    let server = open_to_all(|config| config.max_connections = 2).await;
    let first = Client::open(server.local_addr()).await;
    let _second = Client::open(server.local_addr()).await;

    let full = "Maximum connections reached";
    let bad_origin = [("Origin", "https://evil.example")];
    is_refused(&server, "/", &bad_origin, full).await;

    drop(first);
    // The place is free when the server has seen the end.
    until_connected(&server, 1).await;
    is_let_in(&server, "/", &[]).await;
}

#[tokio::test]
async fn a_user_has_no_more_connections_than_its_share() {
    let server = guarded(|config| config.max_connections_per_user = 1).await;
    let _first = Client::open_as(server.local_addr(), "/?token=good", &[]).await;

    let full = "Maximum connections reached";
    is_refused(&server, "/?token=good", &[], full).await;
}

#[tokio::test]
async fn guessing_ends_even_with_the_right_token() {
    let server = guarded(|config| config.auth_failures_per_minute = 2).await;

    is_refused(&server, "/?token=a", &[], "Invalid token").await;
    is_refused(&server, "/?token=b", &[], "Invalid token").await;
    is_refused(&server, "/?token=good", &[], "Too many attempts").await;
    is_refused(&server, "/", &[], "Authentication required").await;
}

#[tokio::test]
async fn with_reject_http_the_handshake_itself_is_refused() {
    let server = guarded(|config| {
        config.reject = Reject::Http;
        config.auth_failures_per_minute = 1;
    })
    .await;
    let status = async |target: &str, headers: &[(&str, &str)]| {
        let head = upgrade(target, headers);
        let client = Client::say(server.local_addr(), head.as_bytes()).await;
        let asks = client
            .head
            .to_ascii_lowercase()
            .contains("www-authenticate: bearer\r\n");
        assert_eq!(asks, client.status() == "401", "{}", client.head);
        client.status().to_owned()
    };

    assert_eq!(status("/?token=good", &[]).await, "101");
    assert_eq!(status("/", &[]).await, "401");
    assert_eq!(status("/?token=bad", &[]).await, "401");
    assert_eq!(status("/?token=bad", &[]).await, "429");
    assert_eq!(
        status("/", &[("Origin", "https://evil.example")]).await,
        "403"
    );
}

#[tokio::test]
async fn where_the_first_message_may_hold_the_token_a_client_without_one_is_let_in() {
    let server = guarded(|config| config.first_message_auth = true).await;

    let _client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;

    let connection = server.hub().connections().remove(0);
    assert!(connection.awaits_auth());
    connection.renew(Identity::user("ada"));
    assert!(!connection.awaits_auth());
    assert_eq!(connection.identity().name(), Some("ada"));
    is_refused(&server, "/?token=bad", &[], "Invalid token").await;
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_loopback_whatever_it_asks_for() {
    let server = open_to_all(|config| {
        config.allowed_hosts = vec!["zcomm.test".into()];
        config.allow_insecure = true;
    })
    .await;
    let status = async |bytes: String| {
        let client = Client::say(server.local_addr(), bytes.as_bytes()).await;
        client.status().to_owned()
    };

    assert_eq!(
        status(upgrade("/", &[("Host", "evil.example")])).await,
        "403"
    );
    assert_eq!(status(upgrade("/", &[("Host", "zcomm.test")])).await, "101");
    let plain = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned();
    assert_eq!(status(plain).await, "403");
}

#[tokio::test]
async fn a_tls_hello_on_the_plain_port_is_answered_by_a_fatal_alert() {
    let server = open_to_all(|_| {}).await;

    let client = Client::say(server.local_addr(), b"\x16\x03\x01\x02\0\x01").await;

    assert_eq!(client.head, "\x15\x03\x01\0\x02\x02\x28");
}

#[tokio::test]
async fn malformed_upgrades_are_answered_with_a_status() {
    let server = open_to_all(|_| {}).await;
    let status = async |bytes: String| {
        let client = Client::say(server.local_addr(), bytes.as_bytes()).await;
        client.status().to_owned()
    };
    let good = upgrade("/", &[]);

    assert_eq!(
        status(good.replace("Version: 13", "Version: 8")).await,
        "426"
    );
    assert_eq!(
        status(good.replace("Connection: Upgrade", "Connection: close")).await,
        "400"
    );
    assert_eq!(
        status(good.replace("dGhlIHNhbXBsZSBub25jZQ==", "short")).await,
        "400"
    );
    assert_eq!(status(good.replace("HTTP/1.1", "HTTP/1.0")).await, "400");
    assert_eq!(status("\x17\x03\x01\r\n\r\n".to_owned()).await, "400");
    let many = "X-Header: 1\r\n".repeat(200);
    assert_eq!(
        status(good.replace("Upgrade: w", &format!("{many}Upgrade: w"))).await,
        "431"
    );
    let long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    assert_eq!(
        status(good.replace("Upgrade: w", &format!("{long}Upgrade: w"))).await,
        "431"
    );
}

#[tokio::test]
async fn a_stream_that_says_nothing_is_ended() {
    let server = open_to_all(|config| config.handshake_timeout = Duration::from_millis(50)).await;

    for bytes in [&b""[..], b"GET / HT"] {
        let client = Client::say(server.local_addr(), bytes).await;

        assert!(matches!(client.status(), "none" | "408"), "{}", client.head);
    }
}

#[tokio::test]
async fn plain_requests_go_to_the_http_service_with_peer_and_verdict() {
    let service = service_fn(async |request: Request<Body>| {
        let peer = request.extensions().get::<Peer>().unwrap().address;
        let verdict = request.extensions().get::<OriginVerdict>().unwrap();
        let text = format!("{} {} {verdict:?}", request.uri().path(), peer.is_some());
        Ok::<_, Error>(Response::new(Body::from(text)))
    });
    let builder = Server::builder().config(config()).http(service);
    let server = builder.bind().await.unwrap();
    let ask = "GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n";

    let mut client = Client::say(server.local_addr(), ask.as_bytes()).await;

    let mut body = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut client.stream, &mut body)
        .await
        .unwrap();
    assert_eq!((client.status(), &*body), ("200", "/elsewhere true Denied"));
}

#[tokio::test]
async fn a_server_without_http_says_that_it_speaks_websocket() {
    let server = open_to_all(|_| {}).await;

    let get = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let client = Client::say(server.local_addr(), get).await;
    assert_eq!(client.status(), "426");
    let post = b"POST /dispatch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let client = Client::say(server.local_addr(), post).await;
    assert_eq!(client.status(), "404");
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_holder_and_its_setting() {
    let server = open_to_all(|_| {}).await;
    let mut same = config();
    same.port = server.local_addr().port();

    let error = Server::builder().config(same).bind().await.unwrap_err();

    let text = error.to_string();
    assert_eq!(error.code(), "bind_failed");
    assert!(text.contains(&server.local_addr().to_string()), "{text}");
    assert!(text.contains("websocket.port"), "{text}");
    #[cfg(target_os = "linux")]
    assert!(
        text.contains(&format!("(pid {})", std::process::id())),
        "{text}"
    );
}

#[tokio::test]
async fn beyond_this_machine_nobody_listens_without_authentication() {
    let mut reachable = config();
    reachable.host = "0.0.0.0".to_owned();

    let error = Server::builder()
        .config(reachable.clone())
        .bind()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "insecure");

    let mut named = config();
    named.allowed_hosts = vec!["zcomm.test".to_owned()];
    let error = Server::builder().config(named).bind().await.unwrap_err();
    assert_eq!(error.code(), "insecure");

    reachable.allow_insecure = true;
    let server = Server::builder().config(reachable).bind().await.unwrap();
    assert!(server.local_addr().ip().is_unspecified());
}
