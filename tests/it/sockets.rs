//! `zcomm call` and `zcomm listen` against `zcomm serve`, and sockets through the facade.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use tower::ServiceExt;
use zcomm::Comm;
use zcomm::core::Body;

use crate::run::Project;
use crate::serve::Serving;

fn url(server: &Serving) -> String {
    format!("ws://{}/ws", server.address)
}

#[test]
fn a_call_prints_the_reply_and_ends_by_it() {
    let project = Project::new();
    let server = Serving::start(&project, &[]);

    let rows = project.run(&[
        "call",
        &url(&server),
        "dispatch",
        r#"{"zKey":"^List users"}"#,
    ]);
    let pong = project.run(&["call", &url(&server), "ping"]);
    let unknown = project.run(&["call", &url(&server), "dance"]);

    assert_eq!(
        (rows.status, &rows.json()["result"][0]["name"]),
        (0, &json!("Ada"))
    );
    assert_eq!((pong.status, pong.json()), (0, json!({"result": "pong"})));
    assert_eq!(
        (unknown.status, &unknown.json()["code"]),
        (1, &json!("unknown_event"))
    );
}

#[test]
fn a_call_without_a_reply_says_why() {
    let project = Project::new();
    let token = project
        .run(&["token", "new", "--user", "ada"])
        .out
        .trim()
        .to_owned();
    let server = Serving::start(&project, &["--set", "websocket.require_auth=true"]);
    let free = {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("ws://{}/", held.local_addr().unwrap())
    };

    let known = project.run(&["call", &url(&server), "connection_info", "--token", &token]);
    let refused = project.run(&["call", &url(&server), "ping", "--token", "s3cr3t"]);
    let nobody = project.run(&["call", &free, "ping", "--timeout", "5s"]);
    let no_address = project.run(&["call", "http://h/?token=s3cr3t", "ping"]);
    let no_object = project.run(&["call", &free, "ping", "[]"]);

    assert_eq!(known.json()["data"]["auth"]["user"], "ada");
    assert_eq!(
        (refused.status, nobody.status, no_address.status),
        (4, 4, 2)
    );
    assert!(refused.err.contains("Invalid token"), "{refused:?}");
    assert!(nobody.err.contains("connecting failed"), "{nobody:?}");
    assert!(!refused.err.contains("s3cr3t") && !no_address.err.contains("s3cr3t"));
    assert_eq!(no_object.status, 2);
}

/// A listener that is killed, should a test not come to its end.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_listener_prints_each_message_as_a_line_until_it_is_told_to_stop() {
    let project = Project::new();
    let server = Serving::start(&project, &[]);
    let mut command = project.program();
    command
        .args(["listen", &url(&server)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut listening = Listening(command.spawn().unwrap());
    let mut lines = BufReader::new(listening.0.stdout.take().unwrap()).lines();
    let mut notes = BufReader::new(listening.0.stderr.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };

    let hello = next();
    let connected = notes.next().unwrap().unwrap();
    let create = r#"{"zKey":"create_users","data":{"name":"Eve"}}"#;
    project.run(&["call", &url(&server), "dispatch", create]);
    let notice = next();
    server.stop();
    let farewell = next();
    let lost = notes.next().unwrap().unwrap();
    let pid = listening.0.id().to_string();
    std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    let status = listening.0.wait().unwrap();

    assert_eq!(hello["event"], "connection_info");
    assert_eq!(connected, "connected");
    assert_eq!(
        (&notice["op"], &notice["row"]["name"]),
        (&json!("create"), &json!("Eve"))
    );
    assert_eq!(farewell["event"], "server_shutdown");
    assert!(lost.contains("1001") && lost.contains("again in"), "{lost}");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_request_to_a_socket_leaves_through_the_registered_transport() {
    let project = Project::new();
    let server = Serving::start(&project, &[]);
    let comm = Comm::builder().isolated().build().unwrap();

    let request = http::Request::post(format!("ws://{}/dispatch", server.address));
    let request = request
        .body(Body::from(r#"{"zKey":"^Get users","where":1}"#))
        .unwrap();
    let stack = comm.transport_layer().into_service();
    let response = stack.oneshot(request).await.unwrap();

    assert_eq!(response.status(), 200);
    let body: Value = serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap();
    assert_eq!(body["result"]["name"], "Ada");
}
