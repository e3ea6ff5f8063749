//! Plain http goes through hyper alone, and through reqwest where it needs more: nobody can tell which way it went.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use zcomm_http::{Error, HttpClient, RequestBuilder, ReqwestTransport, Response, Retry};

use crate::server::{Server, answer, read_head, soon};

/// `compressed`, as gzip.
const GZIP: [u8; 30] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 206, 207, 45, 40, 74, 45, 46, 78, 77, 1, 0, 30, 75, 86,
    151, 10, 0, 0, 0,
];

/// A client for each way: a cookie jar is what hyper alone does not have.
fn ways() -> [HttpClient; 2] {
    let builder = || ReqwestTransport::builder().no_proxy();
    [builder(), builder().cookies()].map(|transport| {
        let client = HttpClient::builder().transport(Arc::new(transport.build().unwrap()));
        client.retry(Retry::none()).build().unwrap()
    })
}

/// What both ways say of the same call, which has to be the same.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>([short, long]: [T; 2]) -> T {
    assert_eq!(short, long);
    short
}

async fn text(answer: Result<Response, Error>) -> Result<String, String> {
    let text = match answer {
        Ok(answer) => answer.text().await,
        Err(error) => Err(error),
    };
    text.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("{} {error}: {cause:?}", error.code())
    })
}

/// What both ways say of a server that writes this.
async fn told(bytes: Vec<u8>) -> Result<String, String> {
    let server = Server::saying(bytes).await;
    let [short, long] = ways();
    same([
        text(soon(short.get(server.url("/")).send()).await).await,
        text(soon(long.get(server.url("/")).send()).await).await,
    ])
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), bytes].concat()
}

#[tokio::test]
async fn a_server_sees_the_same_request() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let server = Server::start(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            while let Some(head) = read_head(&mut stream).await {
                seen.lock().unwrap().push(head);
                let answer = answer("200 OK", "");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await;

    let mut both = Vec::new();
    for client in ways() {
        let get = client.get(server.url("/a%20b?c=d")).header("x-a", "1");
        soon(get.send()).await.unwrap();
        let post = client.post(server.url("/")).json(&json!({}));
        // The body follows the head; the server reads no further than that.
        soon(post.send()).await.unwrap();
        both.push(std::mem::take(&mut *heads.lock().unwrap()));
    }

    let [get, post] = &same([both.remove(0), both.remove(0)])[..] else {
        panic!("two requests went out");
    };
    assert!(get.starts_with("GET /a%20b?c=d HTTP/1.1\r\n"), "{get}");
    assert!(get.contains("accept-encoding: "), "{get}");
    assert!(post.contains("content-length: 2\r\n"), "{post}");
}

#[tokio::test]
async fn an_answer_reads_the_same() {
    assert_eq!(
        told(answer("200 OK", "plain").into()).await.unwrap(),
        "plain"
    );
    assert_eq!(told(gzipped(&GZIP)).await.unwrap(), "compressed");
}

#[tokio::test]
async fn a_failure_has_the_same_name_and_cause() {
    let broken = [&GZIP[..12], b"????????????"].concat();
    for (bytes, code) in [
        (gzipped(&broken), "decode"),
        (gzipped(&GZIP[..20]), "decode"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec(),
            "body",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
            "body",
        ),
        (b"no http at all\r\n\r\n".to_vec(), "request"),
        (Vec::new(), "request"),
    ] {
        let failure = told(bytes).await.unwrap_err();
        assert!(failure.starts_with(code), "{failure}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_has_the_same_name_and_cause() {
    // Nobody listens there any longer.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = format!("http://{}/", gone.unwrap());
    for (url, code) in [
        (gone.as_str(), "connect"),
        ("http://no.such.host.invalid/", "dns"),
    ] {
        let [short, long] = ways();
        let failure = same([
            text(soon(short.get(url).send()).await).await,
            text(soon(long.get(url).send()).await).await,
        ]);
        let failure = failure.unwrap_err();
        assert!(failure.starts_with(code), "{failure}");
    }
}

#[tokio::test]
async fn a_head_says_what_the_request_implies() {
    // Answers with the head that it was sent.
    let server = Server::start(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap_or_default();
        let answer = answer("200 OK", &head.to_lowercase());
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;

    for client in ways() {
        let seen = async |request: RequestBuilder| text(soon(request.send()).await).await.unwrap();
        let url = server.url("/");

        let post = seen(client.post(&url)).await;
        assert!(post.contains("\r\ncontent-length: 0\r\n"), "{post}");
        let get = seen(client.get(&url)).await;
        assert!(!get.contains("content-length"), "{get}");
        assert!(get.contains("\r\naccept-encoding: zstd"), "{get}");
        let range = seen(client.get(&url).header("range", "bytes=1-")).await;
        assert!(
            range.contains("\r\naccept-encoding: identity\r\n"),
            "{range}"
        );
    }
}
