//! The breaker over a host that is there, or not, or hangs. Opens no sockets.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use tower::{ServiceExt, service_fn};
use zcomm_core::BoxService;

use super::*;

const PAUSE: Duration = Duration::from_secs(10);

/// A breaker that opens at the second failure, over a host that is there or not.
fn stack(there: &Arc<AtomicBool>) -> BoxService {
    let there = Arc::clone(there);
    let service = service_fn(move |request: Request<Body>| {
        let there = there.load(Ordering::Relaxed);
        async move {
            match request.uri().path() {
                "/hang" => pending().await,
                "/503" => Ok(Response::builder().status(503).body(Body::empty()).unwrap()),
                _ if there => Ok(Response::new(Body::empty())),
                _ => Err(zcomm_core::Error::Closed { host: "h".into() }),
            }
        }
    });
    let breaker = Breaker::default().failures(2).pause(PAUSE);
    BoxService::new(BreakerLayer::new(breaker).layer(service))
}

async fn get(stack: &BoxService, url: &str) -> Result<u16, Error> {
    let request = Request::get(url).body(Body::empty()).unwrap();
    let answer = stack.clone().oneshot(request).await;
    let answer = answer.map_err(|error| Error::from_stack(error, Place::new("?")))?;
    Ok(answer.status().as_u16())
}

async fn code(stack: &BoxService, url: &str) -> &'static str {
    get(stack, url)
        .await
        .map_or_else(|error| error.code(), |_| "answer")
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_twice_is_left_alone_until_the_pause_is_over() {
    let there = Arc::new(AtomicBool::new(false));
    let stack = stack(&there);
    get(&stack, "http://h/").await.unwrap_err();
    get(&stack, "http://h/").await.unwrap_err();

    tokio::time::advance(Duration::from_secs(4)).await;
    let error = get(&stack, "http://h/").await.unwrap_err();
    assert!(
        matches!(error, Error::CircuitOpen { wait, .. } if wait == Duration::from_secs(6)),
        "{error:?}"
    );
    assert_eq!(code(&stack, "http://other/").await, "unavailable");

    there.store(true, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(get(&stack, "http://h/").await.unwrap(), 200);
    assert_eq!(get(&stack, "http://h/").await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_longest_of_pauses_is_no_panic() {
    let service = service_fn(async |_: Request<Body>| -> Result<Response<Body>, _> {
        Err(zcomm_core::Error::Closed { host: "h".into() })
    });
    let breaker = Breaker::default().failures(1).pause(Duration::MAX);
    let stack = BoxService::new(BreakerLayer::new(breaker).layer(service));
    get(&stack, "http://h/").await.unwrap_err();

    assert_eq!(code(&stack, "http://h/").await, "circuit_open");
}

#[tokio::test(start_paused = true)]
async fn a_failed_try_begins_another_pause() {
    let stack = stack(&Arc::default());
    get(&stack, "http://h/").await.unwrap_err();
    get(&stack, "http://h/").await.unwrap_err();
    tokio::time::advance(PAUSE).await;

    assert_eq!(code(&stack, "http://h/").await, "unavailable");
    assert_eq!(code(&stack, "http://h/").await, "circuit_open");
}

#[tokio::test(start_paused = true)]
async fn a_try_that_is_given_up_lets_the_next_call_try() {
    let there = Arc::new(AtomicBool::new(false));
    let stack = stack(&there);
    get(&stack, "http://h/").await.unwrap_err();
    get(&stack, "http://h/").await.unwrap_err();
    tokio::time::advance(PAUSE).await;

    let hanging = tokio::time::timeout(Duration::from_secs(1), get(&stack, "http://h/hang"));
    let (hung, meanwhile) = tokio::join!(hanging, code(&stack, "http://h/"));
    assert!(hung.is_err());
    assert_eq!(meanwhile, "circuit_open");

    there.store(true, Ordering::Relaxed);
    assert_eq!(get(&stack, "http://h/").await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn calls_that_end_at_their_deadline_count_as_failures() {
    let there = Arc::new(AtomicBool::new(true));
    let stack = stack(&there);
    for _ in 0..2 {
        let limit = Duration::from_secs(1);
        let call = Arc::new(Call::default());
        call.set_until(tokio::time::Instant::now() + limit);
        let mut request = Request::get("http://h/hang").body(Body::empty()).unwrap();
        request.extensions_mut().insert(call);
        let hung = tokio::time::timeout(limit, stack.clone().oneshot(request)).await;
        assert!(hung.is_err());
    }

    assert_eq!(code(&stack, "http://h/").await, "circuit_open");
}

#[tokio::test(start_paused = true)]
async fn statuses_never_open_the_circuit() {
    let stack = stack(&Arc::default());

    for _ in 0..5 {
        assert_eq!(get(&stack, "http://h/503").await.unwrap(), 503);
    }
}
