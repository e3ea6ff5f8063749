//! zBifrost on real sockets: what a client sends, what it and others get.

mod commands;
mod compatibility;
mod discovery;
mod hostile;
mod identity;
mod live;
mod questions;
mod topics;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use zcomm_core::data::{Access, Field, FieldSet, Kind, Model, ModelAccess, RoleAccess, Schema};
use zcomm_core::{
    Action, AnswerCache, AuthPolicy, Command, Credentials, Identity, Peer, Refusal, Remembered,
    Scope, TokenEntry, TokenList,
};
use zcomm_ws::bifrost::{Bifrost, BifrostBuilder};
use zcomm_ws::server::ServerConfig;

use crate::peer::{Client, Seen};

fn notes() -> Arc<Model> {
    let model = Model::builder("notes")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("text", Kind::Text).required())
        .field(Field::new("owner_id", Kind::Text));
    model.build().unwrap()
}

/// Notes that members own, and whose text alone others may not see.
fn owned_notes() -> Arc<Model> {
    let own = RoleAccess::reading(FieldSet::All)
        .creating(FieldSet::All)
        .owning("owner_id");
    let access = ModelAccess::new().role("member", own).role(
        "reader",
        RoleAccess::reading(FieldSet::Only(["id".to_owned()].into())),
    );
    let model = Model::builder("notes")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("text", Kind::Text).required())
        .field(Field::new("owner_id", Kind::Text))
        .access(access);
    model.build().unwrap()
}

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.port = 0;
    config
}

fn open() -> BifrostBuilder {
    let access = Access::new().auth(false).loopback(true);
    Bifrost::builder()
        .config(config())
        .access(access)
        .schema(Schema::of([notes()]).unwrap())
}

async fn serve(builder: BifrostBuilder) -> (Bifrost, SocketAddr) {
    let server = builder.bind().await.unwrap();
    let address = server.local_addr();
    (server, address)
}

/// A client that has been greeted.
async fn greeted(address: SocketAddr, target: &str) -> (Client, Value) {
    let mut client = Client::open_as(address, target, &[]).await;
    let hello = client.json().await;
    (client, hello)
}

impl Client {
    async fn json(&mut self) -> Value {
        serde_json::from_str(&self.next_text().await).unwrap()
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.text(&message.to_string()).await;
        self.json().await
    }
}

#[tokio::test]
async fn a_client_is_told_who_it_is_before_it_asks() {
    let (_server, address) = serve(open()).await;

    let (mut client, hello) = greeted(address, "/ws?app_name=shop").await;
    let again = client
        .ask(json!({"event": "connection_info", "_requestId": 0}))
        .await;

    assert_eq!(hello["event"], "connection_info");
    assert_eq!(hello["data"]["auth"]["context"], "guest");
    assert_eq!(hello["data"]["available_models"], json!(["notes"]));
    assert_eq!(hello.get("_requestId"), None);
    assert_eq!(
        (&again["_requestId"], &again["data"]),
        (&json!(0), &hello["data"])
    );
}

#[tokio::test]
async fn a_create_is_answered_to_its_sender_and_noticed_by_the_others() {
    let (_server, address) = serve(open()).await;
    let (mut writer, _) = greeted(address, "/").await;
    let (mut other, _) = greeted(address, "/").await;

    let created = writer
        .ask(json!({"event": "dispatch", "action": "create", "model": "notes", "data": {"text": "hi"}, "_requestId": "a"}))
        .await;
    let noticed = other.json().await;
    let read = writer
        .ask(json!({"zKey": "^List notes", "_requestId": 2}))
        .await;
    let nothing_more = other.ask(json!({"event": "ping", "_requestId": 3})).await;

    let row = json!({"id": 1, "text": "hi", "owner_id": null});
    assert_eq!(created, json!({"result": row, "_requestId": "a"}));
    assert_eq!(
        noticed,
        json!({"event": "change", "model": "notes", "op": "create", "id": 1, "row": row})
    );
    // The writer's next message is its own answer: it was told of its own write by nothing else.
    assert_eq!(
        read,
        json!({"result": [row], "_cached": false, "_requestId": 2})
    );
    assert_eq!(nothing_more, json!({"result": "pong", "_requestId": 3}));
}

#[tokio::test]
async fn updates_and_deletes_are_noticed_too() {
    let (_server, address) = serve(open()).await;
    let (mut writer, _) = greeted(address, "/").await;
    let (mut other, _) = greeted(address, "/").await;

    writer
        .ask(json!({"zKey": "create_notes", "data": {"text": "a"}}))
        .await;
    let updated = writer
        .ask(json!({"zKey": "^Update notes", "where": 1, "data": {"text": "b"}}))
        .await;
    let deleted = writer
        .ask(json!({"zKey": "^Delete notes", "where": 1}))
        .await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let notice = other.json().await;
        heard.push((notice["op"].clone(), notice["row"]["text"].clone()));
    }

    assert_eq!(updated["result"]["text"], "b");
    assert_eq!(deleted, json!({"result": {"deleted": 1, "id": 1}}));
    assert_eq!(
        heard,
        [
            ("create".into(), "a".into()),
            ("update".into(), "b".into()),
            ("delete".into(), Value::Null)
        ]
    );
}

#[tokio::test]
async fn a_notice_holds_what_its_receiver_may_read() {
    let tokens = [("ada", "member"), ("eve", "member"), ("rob", "reader")].map(|(user, role)| {
        TokenEntry::new(format!("token-of-{user}"))
            .user(user)
            .roles([role])
    });
    let mut config = config();
    config.require_auth = true;
    let builder = Bifrost::builder()
        .config(config)
        .schema(Schema::of([owned_notes()]).unwrap())
        .auth(Arc::new(
            tokens.into_iter().fold(TokenList::new(), TokenList::token),
        ));
    let (_server, address) = serve(builder).await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    let (mut eve, _) = greeted(address, "/?token=token-of-eve").await;
    let (mut rob, hello) = greeted(address, "/?token=token-of-rob").await;

    let created = ada
        .ask(json!({"zKey": "create_notes", "data": {"text": "secret"}, "_requestId": 1}))
        .await;
    let to_rob = rob.json().await;
    let to_eve = eve.ask(json!({"event": "ping"})).await;
    let read_by_eve = eve.ask(json!({"zKey": "^List notes"})).await;
    let filtered_by_rob = rob
        .ask(json!({"zKey": "^List notes", "where": {"text__startswith": "s"}}))
        .await;

    assert_eq!(hello["data"]["auth"]["user"], "rob");
    assert_eq!(created["result"]["owner_id"], "ada");
    assert_eq!(to_rob["row"], json!({"id": 1}));
    assert_eq!(to_eve, json!({"result": "pong"}));
    assert_eq!(read_by_eve["result"], json!([]));
    assert_eq!(filtered_by_rob["code"], "forbidden", "{filtered_by_rob}");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_the_connection_stays() {
    let (_server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;

    for (message, code) in [
        ("hello", "invalid_json"),
        ("[]", "bad_request"),
        (r#"{"event":7,"_requestId":1}"#, "bad_request"),
        (r#"{"event":"dance","_requestId":1}"#, "unknown_event"),
        (r#"{"event":"../dispatch","_requestId":1}"#, "unknown_event"),
        (
            r#"{"zKey":"^List planets","_requestId":1}"#,
            "unknown_model",
        ),
        (
            r#"{"zKey":"^List notes","where":{"age":1},"_requestId":1}"#,
            "unknown_field",
        ),
        (
            r#"{"zKey":"^List notes","where":{"text__like":1},"_requestId":1}"#,
            "unknown_lookup",
        ),
        (
            r#"{"zKey":"^List notes","limit":-1,"_requestId":1}"#,
            "bad_value",
        ),
        (
            r#"{"zKey":"^List notes","cache_ttl":0,"_requestId":1}"#,
            "bad_value",
        ),
        (
            r#"{"zKey":"^List notes","action":"delete","_requestId":1}"#,
            "bad_request",
        ),
        (r#"{"zKey":"^Delete notes","_requestId":1}"#, "bad_value"),
        (
            r#"{"zKey":"^List notes","where":{"id":1,"id":2},"_requestId":1}"#,
            "bad_request",
        ),
        (r#"{"event":"dispatch","_requestId":1}"#, "bad_request"),
    ] {
        client.text(message).await;
        let reply = client.json().await;
        assert_eq!(reply["code"], code, "{message} was answered {reply}");
        assert!(
            reply["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{reply}"
        );
        let carries_id = message.contains("_requestId");
        assert_eq!(
            reply.get("_requestId").is_some(),
            carries_id,
            "{message} was answered {reply}"
        );
    }
    assert_eq!(
        client.ask(json!({"event": "ping"})).await,
        json!({"result": "pong"})
    );
}

#[tokio::test]
async fn one_id_twice_in_flight_is_answered_twice() {
    let (_server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;

    let ping = json!({"event": "ping", "requestId": "x"});
    client.text(&ping.to_string()).await;
    let both = [client.ask(ping).await, client.json().await];

    assert_eq!(
        both,
        [(); 2].map(|()| json!({"result": "pong", "requestId": "x"}))
    );
}

#[tokio::test]
async fn a_connection_that_sends_too_much_is_told_so() {
    let (_server, address) = serve(open().message_rate(1, 2)).await;
    let (mut client, _) = greeted(address, "/").await;

    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(client.ask(json!({"event": "ping"})).await["code"].clone());
    }

    assert_eq!(
        codes,
        [Value::Null, Value::Null, "too_many_requests".into()]
    );
}

/// Remembers one answer, for one scope.
struct OneAnswer(Scope);

impl AnswerCache for OneAnswer {
    fn recall(&self, scope: &Scope, message: &[u8]) -> Option<Remembered> {
        let known = *scope == self.0 && message == br#"{"event":"ping"}"#;
        known.then(|| Remembered {
            answer: Bytes::from_static(br#"{"result":"remembered"}"#),
            command: Arc::new(Command::Event("ping".to_owned())),
        })
    }
}

/// Knows users by their token, and lets nobody called Eve ping.
struct NoPingForEve;

#[async_trait]
impl AuthPolicy for NoPingForEve {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        let name = given.token.as_ref().map(zcomm_core::Secret::expose);
        name.map(Identity::user)
            .ok_or(Refusal::AuthenticationRequired)
    }

    fn permits(&self, who: &Identity, what: &Action<'_>) -> bool {
        who.name() != Some("eve") || *what != Action::Event("ping")
    }
}

#[tokio::test]
async fn a_remembered_answer_is_no_way_around_the_policy() {
    let answers = |user: &'static str| Arc::new(OneAnswer(Identity::user(user).scope()));
    let mut told = Vec::new();
    for (remembered_for, user) in [("ada", "ada"), ("ada", "bob"), ("eve", "eve")] {
        let cache = answers(remembered_for);
        let builder = open().auth(Arc::new(NoPingForEve)).cache(move |_| cache);
        let (_server, address) = serve(builder).await;
        let (mut client, _) = greeted(address, &format!("/?token={user}")).await;
        let reply = client.ask(json!({"event": "ping", "_requestId": 5})).await;
        told.push(reply);
    }

    assert_eq!(told[0], json!({"result": "remembered", "_requestId": 5}));
    assert_eq!(told[1], json!({"result": "pong", "_requestId": 5}));
    assert_eq!(
        (&told[2]["code"], &told[2]["_requestId"]),
        (&json!("forbidden"), &json!(5))
    );
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let (server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;

    server.shutdown();
    let farewell = client.json().await;
    let close = client.next().await;

    assert_eq!(farewell["event"], "server_shutdown");
    assert!(matches!(close, Seen::Close(1001, _)), "{close:?}");
}

/// Posts over plain HTTP and reads the status and the body.
async fn post(address: SocketAddr, path: &str, kind: &str, body: &str) -> (String, Value) {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    let client = Client::say(address, request.as_bytes()).await;
    let status = client.status().to_owned();
    (
        status,
        serde_json::from_slice(&client.remaining().await).unwrap(),
    )
}

#[tokio::test]
async fn a_write_is_noticed_within_its_own_application() {
    let (_server, address) = serve(open()).await;
    let (mut shop, _) = greeted(address, "/?app_name=shop").await;
    let (mut bank, _) = greeted(address, "/?app_name=bank").await;

    shop.ask(json!({"zKey": "create_notes", "data": {"text": "for the shop"}}))
        .await;
    let heard = bank.ask(json!({"event": "ping", "_requestId": 1})).await;

    assert_eq!(heard, json!({"result": "pong", "_requestId": 1}));
}

#[tokio::test]
async fn a_reader_that_stops_is_closed_and_never_believes_it_heard_everything() {
    let mut config = config();
    config.outbox_messages = 4;
    config.outbox_size = 64 * 1024;
    // Longer than all the writes take, or the close would be cut off before anybody reads it.
    config.close_timeout = Duration::from_secs(60);
    let (_server, address) = serve(open().config(config).message_rate(0, 1)).await;
    let (mut writer, _) = greeted(address, "/").await;
    let (mut stuck, _) = greeted(address, "/").await;
    let text = "x".repeat(60_000);

    // The reader's own buffers and the system's take some of it; then the outbox is full.
    for _ in 0..400 {
        let created = writer
            .ask(json!({"zKey": "create_notes", "data": {"text": text}}))
            .await;
        assert_eq!(created["error"], Value::Null, "{created}");
    }
    let end = loop {
        match stuck.next().await {
            Seen::Text(_) => {}
            other => break other,
        }
    };

    assert!(matches!(end, Seen::Close(4002, _)), "{end:?}");
}

#[tokio::test]
async fn an_identity_that_ends_ends_its_connection() {
    let end = SystemTime::now() + Duration::from_millis(300);
    let token = TokenEntry::new("short").user("ada").expires(end);
    let (_server, address) = serve(open().auth(Arc::new(TokenList::new().token(token)))).await;
    let (mut ada, _) = greeted(address, "/?token=short").await;

    let close = ada.next().await;

    assert!(matches!(close, Seen::Close(4001, _)), "{close:?}");
}

#[tokio::test]
async fn without_a_rate_there_is_no_limit() {
    let (_server, address) = serve(open().message_rate(0, 0)).await;
    let (mut client, _) = greeted(address, "/").await;

    for _ in 0..50 {
        assert_eq!(
            client.ask(json!({"event": "ping"})).await,
            json!({"result": "pong"})
        );
    }
}

#[tokio::test]
async fn what_is_no_message_counts_against_the_rate() {
    let (_server, address) = serve(open().message_rate(1, 2)).await;
    let (mut client, _) = greeted(address, "/").await;

    let mut codes = Vec::new();
    for _ in 0..3 {
        client.text("x").await;
        codes.push(client.json().await["code"].clone());
    }

    assert_eq!(codes, ["invalid_json", "invalid_json", "too_many_requests"]);
}

#[tokio::test]
async fn over_http_strangers_learn_nothing_and_guess_in_vain() {
    let mut config = config();
    config.require_auth = true;
    config.refusal_delay = Duration::ZERO;
    config.auth_failures_per_minute = 3;
    let tokens = TokenList::new().token(TokenEntry::new("right").user("ada").roles(["admin"]));
    let builder = Bifrost::builder()
        .config(config)
        .schema(Schema::of([notes()]).unwrap())
        .auth(Arc::new(tokens));
    let (_server, address) = serve(builder).await;
    let kind = "application/json";

    let mut without = Vec::new();
    for body in [
        r#"{"zKey":"^List planets"}"#,
        r#"{"zKey":"^List notes","where":{"pw":1}}"#,
        "{",
        r#"{"zKey":"^List notes"}"#,
    ] {
        without.push(post(address, "/dispatch", kind, body).await.0);
    }
    let mut guesses = Vec::new();
    for guess in 0..5 {
        guesses.push(
            post(
                address,
                &format!("/dispatch?token=guess-{guess}"),
                kind,
                "{}",
            )
            .await
            .0,
        );
    }

    assert_eq!(without, ["401"; 4]);
    assert_eq!(guesses, ["401", "401", "401", "429", "429"]);
}

#[tokio::test]
async fn a_page_elsewhere_cannot_post() {
    let (_server, address) = serve(open()).await;
    let body = r#"{"zKey":"^List notes"}"#;
    let ask = async |origin: &str| {
        let request = format!(
            "POST /dispatch HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        Client::say(address, request.as_bytes())
            .await
            .status()
            .to_owned()
    };

    let statuses = [
        ask("http://localhost:3000").await,
        ask("https://localhost.evil.com").await,
        ask("null").await,
        ask("file://").await,
    ];

    assert_eq!(statuses, ["200", "403", "403", "403"]);
}

#[tokio::test]
async fn plain_http_answers_the_same() {
    let (_server, address) = serve(open()).await;
    let json = "application/json; charset=utf-8";
    let create = r#"{"zKey":"create_notes","data":{"text":"hi"},"_requestId":9}"#;

    let created = post(address, "/dispatch", json, create).await;
    let other_type = post(address, "/dispatch", "text/plain", create).await;
    let other_event = post(address, "/ping", json, r#"{"event":"dispatch"}"#).await;
    let no_event = post(address, "/dance", json, "{}").await;
    let needs_socket = post(address, "/subscribe", json, "{}").await;
    let unknown_model = post(address, "/dispatch", json, r#"{"zKey":"^List planets"}"#).await;

    assert_eq!(
        created,
        (
            "200".to_owned(),
            json!({"result": {"id": 1, "text": "hi", "owner_id": null}})
        )
    );
    assert_eq!(
        (other_type.0.as_str(), &other_type.1["code"]),
        ("400", &json!("bad_request"))
    );
    assert_eq!(
        (other_event.0.as_str(), &other_event.1["code"]),
        ("400", &json!("bad_request"))
    );
    assert_eq!(
        (no_event.0.as_str(), &no_event.1["code"]),
        ("404", &json!("unknown_event"))
    );
    assert_eq!(
        (needs_socket.0.as_str(), &needs_socket.1["code"]),
        ("400", &json!("bad_request"))
    );
    assert_eq!(
        (unknown_model.0.as_str(), &unknown_model.1["code"]),
        ("404", &json!("unknown_model"))
    );
}
