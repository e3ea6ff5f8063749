//! The cache through the facade: events over real sockets, the handle, settings, and the HTTP client's answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zcomm::Comm;
use zcomm::core::data::{Field, FieldSet, Kind, Model, ModelAccess, RoleAccess, Schema};
use zcomm::core::{Action, AuthPolicy, Clearing, Credentials, Identity, Peer, Refusal, Secret};
use zcomm::ws::bifrost::Bifrost;
use zcomm::ws::client::Client;

/// Takes a token for a user's name; that of `root` is an admin.
struct ByName;

#[async_trait]
impl AuthPolicy for ByName {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        let name = given.token.as_ref().map(Secret::expose);
        let name = name.ok_or(Refusal::AuthenticationRequired)?;
        let role = if name == "root" { "admin" } else { "member" };
        Ok(Identity::user(name).with_roles([role]))
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}

struct App {
    comm: Comm,
    server: Bifrost,
}

impl App {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let everything = RoleAccess::reading(FieldSet::All)
            .creating(FieldSet::All)
            .updating(FieldSet::All);
        let notes = Model::builder("notes")
            .field(Field::new("id", Kind::Int).primary_key().auto_increment())
            .field(Field::new("text", Kind::Text))
            .access(ModelAccess::new().role("member", everything))
            .build()
            .unwrap();
        let comm = Comm::builder()
            .isolated()
            .schema(Schema::of([notes]).unwrap())
            .policy(ByName)
            .set("websocket.port", "0")
            .set("websocket.require_auth", "true");
        let set = settings
            .iter()
            .fold(comm, |comm, (key, value)| comm.set(*key, *value));
        let comm = set.build().unwrap();
        let server = comm.bifrost().unwrap().bind().await.unwrap();
        Self { comm, server }
    }

    async fn client(&self, name: &str) -> Asking {
        let url = format!("ws://{}/", self.server.local_addr());
        Asking(Client::builder(url).token(name).connect().await.unwrap())
    }
}

struct Asking(Client);

impl Asking {
    async fn ask(&self, event: &str, message: Value) -> Value {
        let reply = self.0.request(event, &message).await.unwrap();
        reply.json().unwrap()
    }

    async fn read(&self) -> Value {
        self.ask("dispatch", json!({"zKey": "^List notes"})).await
    }

    async fn write(&self, text: &str) -> Value {
        let message = json!({"zKey": "create_notes", "data": {"text": text}});
        self.ask("dispatch", message).await
    }

    async fn stats(&self) -> Value {
        self.ask("cache_stats", json!({})).await["result"]["query_cache"].clone()
    }
}

#[tokio::test]
async fn reads_say_whether_they_come_from_the_cache_and_a_write_ends_it() {
    let app = App::start(&[]).await;
    let ada = app.client("ada").await;

    let fresh = ada.read().await;
    let kept = ada.read().await;
    let written = ada.write("hello").await;
    let after = ada.read().await;

    assert_eq!(fresh, json!({"result": [], "_cached": false}));
    assert_eq!(kept, json!({"result": [], "_cached": true}));
    assert_eq!(written.get("_cached"), None);
    assert_eq!(
        (&after["result"][0]["text"], &after["_cached"]),
        (&json!("hello"), &json!(false))
    );
}

#[tokio::test]
async fn a_message_may_forbid_the_cache_or_name_a_time() {
    let app = App::start(&[]).await;
    let ada = app.client("ada").await;
    let read = |members: Value| {
        let mut message = json!({"zKey": "^List notes"});
        message
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        ada.ask("dispatch", message)
    };
    ada.read().await;

    let bypassed = read(json!({"no_cache": true})).await;
    let within = read(json!({"cache_ttl": 3600})).await;

    assert_eq!(
        (&bypassed["_cached"], &within["_cached"]),
        (&json!(false), &json!(true))
    );
    for wrong in [
        json!(-1),
        json!(0),
        json!(1e18),
        json!("x"),
        json!(3601),
        json!(1.5),
    ] {
        let reply = read(json!({"cache_ttl": wrong})).await;
        assert_eq!(reply["code"], "bad_value", "{reply}");
    }
}

#[tokio::test]
async fn the_guides_events_answer_for_the_callers_scope() {
    let app = App::start(&[]).await;
    let (ada, eve) = (app.client("ada").await, app.client("eve").await);
    for _ in 0..3 {
        ada.read().await;
    }

    let own = ada.stats().await;
    let others = eve.stats().await;
    let cleared = ada.ask("clear_cache", json!({})).await;
    let ttl = ada.ask("set_query_cache_ttl", json!({"ttl": 120})).await;

    let counted = |hits: u64, misses: u64| json!({"hits": hits, "misses": misses, "expired": 0, "evicted": 0, "coalesced": 0});
    assert_eq!((own, others), (counted(2, 1), counted(0, 0)));
    assert_eq!(
        (&cleared["result"], &cleared["stats"]),
        (&json!("Cache cleared"), &counted(2, 1))
    );
    assert_eq!(ttl["result"], "Query cache TTL set to 120s");
    assert_eq!(ada.read().await["_cached"], false);
}

#[tokio::test]
async fn clearing_is_ones_own_affair_unless_one_is_an_admin() {
    let app = App::start(&[]).await;
    let (ada, eve, root) = (
        app.client("ada").await,
        app.client("eve").await,
        app.client("root").await,
    );
    eve.read().await;

    ada.ask("clear_cache", json!({})).await;
    let after_ada = eve.read().await["_cached"].clone();
    let refused = [
        ada.ask("clear_cache", json!({"scope": "all"})).await,
        ada.ask("set_cache_ttl", json!({"ttl": 1, "scope": "all"}))
            .await,
    ];
    let unknown = ada.ask("clear_cache", json!({"scope": "eve"})).await;
    let after_refusal = eve.read().await["_cached"].clone();
    root.ask("clear_cache", json!({"scope": "all"})).await;
    let after_root = eve.read().await["_cached"].clone();

    assert_eq!([after_ada, after_refusal, after_root], [true, true, false]);
    assert!(
        refused.iter().all(|reply| reply["code"] == "forbidden"),
        "{refused:?}"
    );
    assert_eq!(unknown["code"], "bad_value");
}

#[tokio::test]
async fn a_time_to_keep_is_checked_and_an_admin_sets_it_for_all() {
    let app = App::start(&[]).await;
    let (ada, root) = (app.client("ada").await, app.client("root").await);

    for wrong in [
        json!(-1),
        json!(0),
        json!(3601),
        json!(1e18),
        json!("x"),
        Value::Null,
    ] {
        let reply = ada.ask("set_cache_ttl", json!({"ttl": wrong})).await;
        assert_eq!(reply["code"], "bad_value", "{reply}");
    }
    ada.ask("set_cache_ttl", json!({"ttl": 7})).await;
    let after_ada = app.comm.cache().ttl();
    root.ask("set_cache_ttl", json!({"ttl": 9, "scope": "all"}))
        .await;

    assert_eq!(after_ada.as_secs(), 60);
    assert_eq!(app.comm.cache().ttl().as_secs(), 9);
}

#[tokio::test]
async fn the_application_sees_and_clears_what_its_servers_keep() {
    let app = App::start(&[]).await;
    let ada = app.client("ada").await;
    ada.read().await;
    ada.read().await;

    let stats = app.comm.cache().stats();
    app.comm.cache().clear(Clearing::Model("notes"));

    assert_eq!((stats.hits, stats.misses), (1, 1));
    assert_eq!(ada.read().await["_cached"], false);
}

#[tokio::test]
async fn without_a_cache_every_read_is_fresh_and_the_events_still_answer() {
    let app = App::start(&[("cache.enabled", "false")]).await;
    let ada = app.client("ada").await;
    ada.read().await;

    let again = ada.read().await;
    let cleared = ada.ask("clear_cache", json!({})).await;
    let ttl = ada.ask("set_cache_ttl", json!({"ttl": 5})).await;

    assert_eq!(
        (&again["_cached"], &cleared["result"]),
        (&json!(false), &json!("Cache cleared"))
    );
    assert_eq!(ttl["code"], "bad_request");
    assert_eq!(ada.stats().await["hits"], 0);
}

/// A server that lets its answers be kept for a minute, and counts how often it is asked.
async fn origin() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/users", listener.local_addr().unwrap());
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let text = counted.fetch_add(1, Ordering::SeqCst).to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, asked)
}

#[tokio::test]
async fn the_http_client_keeps_answers_only_where_it_is_told_to_and_apart_for_each_token() {
    let (url, asked) = origin().await;
    let comm = |cache: &str| {
        let comm = Comm::builder().isolated().set("http.cache", cache);
        comm.set("http.proxies", "false").build().unwrap()
    };
    let texts = async |comm: &Comm| {
        let mut texts = Vec::new();
        for token in ["ada", "ada", "eve", "ada"] {
            let request = comm
                .http()
                .get(&url)
                .header("authorization", format!("Bearer {token}"));
            texts.push(request.send().await.unwrap().text().await.unwrap());
        }
        texts
    };
    let (keeping, plain) = (comm("true"), comm("false"));

    let kept = texts(&keeping).await;
    let fresh = texts(&plain).await;

    assert_eq!(kept, ["0", "0", "1", "0"]);
    assert_eq!(fresh, ["2", "3", "4", "5"]);
    assert_eq!(asked.load(Ordering::SeqCst), 6);
    assert_eq!(keeping.cache().stats().hits, 2);
}
