//! Redirects between real servers.

use zcomm_http::Error;

use crate::server::{Server, answer, builder, client, read_head, soon};
use tokio::io::AsyncWriteExt;

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn credentials_do_not_reach_another_port() {
    let end = Server::start(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        let answer = answer("200 OK", &head);
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let start = Server::saying(redirect(&end.url("/end"))).await;

    let request = client()
        .get(start.url("/"))
        .bearer("t0ken")
        .header("x-my-token", "s3cr3t")
        .header("accept-language", "de");
    let answer = soon(request.send()).await.unwrap();

    assert_eq!(answer.url().to_string(), end.url("/end"));
    assert_eq!(answer.attempts(), 2);
    let seen = answer.text().await.unwrap();
    assert!(
        seen.contains("accept-language: de") && !seen.contains("t0ken") && !seen.contains("s3cr3t"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_circle_is_named_after_one_round() {
    let server = Server::saying(redirect("/")).await;

    let error = soon(client().get(server.url("/")).send())
        .await
        .unwrap_err();

    assert!(matches!(error, Error::RedirectLoop { .. }), "{error:?}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_way_without_end_is_cut() {
    // Each answer leads to a path that was not seen before.
    let server = Server::start(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        let path = head.split(' ').nth(1).unwrap();
        let answer = redirect(&format!("{path}x"));
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let client = builder().follow_redirects(4).build().unwrap();

    let error = soon(client.get(server.url("/")).send()).await.unwrap_err();

    assert!(
        matches!(error, Error::TooManyRedirects { limit: 4, .. }),
        "{error:?}"
    );
    assert_eq!(error.attempt(), Some(5));
}
