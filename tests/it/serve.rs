//! `zcomm serve` as a process: two sockets, plain HTTP, the end.

#[path = "../../zcomm-ws/tests/it/peer.rs"]
#[expect(dead_code, reason = "the sockets' own tests use more of it")]
pub(crate) mod peer;

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use self::peer::{Client, Seen};
use crate::run::Project;
use crate::told::Told;

/// A server, and what it said when it was ready.
pub(crate) struct Serving {
    told: Told,
    pub(crate) address: SocketAddr,
    pub(crate) greeting: String,
}

impl Serving {
    pub(crate) fn start(project: &Project, arguments: &[&str]) -> Self {
        let mut command = project.program();
        command.arg("serve");
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.args(arguments);
        Self::spawn(command)
    }

    /// The same with so few descriptors.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_limited(project: &Project, files: u32, arguments: &[&str]) -> Self {
        let program = project.program();
        let mut command = Command::new("sh");
        command.env_clear();
        command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]);
        command.arg(program.get_program());
        command.args(program.get_args());
        command.args(["serve", "--port", "0"]).args(arguments);
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stderr(Stdio::null());
        let mut told = Told::start(command);
        let greeting = told.line();
        let address = greeting
            .split("ws://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_else(|| panic!("no address in {greeting:?}"));
        Self {
            address: address.parse().unwrap(),
            greeting,
            told,
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.told.pid()
    }

    /// Sends SIGTERM and waits; the status and the last line.
    #[cfg(unix)]
    pub(crate) fn stop(self) -> (Option<i32>, String) {
        self.told.terminate();
        let (status, mut lines) = self.told.end();
        (status.code(), lines.pop().unwrap_or_default())
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        self.told.line()
    }
}

/// Waits until the server counts so many connections.
pub(crate) async fn until_connected(address: SocketAddr, count: usize) {
    let ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let line = format!("\nzcomm_ws_connections {count}\n");
    loop {
        let text = Client::say(address, ask).await.remaining().await;
        if String::from_utf8(text).unwrap().contains(&line) {
            return;
        }
    }
}

async fn ask(client: &mut Client, message: Value) -> Value {
    client.text(&message.to_string()).await;
    serde_json::from_str(&client.next_text().await).unwrap()
}

#[tokio::test]
async fn a_row_created_on_one_socket_is_noticed_on_another() {
    let project = Project::new();
    let server = Serving::start(&project, &[]);
    let mut one = Client::open(server.address).await;
    let mut two = Client::open(server.address).await;
    let hello: Value = serde_json::from_str(&one.next_text().await).unwrap();
    two.next_text().await;

    let created = ask(
        &mut one,
        json!({"zKey": "create_users", "data": {"name": "Eve"}, "_requestId": 1}),
    )
    .await;
    let notice: Value = serde_json::from_str(&two.next_text().await).unwrap();
    let read = ask(
        &mut two,
        json!({"zKey": "^Get users", "where": 3, "_requestId": 2}),
    )
    .await;

    assert_eq!(
        hello["data"]["available_models"],
        json!(["users", "messages"])
    );
    assert_eq!(
        (&notice["event"], &notice["op"]),
        (&json!("change"), &json!("create"))
    );
    assert_eq!(notice["row"], created["result"]);
    assert_eq!(read["result"], created["result"]);
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_lets_clients_go_and_frees_the_port() {
    let project = Project::new();
    let server = Serving::start(&project, &[]);
    let address = server.address;
    let mut client = Client::open(address).await;
    client.next_text().await;

    let stopping = tokio::task::spawn_blocking(move || server.stop());
    let farewell: Value = serde_json::from_str(&client.next_text().await).unwrap();
    let close = client.next().await;
    drop(client);
    let (status, last) = stopping.await.unwrap();

    assert_eq!(farewell["event"], "server_shutdown");
    assert!(matches!(close, Seen::Close(1001, _)), "{close:?}");
    assert_eq!(status, Some(0));
    assert!(last.starts_with("stopped;"), "{last}");
    assert!(std::net::TcpListener::bind(address).is_ok());
}

#[tokio::test]
async fn a_token_is_needed_where_the_settings_say_so() {
    let project = Project::new();
    let made = project.run(&["token", "new", "--user", "ada"]);
    let server = Serving::start(&project, &["--set", "websocket.require_auth=true"]);

    let mut nobody = Client::open(server.address).await;
    let refused = nobody.next().await;
    let target = format!("/?token={}", made.out.trim());
    let mut ada = Client::open_as(server.address, &target, &[]).await;
    let hello: Value = serde_json::from_str(&ada.next_text().await).unwrap();

    assert_eq!(
        refused,
        Seen::Close(1008, "Authentication required".to_owned())
    );
    assert_eq!(hello["data"]["auth"]["user"], "ada");
}

#[tokio::test]
async fn the_models_of_the_schema_folder_are_served() {
    let project = Project::new();
    std::fs::create_dir(project.folder().join("schemas")).unwrap();
    let schema = "books:\n  id: {type: int, pk: true, auto_increment: true}\n  title: {type: str, required: true}\n";
    project.write("schemas/zSchema.library.yaml", schema);
    let server = Serving::start(&project, &[]);
    let mut client = Client::open(server.address).await;
    let hello: Value = serde_json::from_str(&client.next_text().await).unwrap();

    let created = ask(
        &mut client,
        json!({"zKey": "^Create books", "data": {"title": "Ulysses"}}),
    )
    .await;
    let schema = ask(
        &mut client,
        json!({"event": "get_schema", "model": "@.zSchema.books"}),
    )
    .await;

    assert_eq!(hello["data"]["available_models"], json!(["books"]));
    assert_eq!(created["result"], json!({"id": 1, "title": "Ulysses"}));
    assert_eq!(schema["result"]["primary_key"], "id");
    assert_eq!(schema["result"]["fields"][1]["name"], "title");
}

#[test]
fn a_schema_that_is_wrong_stops_the_start_with_file_and_line() {
    let project = Project::new();
    std::fs::create_dir(project.folder().join("schemas")).unwrap();
    project.write(
        "schemas/zSchema.library.yaml",
        "books:\n  id: {type: int, pk: true}\n  title: {type: novel}\n",
    );

    let ran = project.run(&["serve", "--port", "0"]);

    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("zSchema.library.yaml:3") && ran.err.contains("novel"),
        "{ran:?}"
    );
}

#[test]
fn a_server_that_would_let_nobody_in_does_not_start() {
    let ran = Project::new().run(&[
        "serve",
        "--port",
        "0",
        "--set",
        "websocket.require_auth=true",
    ]);

    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("zcomm token new"), "{ran:?}");
}

#[tokio::test]
async fn a_json_web_token_is_believed_where_its_key_is_set() {
    // {"alg":"HS256"} . {"sub":"ada","exp":4102444800}, signed with the key below.
    let head = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
    let key = "0123456789abcdef0123456789abcdef";
    let token = format!(
        "{head}.eyJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9.PoTWVBJDTgsg3kJyxx7wBtDhIsBRXY03TUPmOCJQLPQ"
    );
    let project = Project::new();
    let key = format!("jwt.key={key}");
    let server = Serving::start(
        &project,
        &["--set", "websocket.require_auth=true", "--set", &key],
    );

    let mut ada = Client::open_as(server.address, &format!("/?token={token}"), &[]).await;
    let hello: Value = serde_json::from_str(&ada.next_text().await).unwrap();
    let mut eve = Client::open_as(server.address, &format!("/?token={token}x"), &[]).await;

    assert_eq!(hello["data"]["auth"]["user"], "ada");
    assert_eq!(
        eve.next().await,
        Seen::Close(1008, "Invalid token".to_owned())
    );
}

#[test]
fn where_a_policy_asks_callers_the_greeting_says_so() {
    let key = "jwt.key=0123456789abcdef0123456789abcdef";
    let settings = ["--set", "policy=jwt", "--set", key];

    let mut open = Serving::start(&Project::new(), &[]);
    let mut asking = Serving::start(&Project::new(), &settings);
    let lines = [&mut open, &mut asking].map(|server| [(); 3].map(|()| server.line()));

    assert!(
        open.greeting.ends_with("no token needed"),
        "{}",
        open.greeting
    );
    assert!(
        asking.greeting.ends_with(", a token needed"),
        "{}",
        asking.greeting
    );
    assert!(!lines[0][2].contains("Bearer"), "{lines:?}");
    assert!(lines[1][2].contains("Bearer TOKEN"), "{lines:?}");
}

#[test]
fn a_key_that_nobody_is_asked_for_stops_the_start() {
    let key = "jwt.key=0123456789abcdef0123456789abcdef";

    let ran = Project::new().run(&["serve", "--port", "0", "--set", key]);

    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("jwt.key") && ran.err.contains("websocket.require_auth"),
        "{ran:?}"
    );
}

#[test]
fn a_server_that_would_not_be_as_safe_as_asked_does_not_start() {
    let project = Project::new();

    let tls = project.run(&[
        "serve",
        "--port",
        "0",
        "--set",
        "websocket.ssl_enabled=true",
    ]);
    let exposed = project.run(&["serve", "--host", "0.0.0.0", "--port", "0"]);

    assert_eq!((tls.status, exposed.status), (2, 2));
    assert!(tls.err.contains("websocket.ssl_enabled"), "{tls:?}");
    assert!(
        exposed.err.contains("websocket.allow_insecure"),
        "{exposed:?}"
    );
}

#[tokio::test]
async fn raw_handlers_echo_or_tell_the_others() {
    let project = Project::new();
    let echo = Serving::start(&project, &["--handler", "echo"]);
    let broadcast = Serving::start(&project, &["--handler", "broadcast"]);
    let mut alone = Client::open(echo.address).await;
    let mut one = Client::open(broadcast.address).await;
    let mut two = Client::open(broadcast.address).await;
    peer::within(until_connected(broadcast.address, 2)).await;

    alone.text("to myself").await;
    one.text("to others").await;
    let heard = two.next_text().await;
    two.text("back").await;

    assert_eq!(alone.next_text().await, "to myself");
    assert_eq!(
        (heard.as_str(), one.next_text().await.as_str()),
        ("to others", "back")
    );
}

#[tokio::test]
async fn a_raw_server_compresses_where_a_flag_or_a_setting_says_so() {
    let project = Project::new();
    let offer = [("Sec-WebSocket-Extensions", "permessage-deflate")];
    let forgets = "permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
    let remembers = "websocket.compression_context_takeover=true";
    for (arguments, answer) in [
        (&["--handler", "echo"][..], None),
        (&["--handler", "echo", "--compression"], Some(forgets)),
        (
            &["--handler", "echo", "--compression", "--set", remembers],
            Some("permessage-deflate\r\n"),
        ),
    ] {
        let server = Serving::start(&project, arguments);
        let client = Client::open_as(server.address, "/", &offer).await;
        let head = client.head.to_ascii_lowercase();
        match answer {
            Some(answer) => assert!(
                head.contains(&format!("sec-websocket-extensions: {answer}")),
                "{arguments:?}: {head}"
            ),
            None => assert!(!head.contains("permessage-deflate"), "{head}"),
        }
    }
}

#[tokio::test]
async fn a_message_beyond_the_frame_size_that_is_set_comes_in_parts() {
    let project = Project::new();
    let set = ["--handler", "echo", "--set", "websocket.max_frame_size=5"];
    let server = Serving::start(&project, &set);
    let mut client = Client::open(server.address).await;

    client.text("Hello World!").await;
    client.close(zcomm::ws::frame::CloseCode::Normal, "").await;

    let bytes = client.remaining().await;
    assert!(
        bytes.starts_with(b"\x01\x05Hello\x00\x05 Worl\x80\x02d!"),
        "{bytes:x?}"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn two_workers_serve_one_port_and_end_together() {
    let project = Project::new();
    let server = Serving::start(&project, &["--handler", "broadcast", "--workers", "2"]);
    let address = server.address;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::open(address).await);
    }
    peer::within(until_connected(address, 20)).await;

    clients[0].text("to all").await;
    for client in &mut clients[1..] {
        assert_eq!(client.next_text().await, "to all");
    }
    drop(clients);
    let (status, last) = tokio::task::spawn_blocking(move || server.stop())
        .await
        .unwrap();

    assert_eq!(status, Some(0));
    assert!(last.starts_with("stopped;"), "{last}");
    assert!(std::net::TcpListener::bind(address).is_ok());
}

#[test]
fn a_certificate_that_is_not_there_stops_the_start_with_its_path() {
    let ran = Project::new().run(&[
        "serve",
        "--handler",
        "echo",
        "--port",
        "0",
        "--tls-cert",
        "no.crt",
        "--tls-key",
        "no.key",
    ]);

    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("no.crt") && ran.err.contains("because"),
        "{ran:?}"
    );
}

#[test]
fn a_taken_port_is_named_with_its_holder_and_the_setting() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();

    let ran = Project::new().run(&["serve", "--port", &port]);

    assert_eq!(ran.status, 4);
    assert!(
        ran.err.contains(&port) && ran.err.contains("websocket.port"),
        "{ran:?}"
    );
    if cfg!(target_os = "linux") {
        assert!(ran.err.contains(&std::process::id().to_string()), "{ran:?}");
    }
}

#[tokio::test]
async fn the_http_command_shows_the_answer_and_ends_by_it() {
    let project = Project::new();
    let server = Serving::start(&project, &[]);
    let url = format!("http://{}/dispatch", server.address);

    let (good, bad) = tokio::task::spawn_blocking(move || {
        let good = project.run(&["http", "POST", &url, "--json", r#"{"zKey":"^List users"}"#]);
        let bad = project.run(&[
            "http",
            "POST",
            &url,
            "--json",
            r#"{"zKey":"^List planets"}"#,
        ]);
        (good, bad)
    })
    .await
    .unwrap();

    assert_eq!(
        (good.status, &good.json()["result"][0]["name"]),
        (0, &json!("Ada"))
    );
    assert_eq!(
        (bad.status, &bad.json()["code"]),
        (1, &json!("unknown_model"))
    );
    assert!(bad.err.contains("404"), "{bad:?}");
}

#[test]
fn no_answer_ends_with_four_and_says_what_failed() {
    let free = {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        held.local_addr().unwrap()
    };

    let ran = Project::new().run(&["http", "GET", &format!("http://{free}/"), "--retry", "0"]);

    assert_eq!(ran.status, 4);
    assert!(ran.err.contains(&free.to_string()), "{ran:?}");
}
