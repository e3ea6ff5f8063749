//! How a client comes back, after which ends, and when.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_comes_back_after_some_ends_and_not_after_others() {
    for (code, returns) in [
        (1000, false),
        (1001, true),
        (1002, false),
        (1003, false),
        (1007, false),
        (1008, false),
        (1009, false),
        (1011, true),
        (1012, true),
        (1013, true),
        (3000, false),
        (4000, true),
        (4002, true),
        (4499, true),
        (4500, false),
    ] {
        let (mut server, mut peer, client, _) = connected(builder()).await;

        peer.close(code).await;
        let echoed = peer.next().await;
        drop(peer);
        let state = until(&client, |state| !state.is_open()).await;

        assert_eq!(echoed, Seen::Close(code));
        assert_eq!(
            matches!(state, State::Waiting { .. }),
            returns,
            "{code}: {state:?}"
        );
        if returns {
            let _peer = server.greet().await;
            until(&client, State::is_open).await;
        } else {
            let error = client.call("ping", &json!({})).await.unwrap_err();
            assert_closed(&error, code);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_grow_until_a_connection_was_stable() {
    let (mut server, mut peer, client, _) = connected(builder()).await;

    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        drop(peer);
        let lost = until(&client, |state| matches!(state, State::Waiting { .. })).await;
        let State::Waiting { delay, .. } = lost else {
            unreachable!()
        };
        longest = longest.max(delay);
        peer = server.greet().await;
        until(&client, State::is_open).await;
    }
    let keeping = async {
        loop {
            peer.next().await;
            peer.say(json!({"event": "alive"})).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(61), keeping).await;
    drop(peer);
    let lost = until(&client, |state| matches!(state, State::Waiting { .. })).await;

    // Of fourteen waits drawn from twenty seconds, all are below two once in 10^14 runs.
    assert!(
        longest > Duration::from_secs(2) && longest <= Duration::from_secs(20),
        "{longest:?}"
    );
    let State::Waiting { delay, .. } = lost else {
        unreachable!()
    };
    assert!(delay <= Duration::from_millis(500), "{delay:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_is_left_alone_as_long_as_it_asks_within_bounds() {
    for (asked, least, most) in [
        (json!(3000), 3000, 3500),
        (json!(u64::MAX), 20_000, 20_000),
        (json!(-1), 0, 500),
        (json!("later"), 0, 500),
    ] {
        let (_server, mut peer, client, _) = connected(builder()).await;

        peer.say(json!({"event": "server_shutdown", "retry_after_ms": asked}))
            .await;
        peer.close(1001).await;
        drop(peer);
        let lost = until(&client, |state| matches!(state, State::Waiting { .. })).await;

        let State::Waiting { delay, .. } = lost else {
            unreachable!()
        };
        assert!(
            (least..=most).contains(&delay.as_millis()),
            "{asked}: {delay:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_needs_another_one() {
    let (mut server, mut peer, client, _) = connected(builder().token("old")).await;

    peer.close(4001).await;
    drop(peer);
    until(&client, |state| matches!(state, State::TokenExpired)).await;
    client.set_token("old");
    let nothing = tokio::time::timeout(Duration::from_secs(60), server.0.recv()).await;
    client.set_token("new");
    let peer = server.greet().await;

    assert!(nothing.is_err());
    assert_eq!(peer.request.headers()["authorization"], "Bearer new");
}
