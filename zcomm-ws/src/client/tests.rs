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

mod life;
mod requests;
mod returning;

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
