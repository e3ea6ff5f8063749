//! What monitors ask of a running server: is it alive, is it ready, what has it counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zcomm_core::{Secret, TokenList};
use zcomm_ws::server::{Reject, Server, ServerHandle, async_handler, sync_handler};

use crate::peer::{Client, Seen};
use crate::serving::{config, echo, serve, until_connected};

async fn get(server: &ServerHandle, target: &str, header: &str) -> (String, String) {
    let head =
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n");
    let client = Client::say(server.local_addr(), head.as_bytes()).await;
    let status = client.status().to_owned();
    (status, String::from_utf8(client.remaining().await).unwrap())
}

/// The value of one line of the metrics.
async fn counted(server: &ServerHandle, line: &str) -> f64 {
    let (status, text) = get(server, "/metrics", "").await;
    assert_eq!(status, "200", "{text}");
    let prefix = format!("zcomm_ws_{line} ");
    let value = text.lines().find_map(|found| found.strip_prefix(&prefix));
    value
        .unwrap_or_else(|| panic!("no {line} in {text}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_server_says_that_it_lives_and_takes_clients() {
    let server = echo().await;

    assert_eq!(
        get(&server, "/healthz", "").await,
        ("200".into(), "ok\n".into())
    );
    assert_eq!(
        get(&server, "/readyz", "").await,
        ("200".into(), "ready\n".into())
    );
    assert_eq!(get(&server, "/other", "").await.0, "426");
}

#[tokio::test]
async fn messages_bytes_and_connections_are_counted() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;
    for number in 0..100 {
        client.text(&number.to_string()).await;
        client.next_text().await;
    }

    assert_eq!(counted(&server, "connections").await, 1.0);
    assert_eq!(counted(&server, "messages_received_total").await, 100.0);
    assert_eq!(counted(&server, "messages_sent_total").await, 100.0);
    // 190 digits; six bytes of head and mask per message from the client, two from the server.
    assert_eq!(counted(&server, "received_bytes_total").await, 790.0);
    assert_eq!(counted(&server, "sent_bytes_total").await, 390.0);
    assert!(counted(&server, "handler_seconds_count").await >= 1.0);

    client.close(zcomm_ws::frame::CloseCode::Normal, "").await;
    assert_eq!(client.rest().await, [Seen::Close(1000, String::new())]);
    until_connected(&server, 0).await;
    assert_eq!(counted(&server, "connections").await, 0.0);
    assert_eq!(counted(&server, "connections_total").await, 1.0);
    assert_eq!(counted(&server, "closed_total{code=\"1000\"}").await, 1.0);
}

#[tokio::test]
async fn a_broadcast_is_counted_with_its_receivers() {
    let server = echo().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Client::open(server.local_addr()).await);
    }
    until_connected(&server, 3).await;

    server.hub().broadcast("to all", None);
    for client in &mut clients {
        assert_eq!(client.next_text().await, "to all");
    }

    assert_eq!(counted(&server, "broadcast_receivers_sum").await, 3.0);
    assert_eq!(
        counted(&server, "broadcast_receivers_bucket{le=\"1\"}").await,
        0.0
    );
    assert_eq!(
        counted(&server, "broadcast_receivers_bucket{le=\"10\"}").await,
        1.0
    );
    assert_eq!(counted(&server, "messages_sent_total").await, 3.0);
}

#[tokio::test]
async fn a_future_counts_until_it_is_done() {
    let server = serve(async_handler(async |_connection, _message| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(15) {
            tokio::task::yield_now().await;
        }
        "done"
    }))
    .await;
    let mut client = Client::open(server.local_addr()).await;

    while counted(&server, "handler_seconds_count").await == 0.0 {
        client.text("wait").await;
        client.next_text().await;
    }

    assert_eq!(
        counted(&server, "handler_seconds_bucket{le=\"0.01\"}").await,
        0.0
    );
    assert!(counted(&server, "handler_seconds_sum").await >= 0.015);
}

#[tokio::test]
async fn refusals_are_counted_by_their_reason() {
    let server = echo().await;
    let origin = [("Origin", "https://evil.example")];

    let mut refused = Client::open_as(server.local_addr(), "/", &origin).await;
    assert!(matches!(refused.next().await, Seen::Close(1008, _)));

    assert_eq!(
        counted(&server, "refused_total{reason=\"invalid_origin\"}").await,
        1.0
    );
}

#[tokio::test]
async fn beyond_this_machine_a_token_opens_the_metrics() {
    let mut config = config();
    config.require_auth = true;
    config.allowed_hosts = vec!["chat.example".to_owned()];
    config.reject = Reject::Http;
    let server = Server::builder()
        .config(config)
        .auth(Arc::new(TokenList::single(Secret::new("good"))))
        .handler(sync_handler(|_, _| {}))
        .bind()
        .await
        .unwrap();

    assert_eq!(get(&server, "/metrics", "").await.0, "401");
    assert_eq!(get(&server, "/metrics?token=bad", "").await.0, "401");
    assert_eq!(get(&server, "/metrics?token=good", "").await.0, "200");
    assert_eq!(get(&server, "/healthz", "").await.0, "200");
}

#[tokio::test]
async fn no_page_elsewhere_reads_the_metrics() {
    let server = echo().await;

    let (status, _) = get(&server, "/metrics", "Origin: https://evil.example\r\n").await;

    assert_eq!(status, "403");
}

#[tokio::test]
async fn without_metrics_there_is_nothing_at_their_path() {
    let mut config = config();
    config.metrics = false;
    let server = Server::builder().config(config).bind().await.unwrap();

    assert_eq!(get(&server, "/metrics", "").await.0, "426");
}
