//! Kept connections that the server closes at the worst moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use zcomm_http::{Error, Retry};

use crate::server::{Server, answer, builder, client, read_head, soon};

/// A server that answers so many requests of each connection, and closes it when it has read one more.
async fn deserting(answers: usize, unanswered: Arc<AtomicUsize>) -> Server {
    Server::start(move |mut stream| {
        let unanswered = Arc::clone(&unanswered);
        async move {
            for _ in 0..answers {
                if read_head(&mut stream).await.is_none() {
                    return;
                }
                let answer = answer("200 OK", "x");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            if read_head(&mut stream).await.is_some() {
                unanswered.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_post_that_the_server_has_read_is_never_sent_again() {
    let unanswered = Arc::new(AtomicUsize::new(0));
    let server = deserting(1, Arc::clone(&unanswered)).await;
    let client = client();
    let post = async || soon(client.post(server.url("/")).send()).await;

    post().await.unwrap().bytes().await.unwrap();
    let error = post().await.unwrap_err();

    assert!(matches!(error, Error::Request { .. }), "{error:?}");
    assert_eq!(error.attempt(), Some(1));
    assert_eq!(unanswered.load(Ordering::Relaxed), 1);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_get_that_the_server_has_read_is_sent_again() {
    let server = deserting(1, Arc::default()).await;
    let quick = Retry::default().first_wait(Duration::from_millis(1));
    let client = builder().retry(quick).build().unwrap();
    let get = async || soon(client.get(server.url("/")).send()).await.unwrap();

    get().await.bytes().await.unwrap();
    let second = get().await;

    assert_eq!((second.status().as_u16(), second.attempts()), (200, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_up_after_every_other_answer_either_answers_or_is_named() {
    let server = Server::start(|mut stream| async move {
        for _ in 0..2 {
            if read_head(&mut stream).await.is_none() {
                return;
            }
            // The client may have gone, as the server does.
            let _ = stream.write_all(answer("200 OK", "x").as_bytes()).await;
        }
    })
    .await;
    let client = client();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (client, url) = (client.clone(), server.url("/"));
        tasks.spawn(async move {
            for _ in 0..50 {
                match soon(client.post(&url).send()).await {
                    Ok(answer) => assert_eq!(soon(answer.text()).await.unwrap(), "x"),
                    // The close overtook the request, and nobody can tell whether it was read.
                    Err(error) => assert_eq!(error.code(), "request", "{error:?}"),
                }
            }
        });
    }

    soon(tasks.join_all()).await;
}
