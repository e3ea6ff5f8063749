//! Topics, broadcasts of the server's own, and the hooks at both ends of a connection.

use serde_json::{Value, json};
use tokio::sync::mpsc;
use zcomm_ws::bifrost::{Audience, BifrostBuilder, Topic, Who};
use zcomm_ws::server::CloseReason;

use super::identity::closed;
use super::{greeted, open, post, serve};
use crate::peer::{Client, Seen, within};

fn talkative() -> BifrostBuilder {
    open()
        .topic(Topic::new("chat").publish(Who::Everybody))
        .topic(Topic::new("news"))
        .topic(Topic::new("staff").join(Who::roles(["admin"])))
}

#[tokio::test]
async fn what_is_published_reaches_those_who_joined() {
    let (server, address) = serve(talkative()).await;
    let (mut one, hello) = greeted(address, "/").await;
    let (mut two, _) = greeted(address, "/").await;
    let (mut other, _) = greeted(address, "/?app_name=elsewhere").await;

    let joined = one
        .ask(json!({"event": "subscribe", "topic": "chat", "_requestId": 1}))
        .await;
    other
        .ask(json!({"event": "subscribe", "topic": "chat"}))
        .await;
    let count = two
        .ask(json!({"event": "publish", "topic": "chat", "data": {"text": "hi"}}))
        .await;
    let first = one.json().await;
    let by_http = post(
        address,
        "/publish",
        "application/json",
        r#"{"topic":"chat","data":2}"#,
    )
    .await;
    let second = one.json().await;
    let by_server = server.publish("chat", &json!("all"));
    let to_all = [one.json().await, other.json().await];
    let left = one
        .ask(json!({"event": "unsubscribe", "topic": "chat"}))
        .await;
    let nobody = two.ask(json!({"event": "publish", "topic": "chat"})).await;

    assert!(
        hello["data"]["features"]
            .as_array()
            .unwrap()
            .contains(&json!("topics"))
    );
    assert_eq!(
        joined,
        json!({"result": {"subscription": 1}, "_requestId": 1})
    );
    assert_eq!(count, json!({"result": 1}));
    assert_eq!(
        first,
        json!({"event": "message", "topic": "chat", "data": {"text": "hi"}, "seq": 1})
    );
    assert_eq!(by_http.1, json!({"result": 1}));
    assert_eq!((&second["data"], &second["seq"]), (&json!(2), &json!(2)));
    assert_eq!(by_server, Some(2));
    assert_eq!(
        (&to_all[0]["seq"], &to_all[1]["seq"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(left, json!({"result": {"subscription": 1}}));
    assert_eq!(nobody, json!({"result": 0}));
    assert_eq!(server.publish("undeclared", &Value::Null), None);
}

#[tokio::test]
async fn who_may_not_is_told_the_same_of_every_topic() {
    let (_server, address) = serve(talkative()).await;
    let (mut client, _) = greeted(address, "/").await;

    let mut told = Vec::new();
    for message in [
        json!({"event": "subscribe", "topic": "staff"}),
        json!({"event": "subscribe", "topic": "undeclared"}),
        json!({"event": "publish", "topic": "news", "data": 1}),
        json!({"event": "publish", "topic": "undeclared", "data": 1}),
    ] {
        let reply = client.ask(message).await;
        told.push((
            reply["code"].clone(),
            reply["error"].as_str().unwrap().to_owned(),
        ));
    }

    let forbidden = |text: &str| (json!("forbidden"), text.to_owned());
    assert_eq!(
        told,
        [
            forbidden("a guest may not join `staff`"),
            forbidden("a guest may not join `undeclared`"),
            forbidden("a guest may not publish on `news`"),
            forbidden("a guest may not publish on `undeclared`"),
        ]
    );
}

#[tokio::test]
async fn who_becomes_somebody_else_may_have_to_leave() {
    let builder = closed(|_| ()).topic(Topic::new("members").join(Who::roles(["member"])));
    let (server, address) = serve(builder).await;
    let (mut client, _) = greeted(address, "/?token=token-of-ada").await;
    client
        .ask(json!({"event": "subscribe", "topic": "members"}))
        .await;
    assert_eq!(server.publish("members", &json!(1)), Some(1));
    client.json().await;

    let told = client
        .ask(json!({"event": "auth", "token": "token-of-rob"}))
        .await;
    client.json().await;

    assert_eq!(told, json!({"event": "resync", "subscription": 1}));
    assert_eq!(server.publish("members", &json!(2)), Some(0));
}

#[tokio::test]
async fn a_broadcast_goes_to_those_it_is_for() {
    let (server, address) = serve(closed(|_| ())).await;
    let (mut ada, hello) = greeted(address, "/?token=token-of-ada").await;
    let (mut rob, _) = greeted(address, "/?token=token-of-rob&app_name=shop").await;
    let id = hello["data"]["session_id"].as_str().unwrap().to_owned();
    let of_ada = server.hub().connections().into_iter();
    let of_ada = of_ada.map(|one| one.id()).find(|one| one.to_string() == id);
    let object = json!({"type": "update", "data": {"n": 1}});
    let send = |exclude, to: &Audience| server.broadcast(&object, exclude, to).unwrap();

    let counts = [
        send(None, &Audience::All),
        send(of_ada, &Audience::All),
        send(None, &Audience::user("ada")),
        send(None, &Audience::role("reader")),
        send(None, &Audience::user("nobody")),
    ];
    let heard = [ada.json().await, ada.json().await, rob.json().await];
    let refused: Vec<&str> = [
        json!({"result": 1}),
        json!({"error": ""}),
        json!({"_requestId": 0}),
        json!([]),
    ]
    .iter()
    .map(|object| {
        server
            .broadcast(object, None, &Audience::All)
            .unwrap_err()
            .code()
    })
    .collect();

    assert_eq!(counts, [2, 1, 1, 1, 0]);
    assert_eq!(heard, [object.clone(), object.clone(), object.clone()]);
    assert_eq!(refused, ["not_for_all"; 4]);
}

#[tokio::test]
async fn the_application_sees_clients_come_and_go() {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let leaving = sender.clone();
    let builder = open()
        .on_connect(move |client| {
            if client.path() == "/closed" {
                return Err(CloseReason::policy("not here"));
            }
            sender.send(format!("{} came", client.identity())).unwrap();
            Ok(())
        })
        .on_disconnect(move |connection, ended| {
            leaving
                .send(format!("{} left: {ended}", connection.identity()))
                .unwrap();
        });
    let (_server, address) = serve(builder).await;

    let (client, _) = greeted(address, "/").await;
    let came = within(seen.recv()).await.unwrap();
    drop(client);
    let left = within(seen.recv()).await.unwrap();
    let mut refused = Client::open_as(address, "/closed", &[]).await;

    assert_eq!(
        (came.as_str(), left.as_str()),
        ("a guest came", "a guest left: 1006")
    );
    assert_eq!(
        refused.next().await,
        Seen::Close(1008, "not here".to_owned())
    );
}
