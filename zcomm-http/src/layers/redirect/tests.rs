//! Redirects in a world of one function. Opens no sockets.

use std::sync::{Arc, Mutex};

use tower::service_fn;
use zcomm_core::BoxService;

use super::*;

type Seen = Arc<Mutex<Vec<String>>>;

/// A world in which `/status?to=url` redirects, and anything else is an answer; it notes what it was asked.
fn world() -> (BoxService, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let service = service_fn(move |request: Request<Body>| {
        noted.lock().unwrap().push(line(&request));
        let mut answer = Response::new(Body::empty());
        if let Some((_, to)) = request.uri().query().unwrap_or_default().split_once("to=") {
            let status = request.uri().path().trim_start_matches('/');
            *answer.status_mut() = status.parse().unwrap();
            answer.headers_mut().insert(LOCATION, to.parse().unwrap());
        }
        async move { Ok(answer) }
    });
    (BoxService::new(RedirectLayer::new(3).layer(service)), seen)
}

fn line(request: &Request<Body>) -> String {
    let mut names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let crossed = request.extensions().get::<CrossOrigin>().is_some();
    format!(
        "{} {} [{}]{}{}",
        request.method(),
        request.uri(),
        names.join(" "),
        if request.body().as_bytes() == Some(b"") {
            ""
        } else {
            " +body"
        },
        if crossed { " crossed" } else { "" },
    )
}

async fn send(request: Request<Body>) -> (Result<Response<Body>, Error>, Vec<String>) {
    let (stack, seen) = world();
    let answer = stack.oneshot(request).await;
    let lines = seen.lock().unwrap().clone();
    (
        answer.map_err(|error| Error::from_stack(error, Place::new("?"))),
        lines,
    )
}

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn an_answer_says_where_it_came_from() {
    let (answer, seen) = send(get("http://h/302?to=/end")).await;

    let answer = answer.unwrap();
    assert_eq!(
        answer.extensions().get::<AnsweredBy>().unwrap().0,
        "http://h/end"
    );
    assert_eq!(seen, ["GET http://h/302?to=/end []", "GET http://h/end []"]);
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let headers = |request: &mut Request<Body>| {
        for name in [
            "authorization",
            "cookie",
            "host",
            "x-vault-token",
            "private-token",
            "apikey",
            "user-agent",
            "accept",
            "if-none-match",
            "content-md5",
            "traceparent",
        ] {
            let mut value = http::HeaderValue::from_static("v");
            value.set_sensitive(name == "user-agent");
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    let last = async |to: &str| {
        let mut request = get(&format!("http://h/307?to={to}"));
        headers(&mut request);
        send(request).await.1.pop().unwrap()
    };

    let all = "[accept apikey authorization content-md5 cookie host if-none-match private-token traceparent \
               user-agent x-vault-token]";
    let neutral = "[accept content-md5 if-none-match traceparent]";
    assert_eq!(last("/a").await, format!("GET http://h/a {all}"));
    assert_eq!(last("http://h:80/a").await, format!("GET http://h/a {all}"));
    for other in ["http://h:81/a", "http://i/a", "https://h/a"] {
        assert_eq!(last(other).await, format!("GET {other} {neutral} crossed"));
    }
}

#[tokio::test]
async fn methods_and_bodies_change_as_the_status_says() {
    let second = async |method: Method, status: u16| {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://h/{status}?to=/end"))
            .header(CONTENT_TYPE, "text/plain")
            .body(Body::from("data"));
        send(request.unwrap()).await.1.pop().unwrap()
    };

    let (kept, dropped) = ("http://h/end [content-type] +body", "http://h/end []");
    for (method, status, expected) in [
        (Method::POST, 301, format!("GET {dropped}")),
        (Method::POST, 302, format!("GET {dropped}")),
        (Method::PUT, 302, format!("PUT {kept}")),
        (Method::PUT, 303, format!("GET {dropped}")),
        (Method::POST, 307, format!("POST {kept}")),
        (Method::POST, 308, format!("POST {kept}")),
    ] {
        assert_eq!(second(method, status).await, expected, "{status}");
    }
}

#[tokio::test]
async fn a_stream_that_is_gone_is_not_sent_on() {
    let stream = Body::stream(http_body_util::Full::new(bytes::Bytes::from("x")));
    let request = Request::post("http://h/307?to=/end").body(stream).unwrap();

    let (answer, seen) = send(request).await;

    assert_eq!((answer.unwrap().status().as_u16(), seen.len()), (307, 1));
}

#[tokio::test]
async fn encryption_is_never_given_up() {
    let (answer, seen) = send(get("https://h/302?to=http://h/a?token=s3cr3t")).await;

    assert_eq!(
        answer.unwrap_err().to_string(),
        "`h` redirects from https to plain `http://h/a?token=***`"
    );
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_circle_is_seen_and_a_long_way_is_cut() {
    let (circle, seen) = send(get("http://h/302?to=/302?to=/302")).await;
    assert_eq!((circle.unwrap().status().as_u16(), seen.len()), (200, 3));

    let itself = "http://h/302?to=";
    let (circle, _) = send(get(itself)).await;
    assert_eq!(circle.unwrap_err().code(), "redirect_loop");

    let long = "http://h/302?to=/302?to=/302?to=/302?to=/302?to=/end";
    let (long, seen) = send(get(long)).await;
    let error = long.unwrap_err();
    assert!(
        matches!(error, Error::TooManyRedirects { limit: 3, .. }),
        "{error:?}"
    );
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn a_location_that_is_no_address_is_named() {
    for bad in ["http://", "mailto:x@y", "file:///etc/passwd"] {
        let (answer, _) = send(get(&format!("http://h/302?to={bad}"))).await;

        assert_eq!(answer.unwrap_err().code(), "bad_redirect", "{bad}");
    }
}

#[tokio::test]
async fn with_zero_a_redirect_is_an_answer() {
    let mut request = get("http://h/302?to=/end");
    let mut call = Call::default();
    call.redirects = Some(0);
    request.extensions_mut().insert(Arc::new(call));

    let (answer, seen) = send(request).await;

    assert_eq!((answer.unwrap().status().as_u16(), seen.len()), (302, 1));
}
