//! The tutorial's level 2 as processes: what each example says, answers and refuses.

use std::net::SocketAddr;
use std::process::Command;

use crate::run::{Project, Ran};
use crate::serve::peer::{Client, Seen, within};
use crate::serve::until_connected;
use crate::told::Told;

/// An example that runs.
struct Example {
    told: Told,
    address: SocketAddr,
}

/// An example in a project's folder, on any free port.
fn command(project: &Project, name: &str) -> Command {
    let mut command = Command::new(crate::examples::folder().join(name));
    command.current_dir(project.folder()).env_clear();
    command.env("XDG_CONFIG_HOME", project.folder()).arg("0");
    command
}

impl Example {
    fn start(project: &Project, name: &str) -> Self {
        let mut told = Told::start(command(project, name));
        let line = told.line();
        let address = line.split("://").nth(1).unwrap_or_default();
        let address = address.split([',', ';']).next().unwrap_or_default();
        Self {
            address: address.parse().unwrap_or_else(|_| panic!("{line:?}")),
            told,
        }
    }
}

fn with_token() -> Project {
    let project = Project::new();
    project.write(".zEnv", include_str!("../../examples/.zEnv.example"));
    project
}

const TOKEN: &str = "/?token=demo_secure_token_123";
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[cfg(unix)]
#[tokio::test]
async fn the_first_server_holds_connections_and_goes_on_sigterm() {
    let server = Example::start(&Project::new(), "lvl2_websocket_server");
    let mut client = Client::open(server.address).await;
    within(until_connected(server.address, 1)).await;

    server.told.terminate();
    let end = client.next().await;
    drop(client);
    let (status, _) = server.told.end();

    assert!(matches!(end, Seen::Close(1001, _)), "{end:?}, {status}");
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn the_echo_answers_and_shows_its_page() {
    let server = Example::start(&Project::new(), "lvl2_websocket_echo");
    let mut client = Client::open_as(server.address, "/", &[("Origin", "null")]).await;

    client.text("hello").await;
    let page = Client::say(server.address, GET).await.remaining().await;

    assert_eq!(client.next_text().await, "Echo: hello");
    assert!(
        String::from_utf8(page)
            .unwrap()
            .contains("<h1>WebSocket echo</h1>")
    );
}

#[tokio::test]
async fn the_secure_echo_wants_the_token_of_its_folder() {
    let project = with_token();
    let server = Example::start(&project, "lvl2_websocket_secure");
    let mut wrong = Client::open_as(server.address, "/?token=wrong", &[]).await;
    let mut right = Client::open_as(server.address, TOKEN, &[("Origin", "null")]).await;

    right.text("hello").await;

    assert_eq!(
        wrong.next().await,
        Seen::Close(1008, "Invalid token".to_owned())
    );
    assert_eq!(right.next_text().await, "[Secure Echo]: hello");
}

#[test]
fn without_a_token_the_examples_say_what_to_copy() {
    for name in [
        "lvl2_websocket_secure",
        "lvl2_websocket_wss",
        "lvl2_websocket_broadcast",
    ] {
        let ran = Ran::of(command(&Project::new(), name));

        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.err.contains(".zEnv.example"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_broadcast_reaches_the_others_only() {
    let project = with_token();
    let server = Example::start(&project, "lvl2_websocket_broadcast");
    let mut one = Client::open_as(server.address, TOKEN, &[]).await;
    let mut two = Client::open_as(server.address, TOKEN, &[]).await;
    within(until_connected(server.address, 2)).await;

    one.text("hello").await;
    let heard = two.next_text().await;
    two.text("back").await;

    assert_eq!(heard, "127.0.0.1 says: hello");
    assert_eq!(one.next_text().await, "127.0.0.1 says: back");
}

#[tokio::test]
async fn the_wss_example_makes_its_certificate_once_and_speaks_tls_only() {
    let project = with_token();
    drop(Example::start(&project, "lvl2_websocket_wss"));
    let path = project.folder().join("certs/demo.cert");
    let made = std::fs::read(&path).unwrap();
    let server = Example::start(&project, "lvl2_websocket_wss");

    let plain = Client::say(server.address, GET).await;

    assert_eq!(plain.status(), "400");
    assert!(std::fs::read(&path).unwrap() == made, "it was made again");
}
