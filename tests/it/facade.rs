//! The facade from code: blocking calls, logging, plugins handed in.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::json;
use zcomm::core::{Body, Error, Plugin, Settings, Transport, transport};
use zcomm::http::Retry;
use zcomm::{Comm, net};

use crate::run::free_port;

#[test]
fn blocking_calls_wait_and_an_async_runtime_refuses_them() {
    let comm = Comm::builder().isolated().build().unwrap();

    let answer = comm.blocking().unwrap().wait(async { 6 * 7 });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let inside = runtime.block_on(async { comm.blocking().map(|_| ()) });

    assert_eq!(answer, 42);
    assert_eq!(inside.unwrap_err().code(), "inside_runtime");
}

#[test]
fn the_last_comm_may_be_dropped_inside_a_runtime() {
    let comm = Comm::builder().isolated().build().unwrap();
    comm.blocking().unwrap().wait(async {});

    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();

    runtime.block_on(async move { drop(comm) });
}

fn make_loop(settings: &Settings) -> Result<Arc<dyn Transport>, Error> {
    let title = settings.text("title").unwrap_or_default().to_owned();
    let service = tower::service_fn(move |_| {
        let reply = http::Response::new(title.clone().into());
        async move { Ok(reply) }
    });
    Ok(transport::from_service("loop", service))
}

#[test]
fn a_transport_that_is_handed_in_carries_requests() {
    const LOOP: Plugin = Plugin::new("loop", "the-tests").transport(make_loop);
    let comm = Comm::builder()
        .isolated()
        .plugin(LOOP)
        .set("title", "handed in")
        .build()
        .unwrap();

    let http = comm.blocking().unwrap().http();
    let text = http.get("loop://here/").send().unwrap().text().unwrap();

    assert_eq!(text, "handed in");
}

fn make_echo(_: &Settings) -> Result<Arc<dyn Transport>, Error> {
    let service = tower::service_fn(|request: http::Request<Body>| async move {
        let (head, body) = request.into_parts();
        let body = String::from_utf8(body.collect(1024).await?.to_vec()).unwrap();
        let text = format!("{} {} {:?}", head.method, body, head.headers.get("x-a"));
        // Pieces, as they come over a socket.
        let pieces = text.into_bytes().into_iter();
        let pieces = pieces.map(|byte| Ok::<_, Error>(Frame::data(Bytes::from(vec![byte]))));
        let reply =
            http::Response::builder().status(if head.uri.path() == "/no" { 404 } else { 200 });
        let body = Body::stream(StreamBody::new(stream::iter(pieces.collect::<Vec<_>>())));
        Ok::<_, Error>(reply.body(body).unwrap())
    });
    Ok(transport::from_service("echo", service))
}

#[test]
fn blocking_calls_can_do_what_async_ones_can() {
    const ECHO: Plugin = Plugin::new("echo", "the-tests").transport(make_echo);
    let comm = Comm::builder().isolated().plugin(ECHO).build().unwrap();
    let http = comm.blocking().unwrap().http();

    let request = http.request(http::Method::PUT, "echo://here/a");
    let request = request.form([("k", "v")]).headers([("x-a", "1")]);
    let answer = request.basic("ada", "pw").retry(Retry::none()).send();
    let answer = answer.unwrap().error_for_status().unwrap();
    assert_eq!(
        (answer.url().to_string().as_str(), answer.attempts()),
        ("echo://here/a", 1)
    );
    assert!(answer.elapsed() > Duration::ZERO);
    let mut copied = Vec::new();
    let length = answer.copy_to(&mut copied).unwrap();
    let text = String::from_utf8(copied).unwrap();
    assert_eq!((text.as_str(), length), ("PUT k=v Some(\"1\")", 17));

    let mut first = [0; 8];
    let answer = http.post("echo://here/").body("data").send().unwrap();
    answer.reader().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"POST dat");

    let refused = http.get("echo://here/no").send().unwrap();
    assert_eq!(refused.error_for_status().unwrap_err().code(), "status");
}

#[test]
fn two_crates_with_one_name_are_both_named() {
    const RIVAL: Plugin = Plugin::new("http", "acme-http");

    let error = Comm::builder()
        .isolated()
        .plugin(RIVAL)
        .build()
        .unwrap_err();

    let text = error.to_string();
    assert!(
        text.contains("acme-http") && text.contains("zcomm-http"),
        "{text}"
    );
}

#[test]
fn check_port_is_the_guides_yes_or_no() {
    let comm = Comm::builder().isolated().build().unwrap();
    let port = free_port();
    let held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();

    let while_held = comm.check_port(port);
    drop(held);

    assert_eq!(
        (while_held, comm.check_port(port), comm.check_port(0)),
        (false, true, false)
    );
    assert!(
        net::check_port(port.try_into().unwrap())
            .unwrap()
            .is_available()
    );
}

#[test]
fn wrong_values_given_in_code_are_named_as_such() {
    let error = Comm::builder()
        .isolated()
        .spark(json!({"websocket": {"port": 70000}}))
        .build()
        .unwrap_err();

    let text = error.to_string();
    assert!(
        text.contains("websocket.port") && text.contains("70000"),
        "{text}"
    );
    assert_eq!(error.code(), "invalid_settings");
}
