//! A client against a server of the tests' own, in memory and in paused time.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::Instant;
use zcomm_core::Phase;

use super::address::Address;
use super::dial::{Dial, Stream, Time};
use super::{Client, ClientBuilder, ClientConfig, ClientError, Events, State};
use crate::frame::{
    Decoder, Event, FrameBuilder, HandshakeRequest, HandshakeResponse, Limits, Role,
};

/// Dials into the test.
struct Wire(mpsc::Sender<DuplexStream>);

#[async_trait]
impl Dial for Wire {
    async fn dial(&self, _: &Address, _: &Time) -> Result<Box<dyn Stream>, ClientError> {
        let (near, far) = duplex(1 << 20);
        self.0.send(far).await.unwrap();
        Ok(Box::new(near))
    }
}

/// The server's end of the connections that a client opens.
struct Server(mpsc::Receiver<DuplexStream>);

struct Peer {
    stream: DuplexStream,
    request: HandshakeRequest,
    decoder: Decoder,
    seen: VecDeque<Seen>,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Json(Value),
    Ping,
    Pong(Vec<u8>),
    Close(u16),
    End,
}

impl Server {
    /// Takes the next connection and answers its handshake.
    async fn accept(&mut self) -> Peer {
        let mut stream = self.0.recv().await.unwrap();
        let mut head = Vec::new();
        let request = loop {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
            if let Some((request, _)) = HandshakeRequest::parse(&head).unwrap() {
                break request;
            }
        };
        let answer = HandshakeResponse::accept(&request).build();
        stream.write_all(&answer).await.unwrap();
        Peer {
            stream,
            request,
            decoder: Decoder::new(Role::Server, Limits::default()),
            seen: VecDeque::new(),
        }
    }

    async fn greet(&mut self) -> Peer {
        let mut peer = self.accept().await;
        peer.say(json!({"event": "connection_info", "data": {}}))
            .await;
        peer
    }
}

impl Peer {
    async fn say(&mut self, message: Value) {
        let mut builder = FrameBuilder::new(Role::Server);
        let frame = builder.text(&message.to_string()).unwrap().build();
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn close(&mut self, code: u16) {
        let mut builder = FrameBuilder::new(Role::Server);
        let frame = builder.close(code.into(), "so").unwrap().build();
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn next(&mut self) -> Seen {
        let mut input = vec![0; 64 << 10];
        while self.seen.is_empty() {
            let count = self.stream.read(&mut input).await.unwrap();
            if count == 0 {
                return Seen::End;
            }
            self.decode(&mut input[..count]);
        }
        self.seen.pop_front().unwrap()
    }

    fn decode(&mut self, input: &mut [u8]) {
        let mut at = 0;
        loop {
            let decoded = self.decoder.decode(&mut input[at..]).unwrap();
            at += decoded.consumed;
            let Some(event) = decoded.event else { return };
            self.seen.push_back(match event {
                Event::Message(message) => {
                    Seen::Json(serde_json::from_slice(message.as_bytes()).unwrap())
                }
                Event::Ping(_) => Seen::Ping,
                Event::Pong(payload) => Seen::Pong(payload.to_vec()),
                Event::Close(close) => Seen::Close(close.code.into()),
            });
        }
    }

    async fn json(&mut self) -> Value {
        match self.next().await {
            Seen::Json(message) => message,
            other => panic!("{other:?} is no message"),
        }
    }

    /// Answers the next request with its own event.
    async fn answer(&mut self) {
        let asked = self.json().await;
        self.say(json!({"result": asked["event"], "_requestId": asked["_requestId"]}))
            .await;
    }
}

fn builder() -> ClientBuilder {
    Client::builder("ws://test/ws")
}

fn start(
    builder: ClientBuilder,
) -> (
    Server,
    impl Future<Output = Result<(Client, Events), ClientError>>,
) {
    let (sender, receiver) = mpsc::channel(8);
    (Server(receiver), builder.connect_by(Box::new(Wire(sender))))
}

async fn connected(builder: ClientBuilder) -> (Server, Peer, Client, Events) {
    let (mut server, connecting) = start(builder);
    let (peer, connected) = tokio::join!(server.greet(), connecting);
    let (client, events) = connected.unwrap();
    (server, peer, client, events)
}

fn spawn_call(
    client: &Client,
    event: &'static str,
) -> tokio::task::JoinHandle<Result<Value, ClientError>> {
    let client = client.clone();
    tokio::spawn(async move { client.call(event, &json!({})).await })
}

#[track_caller]
fn assert_closed(error: &ClientError, expected: u16) {
    let ClientError::Closed { code, .. } = *error else {
        panic!("{error:?} is no close");
    };
    assert_eq!(u16::from(code), expected);
}

async fn until(client: &Client, is: impl FnMut(&State) -> bool) -> State {
    client.states().wait_for(is).await.unwrap().clone()
}

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
