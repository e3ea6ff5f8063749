//! Subscriptions to rows: snapshots without a gap, `enter`, `change`, `leave`, `resync`, and what each receiver may see.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use zcomm_core::Identity;
use zcomm_core::data::{
    Access, Change, ChangeKind, Notice, Requester, Row, Store, Value as Cell, Write,
};
use zcomm_ws::bifrost::Bifrost;

use super::identity::closed;
use super::{greeted, open, serve};
use crate::peer::Client;

impl Client {
    /// What the next change says, without what every one says.
    async fn change(&mut self) -> (u64, String, Value, Value) {
        let message = self.json().await;
        assert_eq!(message["event"], "change", "{message}");
        assert_eq!(message.get("result"), None);
        let seq = message["seq"].as_u64().unwrap();
        let op = message["op"].as_str().unwrap().to_owned();
        (
            seq,
            op,
            message["id"].clone(),
            message["row"]["text"].clone(),
        )
    }
}

#[tokio::test]
async fn rows_enter_change_and_leave() {
    let (_server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;
    let (mut writer, _) = greeted(address, "/").await;
    writer
        .ask(json!({"zKey": "create_notes", "data": {"text": "a1"}}))
        .await;
    client.json().await;

    let subscribed = client
        .ask(json!({"event": "subscribe", "model": "notes", "where": {"text__startswith": "a"}, "snapshot": true, "_requestId": 1}))
        .await;
    for message in [
        json!({"zKey": "create_notes", "data": {"text": "a2"}}),
        json!({"zKey": "create_notes", "data": {"text": "b"}}),
        json!({"zKey": "^Update notes", "where": 2, "data": {"text": "a3"}}),
        json!({"zKey": "^Update notes", "where": 3, "data": {"text": "a4"}}),
        json!({"zKey": "^Update notes", "where": 1, "data": {"text": "c"}}),
        json!({"zKey": "^Update notes", "where": 1, "data": {"text": "d"}}),
        json!({"zKey": "^Delete notes", "where": 2}),
    ] {
        assert_eq!(writer.ask(message).await.get("error"), None);
    }
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(client.change().await);
    }
    let nothing_more = client.ask(json!({"event": "ping"})).await;

    let row = json!({"id": 1, "text": "a1", "owner_id": null});
    assert_eq!(
        subscribed,
        json!({"result": {"subscription": 1, "seq": 0, "rows": [row]}, "_requestId": 1})
    );
    let expected = [
        (1, "enter", 2, json!("a2")),
        (2, "change", 2, json!("a3")),
        (3, "enter", 3, json!("a4")),
        (4, "leave", 1, Value::Null),
        (5, "leave", 2, Value::Null),
    ];
    let expected = expected.map(|(seq, op, id, text)| (seq, op.to_owned(), json!(id), text));
    assert_eq!(heard, expected);
    assert_eq!(nothing_more, json!({"result": "pong"}));
}

#[tokio::test]
async fn a_change_carries_what_its_receiver_may_read_and_nothing_else() {
    let (_server, address) = serve(closed(|_| ())).await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    let (mut eve, _) = greeted(address, "/?token=token-of-eve").await;
    let (mut rob, _) = greeted(address, "/?token=token-of-rob").await;
    let subscribe =
        json!({"event": "subscribe", "model": "notes", "fields": ["id"], "_requestId": 1});
    let hidden = json!({"event": "subscribe", "model": "notes", "where": {"text": "x"}});

    let mut ids = Vec::new();
    for client in [&mut ada, &mut eve, &mut rob] {
        ids.push(client.ask(subscribe.clone()).await);
    }
    let refused = rob.ask(hidden).await;
    ada.text(&json!({"zKey": "create_notes", "data": {"text": "mine"}}).to_string())
        .await;
    let to_rob = rob.json().await;
    let to_ada = [ada.json().await, ada.json().await];
    let to_eve = eve.ask(json!({"event": "ping"})).await;

    assert_eq!(
        ids,
        vec![json!({"result": {"subscription": 1}, "_requestId": 1}); 3]
    );
    assert_eq!(refused["code"], "forbidden");
    let change = json!({"event": "change", "subscription": 1, "seq": 1, "model": "notes", "op": "enter", "id": 1, "row": {"id": 1}});
    assert_eq!(to_rob, change);
    assert!(to_ada.contains(&change), "{to_ada:?}");
    assert_eq!(to_eve, json!({"result": "pong"}));
}

#[tokio::test]
async fn who_subscribed_is_told_of_nothing_else() {
    let (_server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;
    let (mut writer, _) = greeted(address, "/").await;

    let first = client
        .ask(json!({"event": "subscribe", "model": "notes", "where": 7}))
        .await;
    let again = client
        .ask(json!({"event": "subscribe", "model": "notes", "where": 7}))
        .await;
    writer
        .ask(json!({"zKey": "create_notes", "data": {"text": "a"}}))
        .await;
    let ended = client
        .ask(json!({"event": "unsubscribe", "model": "notes", "where": 7}))
        .await;
    let none = client
        .ask(json!({"event": "unsubscribe", "subscription": 1}))
        .await;
    writer
        .ask(json!({"zKey": "create_notes", "data": {"id": 7, "text": "b"}}))
        .await;
    let nothing = client.ask(json!({"event": "ping"})).await;

    // What is followed already keeps its number.
    assert_eq!((&first, &ended), (&again, &first));
    assert_eq!(none["code"], "not_found");
    assert_eq!(nothing, json!({"result": "pong"}));
}

#[tokio::test]
async fn what_a_subscription_cannot_be_is_refused() {
    let (_server, address) = serve(open().max_subscriptions(1)).await;
    let (mut client, _) = greeted(address, "/").await;

    let mut codes = Vec::new();
    for message in [
        json!({"event": "subscribe"}),
        json!({"event": "subscribe", "model": "planets"}),
        json!({"event": "subscribe", "model": "notes", "limit": 5}),
        json!({"event": "subscribe", "model": "notes", "snapshot": "yes"}),
        json!({"event": "subscribe", "model": "notes", "where": {"age": 1}}),
        json!({"event": "subscribe", "model": "notes", "topic": "x"}),
        json!({"event": "subscribe", "model": "notes"}),
        json!({"event": "subscribe", "model": "notes", "where": 1}),
    ] {
        codes.push(client.ask(message).await["code"].clone());
    }

    assert_eq!(
        codes,
        [
            json!("bad_request"),
            json!("unknown_model"),
            json!("bad_value"),
            json!("bad_value"),
            json!("unknown_field"),
            json!("bad_request"),
            Value::Null,
            json!("too_many_requests"),
        ]
    );
}

#[tokio::test]
async fn what_nobody_can_tell_is_a_resync() {
    let (server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;
    client
        .ask(json!({"event": "subscribe", "model": "notes", "where": {"text": "a"}}))
        .await;
    client
        .ask(json!({"event": "subscribe", "model": "notes"}))
        .await;
    let model = server.app().schema().model("notes").unwrap().clone();
    let store = server.app().store();
    let foreign = |kind, after: Option<Row>| {
        let change = Change::new(Arc::clone(&model), kind, Cell::Int(9), after);
        store.announce(Notice::Changed(Arc::new(change)));
    };

    let full = json!({"id": 9, "text": "a", "owner_id": null});
    let full: Row = full.as_object().unwrap().clone();
    foreign(ChangeKind::Create, Some(full.clone()));
    let created = [client.json().await, client.json().await];
    foreign(ChangeKind::Update, Some(full));
    let updated = [client.json().await, client.json().await];
    store.announce(Notice::Resync(Some(model)));
    let lost = [client.json().await, client.json().await];

    assert!(
        created.iter().all(|message| message["op"] == "enter"),
        "{created:?}"
    );
    // To whom every row belongs it is a change; whether it was among the others nobody knows.
    let of = |messages: &[Value], id: u64| {
        let mut found = messages
            .iter()
            .filter(|message| message["subscription"] == id);
        found.next().unwrap().clone()
    };
    assert_eq!(
        of(&updated, 1),
        json!({"event": "resync", "subscription": 1})
    );
    assert_eq!(of(&updated, 2)["op"], "change");
    assert_eq!(of(&lost, 1), json!({"event": "resync", "subscription": 1}));
    assert_eq!(of(&lost, 2), json!({"event": "resync", "subscription": 2}));
}

#[tokio::test]
async fn beyond_a_thousand_rows_there_is_one_word() {
    let (_server, address) = serve(open()).await;
    let (mut client, _) = greeted(address, "/").await;
    let (mut writer, _) = greeted(address, "/").await;
    client
        .ask(json!({"event": "subscribe", "model": "notes"}))
        .await;
    let rows: Vec<Value> = (0..1001)
        .map(|number| json!({"text": number.to_string()}))
        .collect();

    writer
        .ask(json!({"zKey": "create_notes", "data": rows}))
        .await;
    let told = client.json().await;
    let snapshot = client
        .ask(json!({"event": "subscribe", "model": "notes", "snapshot": true}))
        .await;

    assert_eq!(told, json!({"event": "resync", "subscription": 1}));
    assert_eq!(snapshot["result"]["subscription"], 1);
    assert_eq!(snapshot["result"]["rows"].as_array().unwrap().len(), 1000);
    assert_eq!(snapshot["_more"], true);
}

#[tokio::test]
async fn who_becomes_somebody_else_starts_anew() {
    let (_server, address) = serve(closed(|_| ())).await;
    let (mut client, _) = greeted(address, "/?token=token-of-ada").await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    client
        .ask(json!({"event": "subscribe", "model": "notes"}))
        .await;
    client
        .ask(json!({"event": "subscribe", "model": "notes", "where": {"text": "x"}}))
        .await;

    // Rob may neither see others' rows nor ask by their text: the one goes on with less, the other ends.
    client
        .text(r#"{"event":"auth","token":"token-of-rob"}"#)
        .await;
    let told = [client.json().await, client.json().await];
    let reply = client.json().await;
    ada.ask(json!({"zKey": "create_notes", "data": {"text": "x"}}))
        .await;
    let change = client.json().await;
    let nothing_more = client.ask(json!({"event": "ping"})).await;

    for id in [1, 2] {
        assert!(
            told.contains(&json!({"event": "resync", "subscription": id})),
            "{told:?}"
        );
    }
    assert_eq!(reply["result"]["user"], "rob");
    assert_eq!(
        (&change["subscription"], &change["row"]),
        (&json!(1), &json!({"id": 1}))
    );
    assert_eq!(nothing_more, json!({"result": "pong"}));
}

/// Writes as the program itself.
async fn write(server: &Bifrost, operation: zcomm_core::Operation, arguments: Value) {
    let model = server.app().schema().model("notes").unwrap();
    let who = Identity::user("program");
    let write = Write::parse(model, operation, arguments.as_object().unwrap()).unwrap();
    let write = Access::unrestricted()
        .write(write, &Requester::new(&who))
        .unwrap();
    server.app().store().write(&[write]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_a_snapshot_and_its_first_change_nothing_is_lost() {
    use zcomm_core::Operation::{Create, Delete, Update};
    const ROWS: u64 = 200;
    let (server, address) = serve(open()).await;
    let server = Arc::new(server);
    let writing = tokio::spawn({
        let server = Arc::clone(&server);
        async move {
            for id in 1..=ROWS {
                write(&server, Create, json!({"data": {"text": "a"}})).await;
                let text = if id % 2 == 0 { "b" } else { "a2" };
                write(
                    &server,
                    Update,
                    json!({"where": id, "data": {"text": text}}),
                )
                .await;
                if id % 5 == 0 {
                    write(&server, Delete, json!({"where": id})).await;
                }
                tokio::task::yield_now().await;
            }
            // The last change that everybody hears.
            write(&server, Create, json!({"data": {"text": "a-end"}})).await;
        }
    });

    let mut states = Vec::new();
    for _ in 0..10 {
        let (mut client, _) = greeted(address, "/").await;
        let subscribe = json!({"event": "subscribe", "model": "notes", "where": {"text__startswith": "a"}, "snapshot": true, "_requestId": 1});
        client.text(&subscribe.to_string()).await;
        let reply = loop {
            let message = client.json().await;
            // Until it subscribed, it was told of everything, as the older clients expect; none of that is its own.
            if message.get("_requestId").is_some() {
                break message;
            }
            assert_eq!(message.get("subscription"), None, "{message}");
        };
        states.push(tokio::spawn(follow(client, reply)));
    }
    writing.await.unwrap();
    let mut ends = Vec::new();
    for state in states {
        ends.push(state.await.unwrap());
    }

    let expected: BTreeMap<u64, String> = (1..=ROWS)
        .filter(|id| id % 2 == 1 && id % 5 != 0)
        .map(|id| (id, "a2".to_owned()))
        .chain([(ROWS + 1, "a-end".to_owned())])
        .collect();
    for end in ends {
        assert_eq!(end, expected);
    }
}

/// Keeps rows as a page would, until the last one is there.
async fn follow(mut client: Client, reply: Value) -> BTreeMap<u64, String> {
    let cell = |row: &Value| {
        let text = row["text"].as_str().unwrap().to_owned();
        (row["id"].as_u64().unwrap(), text)
    };
    let rows = reply["result"]["rows"].as_array().unwrap();
    let mut rows: BTreeMap<u64, String> = rows.iter().map(cell).collect();
    let mut seq = reply["result"]["seq"].as_u64().unwrap();
    while !rows.values().any(|text| text == "a-end") {
        let message = client.json().await;
        assert_eq!(message["event"], "change", "{message}");
        seq += 1;
        assert_eq!(message["seq"], seq);
        let id = message["id"].as_u64().unwrap();
        let before = rows.remove(&id);
        match message["op"].as_str().unwrap() {
            "enter" => assert_eq!(before, None, "{message}"),
            "change" | "leave" => assert!(before.is_some(), "{message}"),
            other => panic!("{other}"),
        }
        if message["op"] != "leave" {
            rows.extend([cell(&message["row"])]);
        }
    }
    rows
}
