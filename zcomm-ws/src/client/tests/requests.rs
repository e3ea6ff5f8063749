//! Requests and their replies: in any order, in time, or not at all.

use super::*;

#[tokio::test(start_paused = true)]
async fn replies_find_their_requests_in_any_order() {
    let (_server, mut peer, client, _) = connected(builder()).await;

    let (one, two) = (spawn_call(&client, "one"), spawn_call(&client, "two"));
    let asked = [peer.json().await, peer.json().await];
    for asked in asked.iter().rev() {
        peer.say(json!({"result": asked["event"], "_requestId": asked["_requestId"]}))
            .await;
    }

    assert_eq!(one.await.unwrap().unwrap(), "one");
    assert_eq!(two.await.unwrap().unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn strange_and_doubled_replies_reach_nobody() {
    let (_server, mut peer, client, mut events) = connected(builder()).await;
    events.next().await.unwrap().unwrap();

    let first = spawn_call(&client, "first");
    let id = peer.json().await["_requestId"].clone();
    for strange in [json!(99), json!("1"), json!(-1), json!({}), json!(1.5)] {
        peer.say(json!({"result": "wrong", "_requestId": strange}))
            .await;
    }
    peer.say(json!({"result": "right", "_requestId": id})).await;
    peer.say(json!({"result": "again", "_requestId": id})).await;
    let second = spawn_call(&client, "second");
    peer.answer().await;
    peer.say(json!({"event": "last"})).await;

    assert_eq!(first.await.unwrap().unwrap(), "right");
    assert_eq!(second.await.unwrap().unwrap(), "second");
    // None of it was taken for something unasked, either.
    assert_eq!(events.next().await.unwrap().unwrap(), r#"{"event":"last"}"#);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_its_reply_no_longer_than_it_may() {
    let (_server, mut peer, client, _) = connected(builder()).await;
    let before = Instant::now();

    let error = client
        .with_timeout(Duration::from_secs(3))
        .call("slow", &json!({}))
        .await
        .unwrap_err();
    let late = peer.json().await["_requestId"].clone();
    peer.say(json!({"result": "late", "_requestId": late}))
        .await;
    let next = spawn_call(&client, "next");
    peer.answer().await;

    assert!(
        matches!(&error, ClientError::Timeout { event, .. } if event == "slow"),
        "{error:?}"
    );
    assert_eq!(before.elapsed().as_secs(), 3);
    assert_eq!(next.await.unwrap().unwrap(), "next");
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_allowed() {
    let config = ClientConfig {
        max_in_flight: 2,
        ..ClientConfig::default()
    };
    let (_server, mut peer, client, _) = connected(builder().config(config)).await;

    let calls: Vec<_> = ["a", "b", "c"]
        .map(|event| spawn_call(&client, event))
        .into();
    let (a, _b) = (peer.json().await, peer.json().await);
    let nothing = tokio::time::timeout(Duration::from_secs(1), peer.next()).await;
    peer.say(json!({"result": 1, "_requestId": a["_requestId"]}))
        .await;
    let third = peer.json().await;

    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(third["event"], "c");
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_fails_with_its_connection_and_what_was_not_waits_for_the_next() {
    let (mut server, mut peer, client, _) = connected(builder()).await;
    let sent = spawn_call(&client, "sent");
    peer.json().await;

    drop(peer);
    let error = sent.await.unwrap().unwrap_err();
    let lost = until(&client, |state| matches!(state, State::Waiting { .. })).await;
    let queued = spawn_call(&client, "queued");
    let before = Instant::now();
    let mut peer = server.greet().await;
    peer.answer().await;

    assert_closed(&error, 1006);
    let State::Waiting { delay, .. } = lost else {
        unreachable!()
    };
    assert!(delay <= Duration::from_millis(500), "{delay:?}");
    assert!(before.elapsed() <= Duration::from_millis(501));
    assert_eq!(queued.await.unwrap().unwrap(), "queued");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_found_no_connection_in_time_was_not_sent() {
    let (server, peer, client, _) = connected(builder()).await;
    drop(peer);
    let _refusing = server;
    until(&client, |state| !state.is_open()).await;

    let error = client.call("ping", &json!({})).await.unwrap_err();

    assert!(matches!(error, ClientError::NotSent { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_before_it_is_queued() {
    let (_server, _peer, client, _) = connected(builder()).await;

    let too_large = client
        .call("x", &json!({"a": "x".repeat(1 << 20)}))
        .await
        .unwrap_err();
    let no_object = client.call("x", &json!([1])).await.unwrap_err();
    let other = client.call("x", &json!({"event": "y"})).await.unwrap_err();

    assert!(
        matches!(
            too_large,
            ClientError::TooLarge {
                limit: 1_048_576,
                ..
            }
        ),
        "{too_large:?}"
    );
    assert!(
        matches!(no_object, ClientError::Arguments { .. }),
        "{no_object:?}"
    );
    assert!(matches!(other, ClientError::OtherEvent { .. }), "{other:?}");
}

#[test]
fn a_token_that_no_header_can_hold_is_refused_without_being_shown() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (_server, connecting) = start(builder().token("s3cr3t\r\nX: y"));

    let error = runtime.block_on(connecting).unwrap_err();

    assert_eq!(error.code(), "handshake_unsendable");
    assert!(!format!("{error:?}").contains("s3cr3t"));
    assert!(!format!("{:?}", builder().token("s3cr3t")).contains("s3cr3t"));
}
