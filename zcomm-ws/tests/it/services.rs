//! Tower services and pages on a server, and what is known of a client.

use axum::Router;
use axum::extract::Extension;
use axum::routing::post;
use http::{Request, Response};
use tower::service_fn;
use zcomm_core::{Body, Error};
use zcomm_ws::frame::{FrameBuilder, Role};
use zcomm_ws::server::{Connection, Server, sync_handler};

use crate::peer::{Client, Seen};
use crate::serving::config;

#[tokio::test]
async fn an_axum_router_answers_messages_by_the_connections_path() {
    let app = Router::new()
        .route("/shout", post(async |text: String| text.to_uppercase()))
        .route(
            "/whoami",
            post(async |Extension(connection): Extension<Connection>| {
                connection.client_info().path
            }),
        );
    let server = Server::builder().config(config()).service(app);
    let server = server.bind().await.unwrap();

    let mut shout = Client::open_as(server.local_addr(), "/shout", &[]).await;
    shout.text("grüße").await;
    let mut whoami = Client::open_as(server.local_addr(), "/whoami?x=1", &[]).await;
    whoami.text("").await;

    assert_eq!(shout.next_text().await, "GRÜSSE");
    assert_eq!(whoami.next_text().await, "/whoami");
}

#[tokio::test]
async fn a_service_that_fails_costs_its_connection_nothing() {
    let service = service_fn(async |request: Request<Body>| {
        let body = request.into_body().collect(64).await?;
        match &body[..] {
            b"fail" => Err(Error::Timeout {
                limit: std::time::Duration::ZERO,
            }),
            b"nothing" => Ok(Response::new(Body::empty())),
            _ => Ok(Response::new(Body::from(body))),
        }
    });
    let server = Server::builder().config(config()).service(service);
    let server = server.bind().await.unwrap();
    let mut client = Client::open(server.local_addr()).await;

    client.text("fail").await;
    client.text("nothing").await;
    let mut builder = FrameBuilder::new(Role::Client);
    client.send(&builder.binary(&[0xFF]).unwrap().build()).await;

    assert_eq!(client.next().await, Seen::Binary(vec![0xFF]));
}

#[tokio::test]
async fn a_page_is_shown_at_its_path() {
    let server = Server::builder()
        .config(config())
        .page("/", "<!doctype html><title>Hello</title>")
        .bind()
        .await
        .unwrap();

    let head = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let client = Client::say(server.local_addr(), head).await;

    assert_eq!(client.status(), "200");
    assert!(
        client.head.contains("text/html; charset=utf-8"),
        "{}",
        client.head
    );
    assert!(client.remaining().await.ends_with(b"<title>Hello</title>"));
}

#[tokio::test]
async fn a_clients_info_is_what_the_handshake_found() {
    let handler = sync_handler(|cx, _| {
        let info = serde_json::to_string(&cx.connection().client_info()).unwrap();
        cx.reply(info.as_str());
    });
    let server = Server::builder().config(config()).handler(handler);
    let server = server.bind().await.unwrap();
    let mut client = Client::open_as(server.local_addr(), "/chat?token=secret", &[]).await;

    client.text("who am I").await;
    let text = client.next_text().await;
    let info: serde_json::Value = serde_json::from_str(&text).unwrap();

    assert_eq!(info["path"], "/chat");
    assert_eq!(info["authenticated"], false);
    assert_eq!(info["encrypted"], false);
    assert!(
        info["address"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn serving_without_async_inside_a_runtime_is_an_error() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();

    let error = runtime.block_on(async { Server::builder().config(config()).run() });

    assert_eq!(error.unwrap_err().code(), "inside_runtime");
}
