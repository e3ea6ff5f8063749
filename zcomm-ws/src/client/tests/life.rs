//! What happens on one connection besides requests: pings, greetings, ends, slow readers.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_pinged_and_then_left() {
    let (_server, mut peer, client, _) = connected(builder()).await;
    let before = Instant::now();

    let (ping, close) = (peer.next().await, peer.next().await);
    let lost = until(&client, |state| !state.is_open()).await;

    assert_eq!((ping, close), (Seen::Ping, Seen::Close(4003)));
    assert!(
        (37..=42).contains(&before.elapsed().as_secs()),
        "{:?}",
        before.elapsed()
    );
    let State::Waiting { because, .. } = lost else {
        panic!("{lost:?}")
    };
    assert_closed(&because, 4003);
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_with_its_payload() {
    let (_server, mut peer, _client, _) = connected(builder()).await;

    let frame = FrameBuilder::new(Role::Server).ping("abc").unwrap().build();
    peer.stream.write_all(&frame).await.unwrap();

    assert_eq!(peer.next().await, Seen::Pong(b"abc".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_speak_first_is_not_open() {
    let (mut server, connecting) = start(builder());

    let (_peer, connected) = tokio::join!(server.accept(), connecting);

    let error = connected.unwrap_err();
    let expected = matches!(
        error,
        ClientError::OpenTimeout { phase: Phase::Handshake, limit, .. } if limit.as_secs() == 10
    );
    assert!(expected, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_greeting_is_open_at_once_where_that_is_said() {
    let (mut server, connecting) = start(builder().without_greeting());

    let (mut peer, connected) = tokio::join!(server.accept(), connecting);
    let (client, _) = connected.unwrap();
    let call = spawn_call(&client, "ping");
    peer.answer().await;

    assert_eq!(call.await.unwrap().unwrap(), "ping");
}

#[tokio::test(start_paused = true)]
async fn the_last_client_that_goes_says_goodbye() {
    let (_server, mut peer, client, events) = connected(builder()).await;

    drop(client.clone());
    drop(client);
    let quiet = tokio::time::timeout(Duration::from_secs(1), peer.next()).await;
    drop(events);

    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!(
        (peer.next().await, peer.next().await),
        (Seen::Close(1000), Seen::End)
    );
}

#[tokio::test(start_paused = true)]
async fn closing_rejects_what_waits_and_does_not_wait_for_a_deaf_server() {
    let (_server, mut peer, client, _) = connected(builder()).await;
    let call = spawn_call(&client, "ping");
    peer.json().await;
    let before = Instant::now();

    client.close().await;
    let after = client.call("ping", &json!({})).await.unwrap_err();

    assert_closed(&call.await.unwrap().unwrap_err(), 1000);
    assert_closed(&after, 1000);
    assert_eq!(before.elapsed().as_secs(), 2);
    assert_eq!(peer.next().await, Seen::Close(1000));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_told_how_much_it_missed() {
    let config = ClientConfig {
        events: 2,
        ..ClientConfig::default()
    };
    let (_server, mut peer, client, mut events) = connected(builder().config(config)).await;

    for number in 0..5 {
        peer.say(json!(number)).await;
    }
    let call = spawn_call(&client, "ping");
    peer.answer().await;
    call.await.unwrap().unwrap();
    let first = events.next().await.unwrap();
    let then = [events.next().await.unwrap(), events.next().await.unwrap()];

    // The greeting and three of the five.
    assert!(
        matches!(first, Err(ClientError::Lagged { missed: 4 })),
        "{first:?}"
    );
    assert_eq!(
        then.map(Result::unwrap),
        [Bytes::from("3"), Bytes::from("4")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_masked_frame_is_answered_with_1002_and_ends_the_client() {
    let (_server, mut peer, client, _) = connected(builder()).await;

    let frame = FrameBuilder::new(Role::Client).text("{}").unwrap().build();
    peer.stream.write_all(&frame).await.unwrap();
    let seen = (peer.next().await, peer.next().await);
    let state = until(&client, |state| !state.is_open()).await;

    assert_eq!(seen, (Seen::Close(1002), Seen::End));
    let State::Closed { because } = state else {
        panic!("{state:?}")
    };
    assert!(
        matches!(because, ClientError::Protocol { .. }),
        "{because:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_holds_up_nothing_but_its_own_requests() {
    let config = ClientConfig {
        queue: 1,
        ..ClientConfig::default()
    };
    let (_server, _peer, client, _) = connected(builder().config(config)).await;
    let large = json!({"text": "x".repeat(500_000)});

    let calls = (0..8).map(|_| client.call("store", &large));
    let errors = futures_util::future::join_all(calls).await;

    let named = |error: &ClientError| {
        matches!(
            error,
            ClientError::Timeout { .. } | ClientError::NotSent { .. } | ClientError::Closed { .. }
        )
    };
    for error in errors {
        let error = error.unwrap_err();
        assert!(named(&error), "{error:?}");
    }
}
