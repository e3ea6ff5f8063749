//! The layers together, in the order in which the client has them, over a transport that answers from a script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, Request};
use tokio::time::Instant;
use tower::util::MapRequestLayer;
use tower::{ServiceExt, service_fn};
use zcomm_core::{Body, BoxError, BoxService, Phase, Scope, transport};
use zcomm_http::mock::{MockTransport, Reply, Seen};
use zcomm_http::{Breaker, Error, HttpClient, HttpClientBuilder, Limit, Retry, Signer};

fn over(mock: &MockTransport) -> HttpClientBuilder {
    HttpClient::builder().transport(mock.transport())
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_returned_when_the_whole_time_is_over() {
    let mock = MockTransport::new()
        .on("/", Reply::status(503).text("busy"))
        .on("/", Reply::silence());
    let client = over(&mock).timeout(Duration::from_secs(5)).build().unwrap();
    let start = Instant::now();

    let answer = client.get("http://h/").send().await.unwrap();

    assert_eq!((answer.status().as_u16(), answer.attempts()), (503, 2));
    assert_eq!(answer.text().await.unwrap(), "busy");
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_any_answer_ends_with_its_time_and_says_in_which_attempt() {
    let mock = MockTransport::new()
        .on("/", Reply::failure(Phase::Connect))
        .on("/", Reply::silence());
    let client = HttpClient::new(mock.transport());

    let request = client.get("http://h/").timeout(Duration::from_secs(2));
    let error = request.send().await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "`h` (attempt 2) took longer than the total time limit of 2 s"
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_leaves_time_for_another() {
    let mock = MockTransport::new()
        .on("/", Reply::silence())
        .on("/", Reply::status(200));
    let client = HttpClient::new(mock.transport());

    let request = client
        .get("http://h/")
        .attempt_timeout(Duration::from_secs(1));
    let answer = request.send().await.unwrap();

    assert_eq!((answer.status().as_u16(), answer.attempts()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_for_call_after_call_is_left_alone() {
    let mock = MockTransport::new().on("/", Reply::silence());
    let breaker = Breaker::default().failures(2);
    let client = over(&mock).breaker(breaker).build().unwrap();
    let code = async || {
        let error = client.get("http://h/").send().await.unwrap_err();
        (
            error.code(),
            matches!(
                error,
                Error::Timeout {
                    which: Limit::Total,
                    ..
                }
            ),
        )
    };

    assert_eq!(code().await, ("timeout", true));
    assert_eq!(code().await, ("timeout", true));
    assert_eq!(code().await, ("circuit_open", false));
    assert_eq!(mock.requests().len(), 2);
}

/// Says how often it was asked.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Signer for Counting {
    async fn sign(&self, request: &mut Request<Body>) -> Result<(), BoxError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        request
            .headers_mut()
            .insert("signature", HeaderValue::from(number));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_signed_anew_and_none_for_another_origin() {
    let mock = MockTransport::new()
        .on("/start", Reply::status(503))
        .on("/start", Reply::status(302).header("location", "/near"))
        .on(
            "/near",
            Reply::status(302).header("location", "http://other/far"),
        )
        .on("/far", Reply::status(200));
    let client = over(&mock).signer(Counting::default()).build().unwrap();

    let answer = client.get("http://h/start").send().await.unwrap();

    let signatures: Vec<_> = mock
        .requests()
        .iter()
        .map(|seen| {
            seen.headers
                .get("signature")
                .map(|value| value.to_str().unwrap().to_owned())
        })
        .collect();
    let expected = ["1", "2", "3"].map(|number| Some(number.to_owned()));
    assert_eq!(signatures[..3], expected);
    assert_eq!(signatures[3..], [None]);
    assert_eq!(
        (answer.url().to_string(), answer.attempts()),
        ("http://other/far".into(), 4)
    );
}

#[tokio::test(start_paused = true)]
async fn a_layer_of_the_application_sees_each_address_once() {
    let mock = MockTransport::new()
        .on("/start", Reply::status(503))
        .on("/start", Reply::status(302).header("location", "/end"))
        .on("/end", Reply::status(200));
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let count = tower::layer::layer_fn(move |inner: BoxService| {
        let counted = Arc::clone(&counted);
        inner.map_request(move |request: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            request
        })
    });
    let client = over(&mock).layer(count).build().unwrap();

    client.get("http://h/start").send().await.unwrap();

    assert_eq!(
        (mock.requests().len(), seen.load(Ordering::Relaxed)),
        (3, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_with_one_more_layer_shares_what_is_known_about_hosts() {
    let mock = MockTransport::new().on("/", Reply::failure(Phase::Connect));
    let client = over(&mock)
        .breaker(Breaker::default().failures(2))
        .build()
        .unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let layered = client.layer(MapRequestLayer::new(move |request: Request<Body>| {
        counted.fetch_add(1, Ordering::Relaxed);
        request
    }));

    for client in [&client, &layered] {
        client.get("http://h/").send().await.unwrap_err();
    }
    let error = client.get("http://h/").send().await.unwrap_err();

    assert_eq!(error.code(), "circuit_open");
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn headers_of_the_client_give_way_to_those_of_a_request() {
    let mock = MockTransport::new().on("/", Reply::status(200));
    let client = over(&mock)
        .header("x-app", "shop")
        .header("x-note", "client")
        .build()
        .unwrap();

    client
        .get("http://h/")
        .header("x-note", "request")
        .send()
        .await
        .unwrap();

    let headers = &mock.requests()[0].headers;
    let value = |name: &str| {
        headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (value("x-app"), value("x-note")),
        (vec!["shop"], vec!["request"])
    );
    assert_eq!(value("accept"), ["*/*"]);
}

#[tokio::test]
async fn a_scheme_that_nothing_serves_is_named() {
    let client = HttpClient::new(MockTransport::new().transport());

    let error = client.get("ftp://h/").send().await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "no transport serves `ftp://`; known here: http, https"
    );
}

/// The scopes that a cache in the place of one would have seen.
async fn scopes(builder: HttpClientBuilder, tokens: &[&str]) -> Vec<Option<Scope>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let note = tower::layer::layer_fn(move |inner: BoxService| {
        let noted = Arc::clone(&noted);
        inner.map_request(move |request: Request<Body>| {
            let scope = request.extensions().get::<Scope>().cloned();
            noted.lock().unwrap().push(scope);
            request
        })
    });
    let client = builder.layer(note).build().unwrap();
    for token in tokens {
        client.get("http://h/").bearer(*token).send().await.unwrap();
    }
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test]
async fn a_cache_is_told_as_whom_a_request_goes_out_or_that_nobody_knows() {
    let mock = MockTransport::echo();
    let silent = service_fn(async |_| Ok(http::Response::new(Body::empty())));
    let silent = HttpClient::builder().transport(transport::from_service("http", silent));

    let known = scopes(over(&mock), &["a", "b", "a"]).await;
    let unknown = scopes(silent, &["a"]).await;

    assert!(known[0].is_some() && known[0] == known[2] && known[0] != known[1]);
    assert_eq!(unknown, [None]);
}

/// Paths and `x-app` of what goes out when a redirect leads to a host that answers with the second attempt.
async fn sent_over_a_redirect(layered: bool) -> Vec<String> {
    let mock = MockTransport::new()
        .on("/a", Reply::status(307).header("location", "/b"))
        .on("/b", Reply::status(503))
        .on("/b", Reply::status(200));
    let retry = Retry::default().first_wait(Duration::ZERO);
    let builder = HttpClient::builder().transport(mock.transport());
    let mut client = builder.retry(retry).build().unwrap();
    if layered {
        client = client.layer(MapRequestLayer::new(|mut request: Request<Body>| {
            let value = HeaderValue::from_static("shop");
            request.headers_mut().append("x-app", value);
            request
        }));
    }

    let answer = client.put("http://h/a").body("data").send().await;

    assert_eq!(answer.unwrap().status(), 200);
    let line = |seen: &Seen| {
        let apps = seen.headers.get_all("x-app").iter().count();
        let data = String::from_utf8_lossy(&seen.body);
        format!("{} {} {data} {apps}", seen.method, seen.uri.path())
    };
    mock.requests().iter().map(line).collect()
}

#[tokio::test]
async fn a_retry_after_a_redirect_repeats_the_hop_it_belongs_to() {
    let plain = sent_over_a_redirect(false).await;
    let layered = sent_over_a_redirect(true).await;

    assert_eq!(plain, ["PUT /a data 0", "PUT /b data 0", "PUT /b data 0"]);
    assert_eq!(layered, ["PUT /a data 1", "PUT /b data 1", "PUT /b data 1"]);
}
