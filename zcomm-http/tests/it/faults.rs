//! Everything that can go wrong on a socket has its name, and nothing hangs.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use zcomm_core::Phase;
use zcomm_http::{Error, Format, HttpClient, Limit, ReqwestTransport, Response, Retry};

use crate::server::{Server, answer, builder, client, read_head, soon};

async fn get(client: &HttpClient, url: &str) -> Result<Response, Error> {
    soon(client.get(url).send()).await
}

/// The failure of a GET, or of reading its body.
async fn failure(client: &HttpClient, url: &str) -> Error {
    match get(client, url).await {
        Err(error) => error,
        Ok(answer) => soon(answer.bytes()).await.unwrap_err(),
    }
}

/// The failure that these bytes, and then the end of the connection, lead to.
async fn failure_of(bytes: impl Into<Vec<u8>>) -> Error {
    let server = Server::saying(bytes).await;
    let error = failure(&client(), &server.url("/")).await;
    assert_eq!(
        error.host(),
        Some(&*server.address.to_string()),
        "{error:?}"
    );
    assert_eq!(error.attempt(), Some(1), "{error:?}");
    error
}

#[tokio::test]
async fn a_port_that_nobody_listens_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    let error = failure(&client(), &format!("http://{address}/")).await;

    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot connect to `{address}`"));
    assert_eq!(error.phase(), Some(Phase::Connect));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("refused"), "{source}");
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let error = failure(&client(), "http://nobody.invalid/").await;

    // Where no resolver answers at all, the limit for connecting ends the look-up.
    let unresolved = matches!(
        error,
        Error::Dns { .. }
            | Error::Timeout {
                which: Limit::Connect,
                ..
            }
    );
    assert!(unresolved, "{error:?}");
    assert_eq!(error.host(), Some("nobody.invalid"));
}

#[tokio::test]
async fn attempts_are_counted_in_the_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let quick = Retry::default().first_wait(Duration::from_millis(1));
    let client = builder().retry(quick).build().unwrap();

    assert_eq!(failure(&client, &url).await.attempt(), Some(3));
}

#[tokio::test]
async fn what_is_no_http() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\nBroken",
        "",
    ] {
        let error = failure_of(bytes).await;

        assert!(
            matches!(error, Error::Request { .. }),
            "{bytes:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_reset_before_the_answer() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await;
        reset(stream);
    })
    .await;

    let error = failure(&client(), &server.url("/")).await;

    assert!(matches!(error, Error::Request { .. }), "{error:?}");
}

/// Ends a connection with RST in place of FIN.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n9\r\nbro",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
    ] {
        let error = failure_of(bytes).await;

        assert!(matches!(error, Error::Body { .. }), "{bytes:?}: {error:?}");
    }
}

#[tokio::test]
async fn lengths_that_contradict_each_other() {
    let error =
        failure_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!").await;

    assert!(matches!(error, Error::Request { .. }), "{error:?}");
}

/// A server that sends `start` and then a byte each second, for ever.
async fn dripping(start: &'static str) -> Server {
    Server::start(move |mut stream| async move {
        read_head(&mut stream).await;
        let mut next = stream.write_all(start.as_bytes()).await;
        while next.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            next = stream.write_all(b"a").await;
        }
    })
    .await
}

const BODY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn heads_and_bodies_that_drip_end_with_the_total_time() {
    let client = builder().timeout(Duration::from_secs(5)).build().unwrap();
    for start in ["HTTP/1.1 200 OK\r\nX-Long: ", BODY] {
        let server = dripping(start).await;
        let begun = Instant::now();

        let error = failure(&client, &server.url("/")).await;

        let total = matches!(error, Error::Timeout { which: Limit::Total, limit, .. } if limit.as_secs() == 5);
        assert!(total, "{start:?}: {error:?}");
        assert_eq!(begun.elapsed().as_secs(), 5);
    }
}

/// A server that sends `start` and then nothing.
async fn pausing(start: &'static str) -> Server {
    Server::start(move |mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn each_time_limit_is_told_by_its_name() {
    let head = pausing("").await;
    let body = pausing(BODY).await;
    let client = builder()
        .attempt_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(3))
        .build()
        .unwrap();

    let at_head = failure(&client, &head.url("/")).await;
    let at_body = failure(&client, &body.url("/")).await;

    assert_eq!(
        at_head.to_string(),
        format!(
            "`{}` took longer than the attempt time limit of 2 s",
            head.address
        )
    );
    assert_eq!(
        at_body.to_string(),
        format!(
            "`{}` took longer than the read time limit of 3 s",
            body.address
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_is_never_answered_ends_with_the_connect_time() {
    let server = Server::start(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let url = format!("https://{}/", server.address);

    let request = client().get(url).connect_timeout(Duration::from_secs(4));
    let error = soon(request.send()).await.unwrap_err();

    let connect = matches!(error, Error::Timeout { which: Limit::Connect, limit, .. } if limit.as_secs() == 4);
    assert!(connect, "{error:?}");
}

#[tokio::test]
async fn a_body_beyond_the_cap() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n[";
    let unannounced = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2000));
    let client = builder().max_body(1000).build().unwrap();

    for bytes in [announced, &unannounced] {
        let server = Server::saying(bytes).await;
        let answer = get(&client, &server.url("/")).await.unwrap();

        let error = soon(answer.text()).await.unwrap_err();

        assert!(
            matches!(error, Error::TooLarge { limit: 1000, .. }),
            "{error:?}"
        );
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    [head.as_bytes(), bytes].concat()
}

/// The beginning of a gzip file that unpacks to 258 bytes for every 13 bits.
fn bomb(runs: usize) -> Vec<u8> {
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    // A last block with fixed codes (RFC 1951 §3.2.6), the literal 0, and then the longest copies of the byte before.
    let mut bits = vec![1, 1, 0];
    bits.extend([0, 0, 1, 1, 0, 0, 0, 0]);
    for _ in 0..runs {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    let packed = bits.chunks(8).map(|byte| {
        let bits = byte.iter().enumerate();
        bits.fold(0, |byte: u8, (place, bit)| byte | (bit << place))
    });
    header.into_iter().chain(packed).collect()
}

#[tokio::test]
async fn a_decompression_bomb_ends_at_the_cap() {
    let bomb = bomb(100_000);
    assert!(bomb.len() < 200_000);
    let server = Server::saying(gzipped(&bomb)).await;

    let client = builder().max_body(10_000_000).build().unwrap();
    let error = failure(&client, &server.url("/")).await;

    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit: 10_000_000,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_not_compressed_as_its_head_says() {
    for bytes in [b"this is no gzip at all" as &[u8], &bomb(10)] {
        let error = failure_of(gzipped(bytes)).await;

        let decode = matches!(
            error,
            Error::Decode {
                format: Format::Compressed,
                ..
            }
        );
        assert!(decode, "{error:?}");
    }
}

#[tokio::test]
async fn a_compressed_body_that_breaks_off() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n";

    let error = failure_of([head.as_bytes(), &bomb(10)].concat()).await;

    assert!(matches!(error, Error::Body { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_neither_text_nor_json() {
    let server = Server::saying(b"HTTP/1.1 200 OK\r\n\r\n{\"a\": \"\xff\"}".to_vec()).await;
    let client = client();

    let text = get(&client, &server.url("/")).await.unwrap().text().await;
    let json = get(&client, &server.url("/")).await.unwrap();
    let json = json.json::<serde_json::Value>().await;

    let text = text.unwrap_err();
    assert!(
        matches!(
            text,
            Error::Decode {
                format: Format::Utf8,
                ..
            }
        ),
        "{text:?}"
    );
    let json = json.unwrap_err();
    assert!(
        matches!(
            json,
            Error::Decode {
                format: Format::Json,
                ..
            }
        ),
        "{json:?}"
    );
}

#[tokio::test]
async fn a_private_target_is_refused_in_numbers_and_by_name() {
    let server = Server::saying(answer("200 OK", "")).await;
    let guarded = ReqwestTransport::builder().public_only().build().unwrap();
    let client = HttpClient::new(std::sync::Arc::new(guarded));

    for host in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
    ] {
        let url = format!("http://{host}:{}/", server.address.port());
        let error = failure(&client, &url).await;
        assert!(
            matches!(error, Error::PrivateTarget { .. }),
            "{host}: {error:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_cannot_be_sent_says_so_before_anything_is() {
    let server = Server::saying(answer("200 OK", "")).await;
    let client = client();
    let url = server.url("/");

    for request in [
        client.get(&url).header("x-note", "a\r\nx-admin: yes"),
        client.get(&url).header("x note", "a"),
        client.get(&url).bearer("a\nb"),
        client.get(format!("{url}\r\nx-admin: yes")),
        client
            .post(&url)
            .json(&std::collections::HashMap::from([((1, 2), 3)])),
    ] {
        let error = soon(request.send()).await.unwrap_err();
        assert!(
            ["header", "url", "encode"].contains(&error.code()),
            "{error:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_secret_is_in_no_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    let url = format!("http://ada:hunter2@{address}/?token=hunter2");
    let error = soon(client().get(url).bearer("hunter2").send()).await;

    let error = error.unwrap_err();
    let printed = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
    assert!(!printed.contains("hunter2"), "{printed}");
}
