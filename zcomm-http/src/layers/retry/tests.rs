//! Attempts at a host that follows a script, on paused time. Opens no sockets.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http::header::RETRY_AFTER;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::timeout;
use tower::service_fn;
use zcomm_core::{BoxService, Phase};

use super::*;
use crate::error::Place;
use crate::layers::{HostLimit, HostLimitLayer};

/// What a host does, attempt by attempt; the last goes on for ever.
#[derive(Clone, Copy)]
enum Does {
    Answer(u16),
    Ask(u16, &'static str),
    Refuse,
    Hang,
    Distrust,
}

use Does::{Answer, Ask, Distrust, Hang, Refuse};

struct Host {
    stack: BoxService,
    attempts: Arc<Mutex<Vec<u64>>>,
}

/// A host behind the layer, which notes at which second each attempt came.
fn host_that(does: &'static [Does], retry: Retry) -> Host {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let (noted, start) = (Arc::clone(&attempts), Instant::now());
    let service = service_fn(move |_: Request<Body>| {
        let mut noted = noted.lock().unwrap();
        let does = does[noted.len().min(does.len() - 1)];
        noted.push(start.elapsed().as_secs());
        act(does)
    });
    let stack = BoxService::new(RetryLayer::new(retry).layer(service));
    Host { stack, attempts }
}

async fn act(does: Does) -> Result<Response<Body>, Error> {
    let failed = |phase| {
        Err(Error::Transport {
            phase,
            host: "h".into(),
            source: "no".into(),
        })
    };
    match does {
        Answer(status) => Ok(answer(status)),
        Ask(status, after) => {
            let mut answer = answer(status);
            answer
                .headers_mut()
                .insert(RETRY_AFTER, after.parse().unwrap());
            Ok(answer)
        }
        Refuse => failed(Phase::Connect),
        Distrust => failed(Phase::Tls),
        Hang => std::future::pending().await,
    }
}

fn answer(status: u16) -> Response<Body> {
    let builder = Response::builder().status(status);
    builder.body(Body::from(status.to_string())).unwrap()
}

/// Waits of exactly 1, 2, 4 … seconds.
fn exact(attempts: u32) -> Retry {
    Retry::default()
        .attempts(attempts)
        .first_wait(Duration::from_secs(1))
        .without_jitter()
}

fn request(method: Method) -> Request<Body> {
    let builder = Request::builder().method(method).uri("http://h/");
    builder.body(Body::from("data")).unwrap()
}

impl Host {
    async fn send(&self, request: Request<Body>) -> Result<u16, Error> {
        let answer = self.stack.clone().oneshot(request).await?;
        Ok(answer.status().as_u16())
    }

    async fn get(&self) -> Result<u16, Error> {
        self.send(request(Method::GET)).await
    }

    fn attempts(&self) -> Vec<u64> {
        self.attempts.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_further_and_further_apart() {
    let host = host_that(&[Answer(503), Refuse, Answer(429), Answer(200)], exact(9));

    assert_eq!(host.get().await.unwrap(), 200);
    assert_eq!(host.attempts(), [0, 1, 3, 7]);
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_returned_when_attempts_run_out() {
    let host = host_that(&[Answer(500), Answer(503)], exact(3));

    assert_eq!(host.get().await.unwrap(), 503);
    assert_eq!(host.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_outranks_a_later_error() {
    let host = host_that(&[Answer(503), Refuse], exact(2));

    assert_eq!(host.get().await.unwrap(), 503);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_returned_where_no_answer_ever_came() {
    let host = host_that(&[Refuse], exact(3));

    let error = host.get().await.unwrap_err();

    assert!(
        matches!(
            error,
            Error::Transport {
                phase: Phase::Connect,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(host.attempts(), [0, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_is_final_is_not_retried() {
    for does in [
        &[Answer(200)] as &[_],
        &[Answer(404)],
        &[Answer(501)],
        &[Distrust],
    ] {
        let host = host_that(does, exact(3));

        let _ = host.get().await;

        assert_eq!(host.attempts(), [0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_is_retried_only_with_a_key_or_when_asked_for() {
    let attempts = async |request| {
        let host = host_that(&[Answer(503)], exact(2));
        host.send(request).await.unwrap();
        host.attempts().len()
    };
    let mut keyed = request(Method::POST);
    keyed
        .headers_mut()
        .insert("idempotency-key", "1".parse().unwrap());
    let mut asked_for = request(Method::POST);
    let mut call = Call::default();
    call.retry = Some(exact(4));
    asked_for.extensions_mut().insert(Arc::new(call));

    assert_eq!(attempts(request(Method::POST)).await, 1);
    assert_eq!(attempts(request(Method::DELETE)).await, 2);
    assert_eq!(attempts(keyed).await, 2);
    assert_eq!(attempts(asked_for).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_when_is_obeyed() {
    let host = host_that(&[Ask(503, "20"), Answer(200)], exact(3));

    assert_eq!(host.get().await.unwrap(), 200);
    assert_eq!(host.attempts(), [0, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_too_much_is_not_waited_for() {
    let host = host_that(&[Ask(429, "31"), Answer(200)], exact(3));
    let start = Instant::now();

    assert_eq!(host.get().await.unwrap(), 429);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// A request whose call ends after so many seconds.
fn ending_after(seconds: u64) -> Request<Body> {
    let call = Call::default();
    call.set_until(Instant::now() + Duration::from_secs(seconds));
    let mut request = request(Method::GET);
    request.extensions_mut().insert(Arc::new(call));
    request
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_outlast_the_call_is_not_begun() {
    let host = host_that(&[Answer(503)], exact(9));
    let start = Instant::now();

    assert_eq!(host.send(ending_after(3)).await.unwrap(), 503);
    assert_eq!(
        (host.attempts(), start.elapsed().as_secs()),
        (vec![0, 1], 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_answer_before_an_attempt_that_hangs_is_returned_at_the_end() {
    let host = host_that(&[Answer(503), Hang], exact(9));
    let start = Instant::now();

    assert_eq!(host.send(ending_after(5)).await.unwrap(), 503);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

/// A body of unknown length in pieces of 1 KiB, so many of them.
fn streamed(pieces: usize) -> Body {
    let piece = || Ok::<_, Error>(Frame::data(Bytes::from_static(&[b'.'; 1024])));
    let pieces = std::iter::repeat_with(piece).take(pieces);
    Body::stream(StreamBody::new(stream::iter(pieces)))
}

/// A host with one place, which answers 503 with a stream and then refuses; what comes of a call, and its body's length.
async fn kept_by_a_host_with_one_place(body: fn() -> Body) -> (u16, Result<usize, Error>) {
    let attempts = Arc::new(AtomicUsize::new(0));
    let service = service_fn(move |_: Request<Body>| {
        let made = attempts.fetch_add(1, Ordering::Relaxed);
        let answer = Response::builder().status(503).body(body()).unwrap();
        async move {
            match made {
                0 => Ok(answer),
                _ => act(Refuse).await,
            }
        }
    });
    let limit = HostLimitLayer::new(HostLimit::default().at_once(1));
    let stack = RetryLayer::new(exact(3)).layer(limit.layer(service));
    let stack = BoxService::new(stack);
    let answer = timeout(Duration::from_secs(60), stack.oneshot(ending_after(30)));
    let answer = answer.await.expect("the place is given back").unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect(usize::MAX).await;
    (status, body.map(|body| body.len()))
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_kept_holds_no_place_with_its_host() {
    let (status, length) = kept_by_a_host_with_one_place(|| streamed(64)).await;
    assert_eq!((status, length.unwrap()), (503, 64 * 1024));

    let (status, length) = kept_by_a_host_with_one_place(|| streamed(65)).await;
    let error = crate::Error::from_stack(length.unwrap_err(), Place::new("h"));
    assert_eq!(
        (status, error.to_string().as_str()),
        (503, "the body from `h` could not be read to its end")
    );
}

#[tokio::test(start_paused = true)]
async fn the_longest_of_waits_is_too_long_and_no_panic() {
    let longest = exact(3).longest_retry_after(Duration::MAX);
    let host = host_that(&[Ask(503, "18446744073709551615")], longest);
    assert_eq!(host.send(ending_after(5)).await.unwrap(), 503);

    let longest = exact(3)
        .first_wait(Duration::MAX)
        .longest_wait(Duration::MAX);
    let host = host_that(&[Answer(503)], longest);
    assert_eq!(host.send(ending_after(5)).await.unwrap(), 503);
    assert_eq!(host.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_ends_a_storm_of_retries() {
    let host = host_that(&[Answer(503)], exact(2).first_wait(Duration::ZERO));

    for _ in 0..100 {
        assert_eq!(host.get().await.unwrap(), 503);
    }

    let retries = host.attempts().len() - 100;
    assert!((35..=42).contains(&retries), "{retries}");
}
