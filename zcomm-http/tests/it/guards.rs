//! What protects a client that talks to strangers: the cap, the guard against private targets, no cookies unless asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{Request, Response, Uri};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tower::{Service as _, service_fn};
use zcomm_core::{Body, Channel, Transport, TransportCx};
use zcomm_http::{Error, HttpClient, ReqwestTransport};

use crate::server::{Server, answer, client, read_head, soon};

#[tokio::test]
async fn a_hundred_megabytes_of_json_end_at_the_cap() {
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let server = Server::start(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            read_head(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[1";
            stream.write_all(head.as_bytes()).await.unwrap();
            let numbers = ",1".repeat(500_000);
            // The client hangs up when it has had enough.
            while counted.load(Ordering::Relaxed) < 100_000_000
                && stream.write_all(numbers.as_bytes()).await.is_ok()
            {
                counted.fetch_add(numbers.len(), Ordering::Relaxed);
            }
        }
    })
    .await;

    let answer = soon(client().get(server.url("/")).send()).await.unwrap();
    let error = soon(answer.json::<Value>()).await.unwrap_err();

    let cap = 32 * 1024 * 1024;
    assert!(
        matches!(error, Error::TooLarge { limit, .. } if limit == cap),
        "{error:?}"
    );
    let written = written.load(Ordering::Relaxed);
    assert!(written < 2 * cap, "{written} bytes were taken");
}

/// Answers for one public host with a redirect, and leaves every other to a transport that serves public hosts only.
struct Lure {
    to: String,
    guarded: ReqwestTransport,
}

#[async_trait]
impl Transport for Lure {
    fn schemes(&self) -> &[&str] {
        &["http", "https"]
    }

    async fn open(&self, target: &Uri, cx: &TransportCx) -> Result<Channel, zcomm_core::Error> {
        if target.host() != Some("public.example") {
            return self.guarded.open(target, cx).await;
        }
        let to = self.to.clone();
        Ok(Channel::new(service_fn(move |_: Request<Body>| {
            let answer = Response::builder().status(302).header("location", &to);
            let answer = answer.body(Body::empty()).unwrap();
            async move { Ok(answer) }
        })))
    }
}

#[tokio::test]
async fn a_redirect_to_a_private_target_is_refused_in_numbers_and_by_name() {
    let private = Server::saying(answer("200 OK", "secret")).await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0177.1"] {
        let to = format!("http://{host}:{}/", private.address.port());
        let guarded = ReqwestTransport::builder().public_only().build().unwrap();
        let client = HttpClient::new(Arc::new(Lure { to, guarded }));

        let error = soon(client.get("http://public.example/").send()).await;

        let error = error.unwrap_err();
        assert!(
            matches!(error, Error::PrivateTarget { .. }),
            "{host}: {error:?}"
        );
    }
    assert_eq!(private.connections(), 0);
}

/// The failure of a request that no client has parsed the address of.
async fn failure_of_raw(mut transport: ReqwestTransport, url: &str) -> zcomm_core::Error {
    let request = Request::builder().uri(url).body(Body::empty()).unwrap();
    soon(transport.call(request)).await.unwrap_err()
}

#[tokio::test]
async fn no_way_of_writing_a_private_address_gets_through() {
    let private = Server::saying(answer("200 OK", "secret")).await;
    let port = private.address.port();
    let builder = || ReqwestTransport::builder().public_only();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "0177.1",
        "0x7f000001",
        "2130706433",
        "[::ffff:7f00:1]",
        "localhost",
    ] {
        let [plain, encrypted] =
            ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}/"));
        // Without cookies, plain requests go another way.
        let short = builder().build().unwrap();
        let long = builder().cookies().build().unwrap();

        for (transport, url) in [(&short, &plain), (&long, &plain), (&short, &encrypted)] {
            let error = failure_of_raw(transport.clone(), url).await;
            let error = format!("{error:?}");
            // To some resolvers the one that ends with a dot is the name of nobody.
            let unknown = url.as_str() == plain && error.contains("LookUpFailed");
            assert!(error.contains("PrivateTarget") || unknown, "{url}: {error}");
        }
    }
    assert_eq!(private.connections(), 0);
}

/// The heads of two requests, one after the other, to a server that sets a cookie.
async fn heads(transport: ReqwestTransport) -> Vec<String> {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let server = Server::start(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let head = read_head(&mut stream).await.unwrap();
            seen.lock().unwrap().push(head);
            let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: id=7\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let client = HttpClient::new(Arc::new(transport));
    for _ in 0..2 {
        soon(client.get(server.url("/")).send()).await.unwrap();
    }
    let heads = heads.lock().unwrap();
    heads.clone()
}

#[tokio::test]
async fn cookies_are_kept_only_where_that_is_asked_for() {
    let builder = || ReqwestTransport::builder().no_proxy();

    let without = heads(builder().build().unwrap()).await;
    let with = heads(builder().cookies().build().unwrap()).await;

    assert!(!without[1].contains("cookie"), "{without:?}");
    assert!(with[1].contains("cookie: id=7\r\n"), "{with:?}");
}
