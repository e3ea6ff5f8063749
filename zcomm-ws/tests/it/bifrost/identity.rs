//! Who a connection is, and who it becomes: the event `auth`, and tokens as first messages.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use zcomm_core::data::Schema;
use zcomm_core::{TokenEntry, TokenList};
use zcomm_ws::bifrost::{Bifrost, BifrostBuilder};
use zcomm_ws::server::ServerConfig;

use super::{config, greeted, owned_notes, serve};
use crate::peer::{Client, Seen};

pub(super) fn members() -> TokenList {
    let member = |user: &str| {
        TokenEntry::new(format!("token-of-{user}"))
            .user(user)
            .roles(["member"])
    };
    TokenList::new()
        .token(member("ada"))
        .token(member("eve"))
        .token(
            TokenEntry::new("token-of-rob")
                .user("rob")
                .roles(["reader"]),
        )
}

pub(super) fn closed(change: impl FnOnce(&mut ServerConfig)) -> BifrostBuilder {
    let mut config = config();
    config.require_auth = true;
    config.refusal_delay = Duration::ZERO;
    change(&mut config);
    Bifrost::builder()
        .config(config)
        .schema(Schema::of([owned_notes()]).unwrap())
        .auth(Arc::new(members()))
}

#[tokio::test]
async fn a_live_connection_becomes_somebody_else() {
    let (_server, address) = serve(closed(|_| ())).await;
    let (mut client, hello) = greeted(address, "/?token=token-of-ada").await;
    client
        .ask(json!({"zKey": "create_notes", "data": {"text": "mine"}}))
        .await;

    let reply = client
        .ask(json!({"event": "auth", "token": "token-of-eve", "_requestId": 4}))
        .await;
    let seen = client.ask(json!({"zKey": "^List notes"})).await;
    let info = client.ask(json!({"event": "connection_info"})).await;

    assert_eq!(hello["data"]["auth"]["user"], "ada");
    assert_eq!(
        reply,
        json!({
            "result": {
                "authenticated": true, "context": "application", "user": "eve", "role": "member", "roles": ["member"]
            },
            "_requestId": 4
        })
    );
    assert_eq!(seen["result"], json!([]));
    assert_eq!(info["data"]["auth"], reply["result"]);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_changes_nothing() {
    let (_server, address) = serve(closed(|config| config.auth_failures_per_minute = 3)).await;
    let (mut client, _) = greeted(address, "/?token=token-of-ada").await;

    let mut codes = Vec::new();
    for message in [
        json!({"event": "auth"}),
        json!({"event": "auth", "token": 7}),
        json!({"event": "auth", "token": ""}),
        json!({"event": "auth", "token": "guess-1"}),
        json!({"event": "auth", "token": "guess-2"}),
        json!({"event": "auth", "token": "guess-3"}),
        // By now even a right one is not looked at.
        json!({"event": "auth", "token": "token-of-eve"}),
    ] {
        codes.push(client.ask(message).await["code"].clone());
    }
    let info = client.ask(json!({"event": "connection_info"})).await;

    assert_eq!(
        codes,
        [
            "bad_request",
            "bad_request",
            "bad_request",
            "unauthorized",
            "unauthorized",
            "unauthorized",
            "too_many_requests"
        ]
    );
    assert_eq!(info["data"]["auth"]["user"], "ada");
}

#[tokio::test]
async fn a_first_message_may_say_who_is_there() {
    let (_server, address) = serve(closed(|config| config.first_message_auth = true)).await;
    let mut client = Client::open(address).await;

    client
        .text(r#"{"event":"auth","token":"token-of-ada","_requestId":1}"#)
        .await;
    let (hello, reply) = (client.json().await, client.json().await);
    let created = client
        .ask(json!({"zKey": "create_notes", "data": {"text": "mine"}}))
        .await;

    assert_eq!(hello["event"], "connection_info");
    assert_eq!(hello["data"]["auth"]["user"], "ada");
    assert_eq!(
        (&reply["result"]["user"], &reply["_requestId"]),
        (&json!("ada"), &json!(1))
    );
    assert_eq!(created["result"]["owner_id"], "ada");
}

#[tokio::test]
async fn a_first_message_that_says_nothing_of_the_kind_is_the_last() {
    let (_server, address) = serve(closed(|config| config.first_message_auth = true)).await;

    let mut ends = Vec::new();
    for first in [
        r#"{"zKey":"^List notes"}"#,
        "{",
        r#"{"event":"ping"}"#,
        r#"{"event":"auth"}"#,
        r#"{"event":"auth","token":7}"#,
        r#"{"event":"auth","token":"guess"}"#,
    ] {
        let mut client = Client::open(address).await;
        client.text(first).await;
        // Whatever is said about a token that is wrong, the connection ends.
        let mut seen = client.rest().await;
        seen.retain(|seen| !matches!(seen, Seen::Text(_)));
        ends.push(seen.remove(0));
    }

    let policy = |reason: &str| Seen::Close(1008, reason.to_owned());
    assert_eq!(
        ends,
        [
            policy("Authentication required"),
            policy("Authentication required"),
            policy("Authentication required"),
            policy("Authentication required"),
            policy("Authentication required"),
            policy("Invalid token"),
        ]
    );
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let builder = closed(|config| config.first_message_auth = true);
    let (_server, address) = serve(builder.auth_timeout(Duration::from_millis(50))).await;
    let mut client = Client::open(address).await;

    assert!(matches!(client.next().await, Seen::Close(4005, _)));
}

#[tokio::test]
async fn who_is_not_known_yet_hears_nothing() {
    let builder = closed(|config| config.first_message_auth = true);
    let (_server, address) = serve(builder).await;
    let mut stranger = Client::open(address).await;
    let mut rob = Client::open_as(address, "/?token=token-of-rob", &[]).await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    assert_eq!(rob.json().await["event"], "connection_info");

    ada.ask(json!({"zKey": "create_notes", "data": {"text": "mine"}}))
        .await;
    // Once a reader has heard of it, so would everybody else.
    assert_eq!(rob.json().await["op"], "create");
    stranger
        .text(r#"{"event":"auth","token":"token-of-rob"}"#)
        .await;

    assert_eq!(
        stranger.json().await["event"],
        Value::from("connection_info")
    );
}
