//! A client for tests: sends any bytes, and says what came back. Every wait has a deadline.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zcomm_ws::frame::{CloseCode, Decoder, Event, FrameBuilder, Limits, MessageRef, Role};

/// What arrived from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping,
    Pong(Vec<u8>),
    Close(u16, String),
    /// The end of the stream.
    End,
}

pub(crate) struct Client<Io = TcpStream> {
    pub(crate) stream: Io,
    /// The head of the server's answer.
    pub(crate) head: String,
    decoder: Decoder,
    seen: VecDeque<Seen>,
}

/// Waits, but not for ever.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("done in time")
}

/// The head of an upgrade.
pub(crate) fn upgrade(target: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!(
        "GET {target} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head.push_str("Host: localhost\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    FrameBuilder::new(Role::Client)
        .text(text)
        .expect("a text can be sent")
        .build()
}

impl Client {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::open_as(address, "/", &[]).await
    }

    pub(crate) async fn open_as(
        address: SocketAddr,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        let client = Self::say(address, upgrade(target, headers).as_bytes()).await;
        assert!(client.head.starts_with("HTTP/1.1 101"), "{}", client.head);
        client
    }

    /// Opens a stream, sends these bytes and reads one head.
    pub(crate) async fn say(address: SocketAddr, bytes: &[u8]) -> Self {
        let stream = within(TcpStream::connect(address))
            .await
            .expect("the server accepts");
        Self::say_over(stream, bytes).await
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Client<Io> {
    /// The same on a stream that is open already.
    pub(crate) async fn say_over(mut stream: Io, bytes: &[u8]) -> Self {
        within(stream.write_all(bytes))
            .await
            .expect("the server reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match within(stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        Self {
            stream,
            head: String::from_utf8(head).expect("a head is text"),
            decoder: Decoder::new(Role::Client, Limits::default().message_size(64 << 20)),
            seen: VecDeque::new(),
        }
    }

    /// Reads what comes from here on with this decoder: one that inflates.
    pub(crate) fn decode_with(&mut self, decoder: Decoder) {
        self.decoder = decoder;
    }

    pub(crate) fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("none")
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes))
            .await
            .expect("the server reads");
    }

    pub(crate) async fn text(&mut self, message: &str) {
        self.send(&text(message)).await;
    }

    pub(crate) async fn close(&mut self, code: CloseCode, reason: &str) {
        let mut builder = FrameBuilder::new(Role::Client);
        let frame = builder
            .close(code, reason)
            .expect("the code can be sent")
            .build();
        self.send(&frame).await;
    }

    pub(crate) async fn next(&mut self) -> Seen {
        let mut buffer = vec![0; 64 * 1024];
        while self.seen.is_empty() {
            let count = within(self.stream.read(&mut buffer)).await.unwrap_or(0);
            if count == 0 {
                return Seen::End;
            }
            self.decode(&mut buffer[..count]);
        }
        self.seen.pop_front().expect("it is not empty")
    }

    fn decode(&mut self, input: &mut [u8]) {
        let mut at = 0;
        loop {
            let decoded = self
                .decoder
                .decode(&mut input[at..])
                .expect("the server keeps the protocol");
            at += decoded.consumed;
            let Some(event) = decoded.event else { return };
            self.seen.push_back(match event {
                Event::Message(MessageRef::Text(text)) => Seen::Text(text.to_owned()),
                Event::Message(MessageRef::Binary(bytes)) => Seen::Binary(bytes.to_vec()),
                Event::Ping(_) => Seen::Ping,
                Event::Pong(payload) => Seen::Pong(payload.to_vec()),
                Event::Close(close) => Seen::Close(close.code.into(), close.reason.to_owned()),
            });
        }
    }

    /// Every byte behind the head, up to the end of the stream.
    pub(crate) async fn remaining(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        within(self.stream.read_to_end(&mut all))
            .await
            .expect("the server ends the stream");
        all
    }

    /// The next text, whatever else comes before it.
    pub(crate) async fn next_text(&mut self) -> String {
        match self.next().await {
            Seen::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<Seen> {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Seen::End => return all,
                seen => all.push(seen),
            }
        }
    }
}
