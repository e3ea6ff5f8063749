//! The guides' three generations of clients, as far as messages go: what each sends, and what its promises do then.

use std::collections::VecDeque;

use serde_json::{Value, json};
use zcomm_core::Error;
use zcomm_ws::bifrost::{BifrostBuilder, Call, Route};

use super::{greeted, open, serve};
use crate::peer::Client;

/// How a generation takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    /// `zBifrost`: whatever carries no id that it knows is a broadcast.
    First,
    /// `BifrostClient` 1.5.4: a `result` or `error` without an id settles its oldest request.
    Second,
    /// `BifrostClient` 1.5.5 and later: a `result` without an id is dropped.
    Third,
}

/// What becomes of a message in a client.
#[derive(Clone, Debug, PartialEq)]
enum Taken {
    Resolved(u64, Value),
    Rejected(u64, String),
    Broadcast(Value),
    Dropped,
}

/// A client of one generation, over a real socket.
struct Old {
    generation: Generation,
    socket: Client,
    pending: VecDeque<u64>,
    next: u64,
}

impl Old {
    async fn connect(generation: Generation, address: std::net::SocketAddr) -> Self {
        let (socket, hello) = greeted(address, "/").await;
        // The greeting must settle nothing, whoever reads it.
        assert!(hello.get("result").is_none() && hello.get("_requestId").is_none());
        Self {
            generation,
            socket,
            pending: VecDeque::new(),
            // The first generation counts from 0, which must not be taken for no id.
            next: u64::from(generation != Generation::First),
        }
    }

    async fn send(&mut self, mut message: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        message["_requestId"] = id.into();
        self.pending.push_back(id);
        self.socket.text(&message.to_string()).await;
        id
    }

    /// Takes the next message as its generation does.
    async fn take(&mut self) -> Taken {
        let message = self.socket.json().await;
        let known = message["_requestId"].as_u64();
        let at = known.and_then(|id| self.pending.iter().position(|other| *other == id));
        let settles = message.get("result").is_some() || message.get("error").is_some();
        let at = match (at, self.generation) {
            (Some(at), _) => at,
            (None, Generation::Second) if settles && !self.pending.is_empty() => 0,
            (None, Generation::Third) if message.get("result").is_some() => return Taken::Dropped,
            _ => return Taken::Broadcast(message),
        };
        let id = self.pending.remove(at).unwrap();
        match message["error"].as_str() {
            Some(error) => Taken::Rejected(id, error.to_owned()),
            // Answers to discovery stand at the top level as well as in `result`.
            None => Taken::Resolved(
                id,
                message.get("result").unwrap_or(&message["data"]).clone(),
            ),
        }
    }

    async fn call(&mut self, message: Value) -> Value {
        let id = self.send(message.clone()).await;
        match self.take().await {
            Taken::Resolved(other, result) if other == id => result,
            other => panic!("{message} ended as {other:?}"),
        }
    }
}

fn server() -> (tempfile::TempDir, BifrostBuilder) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), "a: 1").unwrap();
    let builder = open()
        .function("calculateTotal", async |_: Call, cart: Value| {
            Ok(cart["cart_id"].clone())
        })
        .function("slow", async |_: Call, (): ()| {
            tokio::task::yield_now().await;
            Ok("slow")
        })
        .function("fail", async |_: Call, (): ()| -> Result<(), Error> {
            Err(Error::other(zcomm_core::Code::Conflict, "out of stock"))
        })
        .command("custom_command", async |_: Call, message: Value| {
            Ok(message["zHorizontal"]["data"]["message"].clone())
        })
        .route(Route::new("/admin/users"))
        .open_root(folder.path());
    (folder, builder)
}

/// The calls of `zBifrost`: no `event`, models as they are written in the guide, arguments in `zHorizontal`.
fn first() -> Vec<(Value, Value)> {
    let row = |text: &str| json!({"id": 1, "text": text, "owner_id": null});
    let crud = |key: &str, inner: Value| json!({"zKey": key, "zHorizontal": inner});
    vec![
        (
            crud(
                "create_Notes",
                json!({"action": "create", "model": "Notes", "values": {"text": "a"}}),
            ),
            row("a"),
        ),
        (
            crud("read_Notes", json!({"action": "read", "model": "Notes"})),
            json!([row("a")]),
        ),
        (
            crud(
                "read_Notes",
                json!({
                    "action": "read", "model": "Notes", "where": {"text": "a"}, "fields": ["id"], "order_by": "id DESC",
                    "limit": 10, "offset": 0
                }),
            ),
            json!([{"id": 1}]),
        ),
        (
            crud(
                "update_Notes",
                json!({"action": "update", "model": "Notes", "where": 1, "values": {"text": "b"}}),
            ),
            row("b"),
        ),
        (
            crud(
                "update_Notes",
                json!({"action": "update", "model": "Notes", "filters": {"text": "b"}, "values": {"text": "c"}}),
            ),
            row("c"),
        ),
        (
            crud(
                "upsert_Notes",
                json!({"action": "upsert", "model": "Notes", "values": {"id": 1, "text": "d"}, "conflict_fields": ["id"]}),
            ),
            row("d"),
        ),
        (
            crud(
                "delete_Notes",
                json!({"action": "delete", "model": "Notes", "where": 1}),
            ),
            json!({"deleted": 1, "id": 1}),
        ),
        (
            json!({"zKey": "zFunc", "zHorizontal": "zFunc(calculateTotal, {cart_id: 123})"}),
            json!(123),
        ),
        (
            json!({"zKey": "zLink", "zHorizontal": "zLink(/admin/users)"}),
            json!({"path": "/admin/users", "url": "/admin/users"}),
        ),
        (
            json!({"zKey": "zOpen", "zHorizontal": "zOpen(config.yaml)"}),
            json!({"path": "config.yaml", "mime": "application/yaml", "encoding": "utf-8", "content": "a: 1", "size": 4}),
        ),
        (
            json!({"zKey": "custom_command", "zHorizontal": {"action": "ping", "data": {"message": "Hello"}}}),
            json!("Hello"),
        ),
    ]
}

/// The calls of both `BifrostClient`s: `event`, and keys with a caret; some still by `action` or `cmd`.
fn later() -> Vec<(Value, Value)> {
    let row = |text: &str| json!({"id": 1, "text": text, "owner_id": null});
    let dispatch = |key: &str, mut rest: Value| {
        rest["event"] = "dispatch".into();
        rest["zKey"] = key.into();
        rest
    };
    vec![
        (
            dispatch(
                "^Create notes",
                json!({"model": "notes", "data": {"text": "a"}}),
            ),
            row("a"),
        ),
        (
            dispatch(
                "^List.notes",
                json!({"zHorizontal": "^List.notes", "cache_ttl": 60, "no_cache": false}),
            ),
            json!([row("a")]),
        ),
        (
            dispatch("^Get notes", json!({"model": "notes", "where": {"id": 1}})),
            row("a"),
        ),
        (
            dispatch("^Search notes", json!({"where": {"text__icontains": "A"}})),
            json!([row("a")]),
        ),
        (
            dispatch(
                "^Update notes",
                json!({"where": {"id": 1}, "data": {"text": "b"}}),
            ),
            row("b"),
        ),
        (
            dispatch(
                "^Upsert notes",
                json!({"data": {"id": 1, "text": "c"}, "conflict_fields": ["id"]}),
            ),
            row("c"),
        ),
        (
            dispatch("^Delete notes", json!({"where": {"id": 1}})),
            json!({"deleted": 1, "id": 1}),
        ),
        (
            dispatch(
                "zFunc",
                json!({"zHorizontal": "zFunc(calculateTotal, {cart_id: 123})"}),
            ),
            json!(123),
        ),
        (
            json!({"cmd": "zLink(/admin/users)"}),
            json!({"path": "/admin/users", "url": "/admin/users"}),
        ),
        (
            dispatch("zOpen", json!({"zHorizontal": "zOpen(config.yaml)"})),
            json!({"path": "config.yaml", "mime": "application/yaml", "encoding": "utf-8", "content": "a: 1", "size": 4}),
        ),
    ]
}

#[tokio::test]
async fn every_call_of_every_generation_resolves() {
    use Generation::{First, Second, Third};
    for (generation, calls) in [(First, first()), (Second, later()), (Third, later())] {
        let (_folder, builder) = server();
        let (_server, address) = serve(builder).await;
        let mut client = Old::connect(generation, address).await;
        for (message, expected) in calls {
            let result = client.call(message.clone()).await;
            assert_eq!(result, expected, "{generation:?}: {message}");
        }
        let schema = client
            .call(json!({"action": "get_schema", "model": "@.zSchema.notes"}))
            .await;
        let discovered = client.call(json!({"event": "discover"})).await;
        let looked_into = client
            .call(json!({"event": "introspect", "model": "@.zSchema.notes"}))
            .await;

        assert_eq!(schema["primary_key"], "id");
        assert_eq!(discovered["schemas"][0]["name"], "notes");
        assert_eq!(looked_into["model"], "notes");
        // Nothing was left waiting, and nothing was settled by somebody else's answer.
        assert!(client.pending.is_empty());
    }
}

#[tokio::test]
async fn errors_reject_their_own_request() {
    use Generation::{First, Second, Third};
    for generation in [First, Second, Third] {
        let (_folder, builder) = server();
        let (_server, address) = serve(builder).await;
        let mut client = Old::connect(generation, address).await;
        for (message, told) in [
            (json!({"zKey": "^List planets"}), "planets"),
            (
                json!({"zKey": "zFunc", "zHorizontal": "zFunc(fail)"}),
                "out of stock",
            ),
            (json!({"event": "dance"}), "dance"),
            (json!({"event": 7}), "event"),
        ] {
            let id = client.send(message).await;
            match client.take().await {
                Taken::Rejected(other, error) => {
                    assert_eq!(other, id, "{generation:?}");
                    assert!(error.contains(told), "{generation:?}: {error}");
                }
                other => panic!("{generation:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_others_do_is_a_broadcast_and_settles_nothing() {
    use Generation::{First, Second, Third};
    for generation in [First, Second, Third] {
        let (_folder, builder) = server();
        let (server, address) = serve(builder).await;
        let mut client = Old::connect(generation, address).await;
        let (mut writer, _) = greeted(address, "/").await;

        // A request of its own is under way while somebody else writes and the server speaks.
        client.pending.push_back(99);
        writer
            .ask(json!({"zKey": "create_notes", "data": {"text": "a"}}))
            .await;
        let change = client.take().await;
        let object = json!({"type": "update"});
        server
            .broadcast(&object, None, &zcomm_ws::bifrost::Audience::All)
            .unwrap();
        let said = client.take().await;

        let Taken::Broadcast(change) = change else {
            panic!("{generation:?}: {change:?}");
        };
        assert_eq!(
            (&change["event"], &change["op"]),
            (&json!("change"), &json!("create"))
        );
        assert_eq!(said, Taken::Broadcast(object));
        assert_eq!(client.pending, [99]);
    }
}

#[tokio::test]
async fn answers_out_of_order_find_their_requests() {
    use Generation::{First, Second, Third};
    for generation in [First, Second, Third] {
        let (_folder, builder) = server();
        let (_server, address) = serve(builder).await;
        let mut client = Old::connect(generation, address).await;

        let slow = client.send(json!({"cmd": "zFunc(slow)"})).await;
        let fast = client.send(json!({"event": "ping"})).await;
        let mut taken = [client.take().await, client.take().await];
        taken.sort_by_key(|taken| matches!(taken, Taken::Resolved(id, _) if *id == fast));

        assert_eq!(
            taken,
            [
                Taken::Resolved(slow, json!("slow")),
                Taken::Resolved(fast, json!("pong"))
            ]
        );
    }
}
