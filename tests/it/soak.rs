//! A server under mixed load for a while: nobody waits for an answer that never comes, and memory stays where it is.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::run::Project;
use crate::serve::Serving;
use crate::serve::peer::{Client, within};

const CLIENTS: usize = 8;

/// How long the load lasts; `cargo xtask long` asks for ten minutes.
fn duration() -> Duration {
    let wanted = std::env::var("ZCOMM_TEST_SOAK_SECONDS").ok();
    Duration::from_secs(wanted.map_or(6, |wanted| wanted.parse().unwrap()))
}

/// Asks, and passes over what comes unasked.
async fn ask(client: &mut Client, mut message: Value, id: u64) -> Value {
    message["_requestId"] = id.into();
    client.text(&message.to_string()).await;
    loop {
        let reply: Value = serde_json::from_str(&client.next_text().await).unwrap();
        if reply["_requestId"] == id {
            return reply;
        }
    }
}

/// One round of what clients do: a row comes, is read, is changed, is followed, and goes; the connection, too.
async fn round(server: &Serving, number: usize) {
    let mut client = Client::open(server.address).await;
    let text = format!("round {number}");
    let create = json!({"zKey": "^Create messages", "data": {"user_id": 1, "text": text}});
    let created = ask(&mut client, create, 1).await;
    let key = &created["result"]["id"];
    let follow = json!({"event": "subscribe", "model": "messages", "where": {"id": key}});
    let subscription = ask(&mut client, follow, 2).await;
    for id in 3..20 {
        let read = json!({"zKey": "^List messages", "where": {"user_id": 1}, "limit": 10});
        assert!(ask(&mut client, read, id).await["result"].is_array());
    }
    let change = json!({"zKey": "^Update messages", "where": key, "data": {"text": "other"}});
    let changed = ask(&mut client, change, 20).await;
    let gone = ask(
        &mut client,
        json!({"zKey": "^Delete messages", "where": key}),
        21,
    )
    .await;

    assert!(
        subscription["result"]["subscription"].is_u64(),
        "{subscription}"
    );
    assert_eq!(changed["result"]["text"], "other");
    assert_eq!(gone["result"]["deleted"], 1);
}

/// What the server holds of the machine's memory, in KiB.
#[cfg(target_os = "linux")]
fn resident(server: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.unwrap().split_whitespace().nth(1);
    figure.unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_holds_no_more_after_a_while_than_when_it_was_warm() {
    let server = Serving::start(
        &Project::new(),
        &[
            "--set",
            "websocket.message_rate=0",
            "--set",
            "websocket.connection_rate=100000",
        ],
    );
    let (start, whole) = (Instant::now(), duration());
    let mut warm = None;
    let mut rounds = 0;

    while start.elapsed() < whole {
        let clients = (0..CLIENTS).map(|client| within(round(&server, rounds + client)));
        futures_util::future::join_all(clients).await;
        rounds += CLIENTS;
        // Allocators and caches fill at first.
        if warm.is_none() && start.elapsed() > whole / 2 {
            warm = Some(resident(&server));
        }
    }

    let (warm, end) = (warm.unwrap(), resident(&server));
    assert!(
        end <= warm + warm / 10 + 4096,
        "{warm} KiB when it was warm, {end} KiB after {rounds} rounds"
    );
}
