//! What an application adds: functions, commands, events, routes, files, layers; and how clients call it.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::util::MapRequestLayer;
use zcomm_core::{
    Action, AuthPolicy, Body, Code, Credentials, Error, Identity, Operation, Peer, Refusal,
};
use zcomm_ws::bifrost::{Bifrost, BifrostBuilder, Call, Route};

use super::identity::closed;
use super::{greeted, open, post, serve};

#[derive(Deserialize)]
struct Cart {
    cart_id: u64,
}

fn shop() -> BifrostBuilder {
    open()
        .function("calculateTotal", async |_: Call, cart: Cart| {
            match cart.cart_id {
                123 => Ok(59.9),
                other => Err(Error::other(Code::NotFound, format!("no cart {other}"))),
            }
        })
        .function("add", async |_: Call, (one, two): (i64, i64)| Ok(one + two))
        .function("note", async |call: Call, text: String| {
            let data = json!({"data": {"text": text}});
            call.write(Operation::Create, "notes", data).await?;
            call.read("notes", json!({"fields": ["text"]})).await
        })
        .function("break", async |_: Call, (): ()| -> Result<(), Error> {
            panic!("on purpose")
        })
        .command("^custom_command", async |call: Call, message: Value| {
            let who = call.identity().app().to_owned();
            Ok(json!({"heard": message, "from": who}))
        })
        .event("move", async |_: Call, to: Value| Ok(to))
        .route(
            Route::new("/admin/users")
                .url("https://app.example.com/u")
                .model("Notes"),
        )
        .route(Route::new("/about"))
}

#[tokio::test]
async fn functions_are_called_with_relaxed_arguments() {
    let (_server, address) = serve(shop()).await;
    let (mut client, _) = greeted(address, "/").await;

    let mut answers = Vec::new();
    for command in [
        "zFunc(calculateTotal, {cart_id: 123})",
        "zFunc(add, 1, 41)",
        "calculateTotal, {\"cart_id\": 7}",
        "zFunc(add, 1)",
        "zFunc(subtract, 1)",
        "zFunc(__import__('os'))",
        "zFunc(break)",
    ] {
        let message = json!({"zKey": "zFunc", "zHorizontal": command, "_requestId": 0});
        let answer = client.ask(message).await;
        assert_eq!(answer["_requestId"], 0);
        answers.push(match answer.get("result") {
            Some(result) => result.clone(),
            None => answer["code"].clone(),
        });
    }

    assert_eq!(
        answers,
        [
            json!(59.9),
            json!(42),
            json!("not_found"),
            json!("bad_value"),
            json!("not_found"),
            json!("bad_value"),
            json!("internal"),
        ]
    );
}

#[tokio::test]
async fn what_a_function_writes_is_noticed_by_others() {
    let (_server, address) = serve(shop()).await;
    let (mut writer, _) = greeted(address, "/").await;
    let (mut other, _) = greeted(address, "/").await;

    let answer = writer.ask(json!({"cmd": "zFunc(note, 'hi')"})).await;
    let noticed = other.json().await;

    assert_eq!(answer, json!({"result": [{"text": "hi"}]}));
    assert_eq!(
        (&noticed["op"], &noticed["row"]["text"]),
        (&json!("create"), &json!("hi"))
    );
}

#[tokio::test]
async fn a_registered_command_gets_the_whole_message() {
    let (_server, address) = serve(shop()).await;
    let (mut client, _) = greeted(address, "/?app_name=shop").await;
    let message = json!({"zKey": "custom_command", "zHorizontal": {"action": "ping", "data": {"message": "Hello"}}});

    let mut with_id = message.clone();
    with_id["_requestId"] = json!(5);
    let answer = client.ask(with_id).await;
    let with_caret = client.ask(json!({"cmd": "^custom_command"})).await;
    let unknown = client.ask(json!({"zKey": "^Dance"})).await;

    assert_eq!(
        answer,
        json!({"result": {"heard": message, "from": "shop"}, "_requestId": 5})
    );
    assert_eq!(
        with_caret["result"]["heard"],
        json!({"cmd": "^custom_command"})
    );
    assert_eq!(unknown["code"], "bad_request");
    let told = unknown["error"].as_str().unwrap();
    assert!(told.contains("(registered: custom_command)"), "{told}");
}

#[tokio::test]
async fn an_event_of_the_application_answers_on_sockets_and_over_http() {
    let (_server, address) = serve(shop()).await;
    let (mut client, _) = greeted(address, "/").await;

    let by_socket = client
        .ask(json!({"event": "move", "x": 1, "_requestId": "m"}))
        .await;
    let by_http = post(
        address,
        "/move",
        "application/json",
        r#"{"x":1,"_requestId":2}"#,
    )
    .await;

    assert_eq!(by_socket, json!({"result": {"x": 1}, "_requestId": "m"}));
    assert_eq!(by_http, ("200".to_owned(), json!({"result": {"x": 1}})));
}

#[tokio::test]
async fn links_lead_to_registered_routes_and_nowhere_else() {
    let (_server, address) = serve(shop()).await;
    let (mut client, _) = greeted(address, "/").await;

    let users = client
        .ask(json!({"zKey": "zLink", "zHorizontal": "/admin/users"}))
        .await;
    let about = client.ask(json!({"cmd": "zLink(/about)"})).await;
    let unknown = client.ask(json!({"cmd": "zLink(/about/../admin)"})).await;

    assert_eq!(
        users["result"],
        json!({"path": "/admin/users", "url": "https://app.example.com/u", "model": "notes"})
    );
    assert_eq!(about["result"], json!({"path": "/about", "url": "/about"}));
    assert_eq!(unknown["code"], "not_found");
}

#[tokio::test]
async fn files_are_read_below_the_root_and_nowhere_else() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("open");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("config.yaml"), "a: 1").unwrap();
    std::fs::write(outer.path().join("secret"), "s").unwrap();
    let (_server, address) = serve(open().open_root(&root)).await;
    let (_closed, other) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;
    let (mut without, _) = greeted(other, "/").await;

    let read = client
        .ask(json!({"zKey": "zOpen", "zHorizontal": "config.yaml"}))
        .await;
    let mut codes = Vec::new();
    for path in [
        "zOpen(/etc/passwd)",
        "zOpen(../secret)",
        "zOpen('../secret')",
        "zOpen(none)",
    ] {
        codes.push(client.ask(json!({"cmd": path})).await["code"].clone());
    }
    let no_root = without.ask(json!({"cmd": "zOpen(config.yaml)"})).await;

    assert_eq!(
        read["result"],
        json!({"path": "config.yaml", "mime": "application/yaml", "encoding": "utf-8", "content": "a: 1", "size": 4})
    );
    assert_eq!(codes, ["forbidden", "forbidden", "forbidden", "not_found"]);
    assert_eq!(no_root["code"], "unavailable");
}

/// Lets nobody call `add`, run commands or send `move`.
struct Reluctant;

#[async_trait]
impl AuthPolicy for Reluctant {
    async fn identify(&self, _given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        Ok(Identity::guest())
    }

    fn permits(&self, _who: &Identity, what: &Action<'_>) -> bool {
        let refused = [
            Action::Call("add"),
            Action::Event("move"),
            Action::Run("custom_command"),
        ];
        let reads = matches!(
            what,
            Action::Data {
                operation: Operation::Read,
                ..
            }
        );
        !refused.contains(what) && !reads
    }
}

#[tokio::test]
async fn the_policy_is_asked_about_all_of_them() {
    let (_server, address) = serve(shop().auth(Arc::new(Reluctant))).await;
    let (mut client, _) = greeted(address, "/").await;

    let mut codes = Vec::new();
    for message in [
        json!({"cmd": "zFunc(add, 1, 2)"}),
        json!({"event": "move"}),
        json!({"zKey": "custom_command"}),
        // What its caller may not do, a function does not do for it.
        json!({"cmd": "zFunc(note, 'hi')"}),
    ] {
        codes.push(client.ask(message).await["code"].clone());
    }
    let unknown = client.ask(json!({"cmd": "zFunc(dance)"})).await;

    assert_eq!(codes, ["forbidden"; 4]);
    let told = unknown["error"].as_str().unwrap();
    assert!(
        told.ends_with("(registered: break, calculateTotal, note)"),
        "{told}"
    );
}

#[tokio::test]
async fn a_function_has_the_rights_of_its_caller() {
    let builder = closed(|_| ()).function("all", async |call: Call, (): ()| {
        call.read("notes", Value::Null).await
    });
    let (_server, address) = serve(builder).await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    let (mut eve, _) = greeted(address, "/?token=token-of-eve").await;
    ada.ask(json!({"zKey": "create_notes", "data": {"text": "mine"}}))
        .await;

    let by_ada = ada.ask(json!({"cmd": "zFunc(all)"})).await;
    let by_eve = eve.ask(json!({"cmd": "zFunc(all)"})).await;

    assert_eq!(by_ada["result"][0]["text"], "mine");
    assert_eq!(by_eve["result"], json!([]));
}

#[tokio::test]
async fn answers_without_an_id_come_in_the_order_of_their_questions() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = Arc::clone(&gate);
    let builder = open().function("wait", move |_: Call, _: Value| {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok("waited")
        }
    });
    let (_server, address) = serve(builder).await;
    let (mut client, _) = greeted(address, "/").await;

    client.text(r#"{"cmd":"zFunc(wait)"}"#).await;
    client.text("{").await;
    client.text(r#"{"event":"ping"}"#).await;
    // One with an id is answered by itself, so the others have been taken by then.
    let overtakes = client.ask(json!({"event": "ping", "_requestId": 1})).await;
    opened.notify_one();
    let in_order = [
        client.json().await,
        client.json().await,
        client.json().await,
    ];

    assert_eq!(overtakes["_requestId"], 1);
    assert_eq!(in_order[0], json!({"result": "waited"}));
    assert_eq!(in_order[1]["code"], "invalid_json");
    assert_eq!(in_order[2], json!({"result": "pong"}));
}

#[tokio::test]
async fn layers_of_the_application_stand_in_front() {
    let layer = MapRequestLayer::new(|request: http::Request<Body>| match request.uri().path() {
        "/hello" => http::Request::post("/ping")
            .extension(
                request
                    .extensions()
                    .get::<Arc<zcomm_core::Caller>>()
                    .unwrap()
                    .clone(),
            )
            .body(Body::from("{}"))
            .unwrap(),
        _ => request,
    });
    let (_server, address) = serve(open().layer(layer)).await;
    let (mut client, _) = greeted(address, "/").await;

    let by_socket = client.ask(json!({"event": "hello", "_requestId": 1})).await;
    let by_http = post(address, "/hello", "application/json", "{}").await;

    assert_eq!(by_socket, json!({"result": "pong", "_requestId": 1}));
    assert_eq!(by_http.1, json!({"result": "pong"}));
}

#[tokio::test]
async fn what_cannot_be_meant_stops_the_start() {
    let refused = async |builder: BifrostBuilder| builder.bind().await.unwrap_err().code();
    let nothing = async |_: Call, _: Value| Ok(());

    let codes = [
        refused(shop().function("add", nothing)).await,
        refused(open().function("a b", nothing)).await,
        refused(open().command("^", nothing)).await,
        refused(open().event("dispatch", nothing)).await,
        refused(open().event("upsert", nothing)).await,
        refused(open().event("../x", nothing)).await,
        refused(shop().route(Route::new("/about"))).await,
        refused(Bifrost::builder().open_root("/nowhere/at/all")).await,
    ];

    assert_eq!(
        codes,
        [
            "name_taken",
            "name_invalid",
            "name_invalid",
            "name_taken",
            "name_taken",
            "name_invalid",
            "name_taken",
            "open_root"
        ]
    );
}
