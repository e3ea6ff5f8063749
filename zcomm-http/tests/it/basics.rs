//! What a client is for: requests that arrive as they were meant, and answers that come back whole.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Version;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zcomm_core::{Registry, Settings};
use zcomm_http::{HttpClient, ReqwestTransport};

use crate::server::{Server, answer, client, read_head, soon};

/// A server that answers every request of a connection with the request's own bytes.
async fn mirror() -> Server {
    Server::start(|mut stream| async move {
        while let Some(head) = read_head(&mut stream).await {
            let body = read_body(&mut stream, &head).await;
            let answer = answer("200 OK", &format!("{head}{body}"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await
}

async fn read_body(stream: &mut (impl AsyncReadExt + Unpin), head: &str) -> String {
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        let mut body = String::new();
        while !body.ends_with("0\r\n\r\n") {
            body.push(stream.read_u8().await.unwrap().into());
        }
        return body;
    }
    let length = head.split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    String::from_utf8(body).unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_put_together() {
    let server = mirror().await;
    let request = client()
        .post(server.url("/path?a=1"))
        .query([("q", "x y&z")])
        .header("x-note", "hello")
        .bearer("t0ken")
        .idempotency_key("k1")
        .json(&json!({"name": "Ada"}));

    let seen = soon(request.send()).await.unwrap().text().await.unwrap();

    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /path?a=1&q=x+y%26z HTTP/1.1"));
    for line in [
        "x-note: hello",
        "authorization: Bearer t0ken",
        "idempotency-key: k1",
        "content-type: application/json",
        "content-length: 14",
    ] {
        assert!(head.lines().any(|seen| seen == line), "{line} in {head}");
    }
    assert_eq!(body, r#"{"name":"Ada"}"#);
}

#[tokio::test]
async fn forms_and_streams_arrive_whole() {
    let server = mirror().await;
    let client = client();
    let form = client.post(server.url("/")).form([("a b", "1&2")]);
    let pieces = ["one ", "two"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let streamed = client.put(server.url("/")).stream(stream::iter(pieces));

    let form = soon(form.send()).await.unwrap().text().await.unwrap();
    let streamed = soon(streamed.send()).await.unwrap().text().await.unwrap();

    assert!(form.ends_with("\r\n\r\na+b=1%262"), "{form}");
    assert!(
        streamed.ends_with("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"),
        "{streamed}"
    );
}

#[tokio::test]
async fn a_kept_connection_is_used_again() {
    let server = mirror().await;
    let client = client();

    for _ in 0..5 {
        soon(client.get(server.url("/")).send())
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
    }

    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_post_survives_a_kept_connection_that_the_server_closed() {
    let server = Server::saying(answer("200 OK", "x")).await;
    let client = client();

    for _ in 0..20 {
        let answer = soon(client.post(server.url("/")).body("data").send()).await;
        assert_eq!(answer.unwrap().text().await.unwrap(), "x");
    }
}

#[tokio::test]
async fn an_answer_of_http_1_0_ends_with_its_connection() {
    let server = Server::saying("HTTP/1.0 200 OK\r\n\r\nold but whole").await;

    let answer = soon(client().get(server.url("/")).send()).await.unwrap();

    assert_eq!(answer.version(), Version::HTTP_10);
    assert_eq!(answer.text().await.unwrap(), "old but whole");
}

#[tokio::test]
async fn statuses_are_answers() {
    for status in [
        "404 Not Found",
        "500 Oh No",
        "503 Later",
        "418 I'm a teapot",
    ] {
        let server = Server::saying(answer(status, "why")).await;

        let answer = soon(client().get(server.url("/")).send()).await.unwrap();

        assert_eq!(answer.status().as_str(), &status[..3]);
        assert!(!answer.ok());
        let error = answer.error_for_status().unwrap_err();
        assert_eq!((error.code(), error.phase()), ("status", None));
    }
}

#[tokio::test]
async fn a_body_comes_in_pieces() {
    let server = Server::saying(answer("200 OK", &"x".repeat(300_000))).await;
    let answer = soon(client().get(server.url("/")).send()).await.unwrap();
    assert_eq!(answer.content_length(), Some(300_000));

    let sizes = answer.stream().map(|piece| piece.unwrap().len());

    assert_eq!(
        soon(sizes.collect::<Vec<_>>()).await.iter().sum::<usize>(),
        300_000
    );
}

#[tokio::test]
async fn the_guides_one_liners_give_nothing_instead_of_a_crash() {
    let server = Server::saying(answer("404 Not Found", "")).await;
    let client = client();

    let answered = client.http_post(server.url("/"), &json!({}));
    let unknown = client.http_post("https://invalid domain", &json!({}));
    let refused = client
        .http_get("http://127.0.0.1:1/", ())
        .timeout(Duration::from_secs(2));

    assert_eq!(soon(answered.ok()).await.unwrap().status(), 404);
    assert!(soon(unknown.ok()).await.is_none());
    assert!(soon(refused.ok()).await.is_none());
}

#[tokio::test]
async fn an_empty_object_is_sent_as_one() {
    let server = mirror().await;

    let seen = soon(client().http_post(server.url("/"), &json!({})).send()).await;

    assert!(seen.unwrap().text().await.unwrap().ends_with("\r\n\r\n{}"));
}

#[tokio::test]
async fn the_registry_has_a_transport_for_both_schemes() {
    let server = mirror().await;
    let registry = Registry::linked().unwrap();

    let settings = Settings::defaults(registry.keys());

    for scheme in ["http", "https"] {
        let transport = registry.transport(scheme, &settings).unwrap();
        let client = HttpClient::new(transport);
        let answer = soon(client.get(server.url("/")).send()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_reached_under_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream
            .write_all(answer("200 OK", "near").as_bytes())
            .await
            .unwrap();
    });
    let transport = ReqwestTransport::builder()
        .unix_socket(path)
        .build()
        .unwrap();
    let client = HttpClient::new(Arc::new(transport));

    let near = soon(client.get("http://docker/info").send()).await.unwrap();

    assert_eq!(near.text().await.unwrap(), "near");
    serving.await.unwrap();
}

#[tokio::test]
async fn credentials_in_the_address_become_a_header() {
    let server = mirror().await;
    let url = server.url("/").replace("http://", "http://ada:p%40ss@");

    let seen = soon(client().get(url).send()).await.unwrap();

    assert_eq!(seen.url().to_string(), server.url("/"));
    let seen = seen.text().await.unwrap();
    assert!(
        seen.contains("authorization: Basic YWRhOnBAc3M=\r\n"),
        "{seen}"
    );
}

#[tokio::test]
async fn json_is_read_into_what_is_asked_for() {
    let server = Server::saying(answer("200 OK", r#"{"args": {"demo": "zcomm"}}"#)).await;

    let data: Value = soon(client().get(server.url("/")).send())
        .await
        .unwrap()
        .json()
        .await
        .unwrap();

    assert_eq!(data["args"]["demo"], "zcomm");
}

#[tokio::test]
async fn nothing_secret_is_in_the_debug_text() {
    let said = "HTTP/1.1 200 OK\r\nSet-Cookie: s=s3cr3t\r\nDate: now\r\nContent-Length: 0\r\n\r\n";
    let server = Server::saying(said).await;
    let request = client()
        .get(server.url("/a?token=s3cr3t"))
        .header("x-my-token", "s3cr3t")
        .header("accept", "text/plain");
    let of_request = format!("{request:?}");
    let of_answer = format!("{:?}", soon(request.send()).await.unwrap());

    for text in [&of_request, &of_answer] {
        assert!(
            !text.contains("s3cr3t") && text.contains("/a?token=***"),
            "{text}"
        );
    }
    assert!(of_request.contains("text/plain") && of_answer.contains("now"));
}
