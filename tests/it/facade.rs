//! The facade from code: blocking calls, logging, plugins handed in.

use std::sync::Arc;

use serde_json::json;
use zcomm::core::{Error, Plugin, Settings, Transport, transport};
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
