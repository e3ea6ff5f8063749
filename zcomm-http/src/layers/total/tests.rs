//! Heads and bodies that come late or never, on paused time. Opens no sockets.

use std::convert::Infallible;
use std::sync::Mutex;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tower::{ServiceExt, service_fn};

use super::*;
use crate::error::{self, Limit, Place};

const TOTAL: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_secs(3);

/// A body with a piece of it every `pause`.
fn dripping(pause: Duration) -> Body {
    let pieces = stream::unfold((), move |()| async move {
        tokio::time::sleep(pause).await;
        let frame = Frame::data(Bytes::from_static(b"."));
        Some((Ok::<_, Infallible>(frame), ()))
    });
    Body::stream(StreamBody::new(pieces))
}

async fn read(pause: Duration) -> (error::Error, Duration) {
    let service = service_fn(move |_| async move { Ok(Response::new(dripping(pause))) });
    let start = Instant::now();
    let request = Request::get("http://h/").body(Body::empty()).unwrap();
    let stack = TotalLayer::new(TOTAL, READ).layer(service);
    let answer = stack.oneshot(request).await.unwrap();

    let error = answer.into_body().collect(usize::MAX).await.unwrap_err();

    (
        error::Error::from_stack(error, Place::new("?")),
        start.elapsed(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_ends_with_the_total_time() {
    let (error, after) = read(Duration::from_secs(1)).await;

    assert_eq!(
        error.to_string(),
        "`h` took longer than the total time limit of 10 s"
    );
    assert_eq!(after, TOTAL);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_pauses_ends_with_the_read_time() {
    let (error, after) = read(Duration::from_secs(4)).await;

    assert!(
        matches!(error, error::Error::Timeout { which: Limit::Read, limit, .. } if limit == READ),
        "{error:?}"
    );
    assert_eq!(after, READ);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_slower_than_the_server_ends_with_the_total_time() {
    let pieces = stream::repeat_with(|| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"."))));
    let body = Body::stream(StreamBody::new(pieces.take(20)));
    let body = Mutex::new(Some(body));
    let service = service_fn(move |_: Request<Body>| {
        let body = body.lock().unwrap().take().unwrap();
        async { Ok(Response::new(body)) }
    });
    let stack = TotalLayer::new(TOTAL, READ).layer(service);
    let mut body = stack
        .oneshot(Request::new(Body::empty()))
        .await
        .unwrap()
        .into_body();

    let mut pieces = 0;
    let error = loop {
        match body.frame().await.unwrap() {
            Ok(_) => pieces += 1,
            Err(error) => break error::Error::from_stack(error, Place::new("?")),
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    };

    assert!(
        matches!(error, error::Error::Timeout { which: Limit::Total, limit, .. } if limit == TOTAL),
        "{error:?}"
    );
    assert_eq!(pieces, 10);
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_comes_ends_with_the_requests_own_time() {
    let service =
        service_fn(async |_| std::future::pending::<Result<Response<Body>, Error>>().await);
    let mut request = Request::new(Body::empty());
    request
        .extensions_mut()
        .insert(Deadline(Duration::from_secs(2)));
    let start = Instant::now();

    let error = TotalLayer::new(TOTAL, READ)
        .layer(service)
        .oneshot(request)
        .await
        .unwrap_err();

    assert!(
        matches!(error, Error::Timeout { limit } if limit == Duration::from_secs(2)),
        "{error:?}"
    );
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn the_longest_of_times_is_no_limit() {
    let service = service_fn(async |_| Ok(Response::new(Body::from("x"))));
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(Deadline(Duration::MAX));

    let answer = TotalLayer::new(TOTAL, Duration::MAX)
        .layer(service)
        .oneshot(request)
        .await
        .unwrap();

    assert_eq!(answer.body().as_bytes(), Some(&b"x"[..]));
}
