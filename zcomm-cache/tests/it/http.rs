//! Answers of servers elsewhere: what is kept, for whom, and what is asked again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, Request, Response};
use http_body_util::StreamBody;
use tower::{Layer, ServiceExt, service_fn};
use zcomm_cache::{Cache, CacheConfig};
use zcomm_core::{Body, BoxService, Error, Scope, Secret};

type Script = dyn Fn(&Request<Body>, usize) -> Response<Body> + Send + Sync;

/// A server of a script behind the cache.
struct Origin {
    cache: Cache,
    service: BoxService,
    calls: Arc<AtomicUsize>,
    asked: Arc<Mutex<HeaderMap>>,
}

impl Origin {
    fn new(
        script: impl Fn(&Request<Body>, usize) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let cache = Cache::new(CacheConfig::default().max_bytes(1 << 20));
        let (calls, asked) = (
            Arc::<AtomicUsize>::default(),
            Arc::<Mutex<HeaderMap>>::default(),
        );
        let (counted, seen) = (Arc::clone(&calls), Arc::clone(&asked));
        let script: Arc<Script> = Arc::new(script);
        let inner = service_fn(move |request: Request<Body>| {
            let call = counted.fetch_add(1, Ordering::SeqCst) + 1;
            *seen.lock().unwrap() = request.headers().clone();
            let response = script(&request, call);
            async move { Ok::<_, Error>(response) }
        });
        Self {
            service: BoxService::new(cache.http_layer().layer(inner)),
            cache,
            calls,
            asked,
        }
    }

    async fn send(&self, request: Builder) -> Response<Body> {
        let request = request.body(Body::empty()).unwrap();
        self.service.clone().oneshot(request).await.unwrap()
    }

    async fn text(&self, request: Builder) -> String {
        let body = self.send(request).await.into_body();
        String::from_utf8(body.collect(1 << 20).await.unwrap().to_vec()).unwrap()
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn get() -> Builder {
    get_as("ada")
}

fn get_as(who: &str) -> Builder {
    let scope = Scope::Credential(Secret::from(who).digest());
    Request::get("http://api.example/users").extension(scope)
}

fn answer(headers: &[(&'static str, &'static str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

#[tokio::test]
async fn a_fresh_answer_is_given_again_with_its_age() {
    let origin =
        Origin::new(|_, call| answer(&[("cache-control", "max-age=60")], call.to_string()));

    let first = origin.text(get()).await;
    let again = origin.send(get()).await;

    assert!(again.headers().contains_key("age"), "{again:?}");
    assert_eq!(
        (first.as_str(), again.body().as_bytes()),
        ("1", Some(&b"1"[..]))
    );
    assert_eq!((origin.calls(), origin.cache.stats().hits), (1, 1));
}

#[tokio::test]
async fn no_two_credentials_share_an_answer_and_none_is_kept_without() {
    let origin =
        Origin::new(|_, call| answer(&[("cache-control", "public, max-age=60")], call.to_string()));
    let anonymous = || Request::get("http://api.example/users");

    let texts = [
        origin.text(get_as("ada")).await,
        origin.text(get_as("eve")).await,
        origin.text(get_as("ada")).await,
        origin.text(anonymous()).await,
        origin.text(anonymous()).await,
    ];

    assert_eq!(texts, ["1", "2", "1", "3", "4"]);
}

#[tokio::test]
async fn what_a_server_or_a_request_forbids_to_keep_is_not_kept() {
    for forbidding in ["no-store", "no-store, max-age=60"] {
        let origin =
            Origin::new(move |_, call| answer(&[("cache-control", forbidding)], call.to_string()));

        origin.text(get()).await;

        assert_eq!(origin.text(get()).await, "2", "{forbidding}");
    }
    let origin =
        Origin::new(|_, call| answer(&[("cache-control", "max-age=60")], call.to_string()));
    origin.text(get().header("cache-control", "no-store")).await;
    assert_eq!(origin.text(get()).await, "2");
}

#[tokio::test]
async fn how_long_an_answer_holds_is_never_guessed() {
    let old = ("last-modified", "Mon, 01 Jan 2001 00:00:00 GMT");
    let origin = Origin::new(move |_, call| answer(&[old], call.to_string()));

    origin.text(get()).await;

    assert_eq!(origin.text(get()).await, "2");
}

#[tokio::test]
async fn answers_that_vary_are_told_apart() {
    let origin = Origin::new(|request, _| {
        let language = request.headers()["accept-language"]
            .to_str()
            .unwrap()
            .to_owned();
        answer(
            &[("cache-control", "max-age=60"), ("vary", "accept-language")],
            language,
        )
    });
    let ask = |language| origin.text(get().header("accept-language", language));

    let texts = [
        ask("de").await,
        ask("en").await,
        ask("de").await,
        ask("en").await,
    ];

    assert_eq!(texts, ["de", "en", "de", "en"]);
    assert_eq!(origin.calls(), 2);
}

#[tokio::test]
async fn a_stale_answer_that_still_holds_is_given_with_the_new_head() {
    let origin = Origin::new(|request, call| {
        let tags = [("etag", "\"a\""), ("cache-control", "no-cache")];
        if request.headers().contains_key("if-none-match") {
            let mut response = answer(&[tags[0], tags[1], ("x-seen", "again")], Body::empty());
            *response.status_mut() = http::StatusCode::NOT_MODIFIED;
            return response;
        }
        answer(&[tags[0], tags[1], ("x-seen", "first")], call.to_string())
    });

    origin.text(get()).await;
    let again = origin.send(get()).await;

    assert_eq!(origin.asked.lock().unwrap()["if-none-match"], "\"a\"");
    assert_eq!(
        (again.status(), &again.headers()["x-seen"]),
        (http::StatusCode::OK, &"again".parse().unwrap())
    );
    assert_eq!(again.body().as_bytes(), Some(&b"1"[..]));
}

#[tokio::test]
async fn a_stale_answer_that_changed_is_replaced() {
    let origin = Origin::new(|_, call| {
        let tag: &'static str = ["\"a\"", "\"b\""][call - 1];
        let control = ["no-cache", "max-age=60"][call - 1];
        answer(
            &[("etag", tag), ("cache-control", control)],
            call.to_string(),
        )
    });

    let texts = [
        origin.text(get()).await,
        origin.text(get()).await,
        origin.text(get()).await,
    ];

    assert_eq!(texts, ["1", "2", "2"]);
}

#[tokio::test]
async fn a_304_about_something_else_is_no_answer() {
    let origin = Origin::new(|request, call| {
        let mut response = answer(&[("etag", "\"other\"")], Body::empty());
        *response.status_mut() = http::StatusCode::NOT_MODIFIED;
        match request.headers().contains_key("if-none-match") {
            true => response,
            false => answer(
                &[("etag", "\"a\""), ("cache-control", "no-cache")],
                call.to_string(),
            ),
        }
    });
    origin.text(get()).await;

    let again = origin.send(get()).await;

    assert_eq!(
        (again.status(), again.body().as_bytes()),
        (http::StatusCode::OK, Some(&b"3"[..]))
    );
}

#[tokio::test]
async fn a_change_at_an_address_ends_what_was_kept_of_it() {
    let origin =
        Origin::new(|_, call| answer(&[("cache-control", "max-age=60")], call.to_string()));
    origin.text(get()).await;

    origin.text(get().method("HEAD")).await;
    let after_look = origin.text(get()).await;
    origin.text(get().method("POST")).await;
    let after_change = origin.text(get()).await;

    assert_eq!((after_look.as_str(), after_change.as_str()), ("1", "4"));
}

#[tokio::test]
async fn conditions_and_ranges_of_the_applications_own_pass() {
    let origin =
        Origin::new(|_, call| answer(&[("cache-control", "max-age=60")], call.to_string()));
    origin.text(get()).await;

    let ranged = origin.text(get().header("range", "bytes=0-1")).await;
    let conditional = origin.text(get().header("if-none-match", "\"x\"")).await;

    assert_eq!((ranged.as_str(), conditional.as_str()), ("2", "3"));
}

#[tokio::test]
async fn only_what_is_kept_is_given_to_who_wants_only_that() {
    let origin =
        Origin::new(|_, call| answer(&[("cache-control", "max-age=60")], call.to_string()));
    let only = || get().header("cache-control", "max-age=60, only-if-cached");

    let before = origin.send(only()).await;
    origin.text(get()).await;
    let after = origin.send(only()).await;

    assert_eq!(
        (before.status().as_u16(), after.status().as_u16()),
        (504, 200)
    );
    assert_eq!(origin.calls(), 1);
}

fn streamed(size: usize) -> Response<Body> {
    let pieces =
        (0..4).map(move |_| Ok::<_, Error>(http_body::Frame::data(Bytes::from(vec![b'x'; size]))));
    let body = Body::stream(StreamBody::new(futures_util::stream::iter(pieces)));
    answer(&[("cache-control", "max-age=60")], body)
}

#[tokio::test]
async fn a_stream_is_kept_once_it_was_read_to_its_end() {
    let origin = Origin::new(|_, _| streamed(100));

    drop(origin.send(get()).await);
    let after_a_look = origin.text(get()).await;
    let after_reading = origin.send(get()).await;

    assert_eq!(after_a_look.len(), 400);
    assert_eq!(after_reading.body().as_bytes().map(<[u8]>::len), Some(400));
    assert_eq!(origin.calls(), 2);
}

#[tokio::test]
async fn a_stream_that_is_too_large_passes_whole_and_is_not_kept() {
    let origin = Origin::new(|_, _| streamed(200_000));

    let first = origin.text(get()).await;
    origin.text(get()).await;

    assert_eq!(
        (first.len(), origin.calls(), origin.cache.size().0),
        (800_000, 2, 0)
    );
}

#[tokio::test]
async fn an_answer_that_came_before_a_clearing_is_not_kept_after_it() {
    let origin = Origin::new(|_, _| streamed(100));

    let response = origin.send(get()).await;
    origin.cache.clear(zcomm_core::Clearing::All);
    response.into_body().collect(1000).await.unwrap();
    origin.text(get()).await;

    assert_eq!(origin.calls(), 2);
}
