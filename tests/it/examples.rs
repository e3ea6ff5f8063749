//! The examples, run as a reader runs them, and what they print.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::run::{Project, Ran};
use crate::serve::Serving;
use crate::told::Told;

const EXAMPLES: [&str; 20] = [
    "custom_commands",
    "custom_driver",
    "http_client_demo",
    "lvl0_hello",
    "lvl1_http_get",
    "lvl1_http_methods",
    "lvl1_port_check",
    "lvl1_port_probe",
    "lvl2_websocket_broadcast",
    "lvl2_websocket_echo",
    "lvl2_websocket_secure",
    "lvl2_websocket_server",
    "lvl2_websocket_wss",
    "lvl3_http_errors",
    "lvl3_service_check",
    "lvl3_service_multi",
    "lvl4_service_start",
    "receiver",
    "sender",
    "simple_http_server",
];

/// The folder that the examples were built into: Cargo builds programs for tests, but no examples.
pub(crate) fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--workspace", "--all-features"])
            .args(EXAMPLES.iter().flat_map(|name| ["--example", name]))
            .status()
            .unwrap();
        assert!(built.success());
        let program = PathBuf::from(env!("CARGO_BIN_EXE_zcomm"));
        program.with_file_name("examples")
    })
}

fn example(name: &str) -> Command {
    let mut command = Command::new(folder().join(name));
    let nowhere = std::env::temp_dir();
    // Neither settings nor proxies of this machine are the examples' business.
    command.env_clear().current_dir(nowhere);
    command
}

#[track_caller]
fn prints(command: Command, expected: &str) {
    let ran = Ran::of(command);

    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.out, expected);
}

#[test]
fn get_shows_what_the_server_received() {
    prints(
        example("lvl1_http_get"),
        "Server received: {\"demo\":\"zComm\",\"level\":\"1\"}\n",
    );
}

#[test]
fn all_methods_follow_one_pattern() {
    prints(
        example("lvl1_http_methods"),
        "GET    200 OK {\"key\":\"value\"}\n\
         POST   200 OK {\"name\":\"Alice\"}\n\
         PUT    200 OK {\"name\":\"Alice\",\"role\":\"Developer\"}\n\
         PATCH  200 OK {\"role\":\"Tech Lead\"}\n\
         DELETE 200 OK\n",
    );
}

#[test]
fn errors_are_handled_without_a_crash() {
    prints(
        example("lvl3_http_errors"),
        "Testing 404 Not Found...\n\
         \x20 Status: 404\n\
         Testing 500 Server Error...\n\
         \x20 Status: 500\n\
         Testing Invalid URL...\n\
         \x20 ✓ Handled gracefully\n\
         Testing Timeout (2s limit)...\n\
         \x20 ✓ Handled gracefully\n",
    );
}

const CYCLE: &str = "POST /post\n\
     \x20 Status: 200 OK\n\
     \x20 Server received: {\"username\":\"ada\",\"remember\":true}\n\
     GET /get?page=2\n\
     \x20 Status: 200 OK\n\
     \x20 Server received: {\"page\":\"2\"}\n\
     GET /get with a header\n\
     \x20 Server received: \"zcomm\"\n\
     GET /status/404\n\
     \x20 Status: 404 Not Found, ok: false\n";

#[test]
fn the_two_programs_of_the_demo_talk_to_each_other() {
    let mut server = example("simple_http_server");
    server.args(["--port", "0"]);
    let mut server = Told::start(server);
    let line = server.line();
    let url = line.trim().strip_prefix("Serving on ").unwrap();

    let mut client = example("http_client_demo");
    client.args(["--url", url]);
    prints(client, CYCLE);

    let rest = server.kill().join("\n");
    assert!(rest.contains("/status/404"), "{rest}");
}

#[test]
fn the_client_of_the_demo_runs_alone_too() {
    prints(example("http_client_demo"), CYCLE);
}

#[test]
fn a_driver_of_ones_own_is_registered_started_and_stopped() {
    let project = Project::new();
    let mut command = example("custom_driver");
    command.current_dir(project.folder());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());

    let ran = Ran::of(command);

    let printed = ran.out;
    let lines: Vec<&str> = printed.lines().collect();
    assert!(ran.status == 0 && lines.len() == 4, "{printed}");
    assert!(lines[0].contains("python-files"), "{printed}");
    assert_eq!(lines[1], "python-files is running");
    assert!(
        lines[2].starts_with("its files are at http://127.0.0.1:"),
        "{printed}"
    );
    assert_eq!(lines[3], "python-files is stopped");
}

#[test]
fn commands_of_ones_own_are_called_by_a_client() {
    prints(
        example("custom_commands"),
        "total: 59.9\n\
         custom_command: {\"heard\":\"Hello\"}\n\
         where: 1\n\
         zLink: {\"path\":\"/admin/users\",\"url\":\"/admin/users\"}\n\
         published to 1\n\
         dance: no command is registered as `dance` (registered: custom_command): use an `action` (create, read, \
         update, delete, upsert) with a `model`, or a `zKey` like `^List users` (bad_request)\n\
         heard \"connection_info\"\n\
         heard \"display\"\n\
         heard \"message\"\n",
    );
}

#[test]
fn a_receiver_hears_what_a_sender_writes() {
    let project = Project::new();
    let serving = Serving::start(&project, &[]);
    let url = format!("ws://{}/ws", serving.address);
    let mut receiver = example("receiver");
    receiver.args(["--url", &url]);
    let mut receiver = Told::start(receiver);
    let first = receiver.line();

    let mut sender = example("sender");
    sender.args(["--url", &url]);
    let created: String = (0..5)
        .map(|number| format!("Created: \"Message {number}\"\n"))
        .collect();
    prints(sender, &created);

    let (_, rest) = receiver.end();
    let mut received: Vec<String> = (0..5)
        .map(|number| format!("Received: \"enter\" \"Message {number}\""))
        .collect();
    received.push("Total messages: 5".to_owned());
    assert_eq!(first, "Listening; 1 messages are there.");
    assert_eq!(rest, received);
}
