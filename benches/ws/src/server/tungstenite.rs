//! tokio-tungstenite, sending each message by itself or feeding all that are there before one flush.

use anyhow::Result;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_async, accept_hdr_async};

use super::{PUBLISH, Receivers};

pub(super) async fn echo(listener: TcpListener, fed: bool) -> Result<()> {
    loop {
        let stream = super::accept(&listener).await?;
        tokio::spawn(async move {
            let socket = accept_async(stream).await?;
            if fed {
                answer_fed(socket).await
            } else {
                answer(socket).await
            }
        });
    }
}

async fn answer(mut socket: WebSocketStream<TcpStream>) -> Result<()> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_binary() || message.is_text() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

async fn answer_fed(mut socket: WebSocketStream<TcpStream>) -> Result<()> {
    while let Some(message) = socket.next().await {
        socket.feed(message?).await?;
        while let Some(Some(message)) = socket.next().now_or_never() {
            socket.feed(message?).await?;
        }
        socket.flush().await?;
    }
    Ok(())
}

pub(super) async fn fan_out(listener: TcpListener) -> Result<()> {
    let receivers = Receivers::default();
    loop {
        let stream = super::accept(&listener).await?;
        let receivers = receivers.clone();
        tokio::spawn(async move {
            let mut publishes = false;
            #[expect(
                clippy::result_large_err,
                reason = "tungstenite wants a whole response"
            )]
            let look = |request: &Request, response: Response| {
                publishes = request.uri().path() == PUBLISH;
                Result::<_, ErrorResponse>::Ok(response)
            };
            let socket = accept_hdr_async(stream, look).await?;
            if publishes {
                publish(socket, &receivers).await
            } else {
                receive(socket, &receivers).await
            }
        });
    }
}

async fn publish(mut socket: WebSocketStream<TcpStream>, receivers: &Receivers) -> Result<()> {
    while let Some(message) = socket.next().await {
        receivers.send(&message?.into_data());
    }
    Ok(())
}

async fn receive(mut socket: WebSocketStream<TcpStream>, receivers: &Receivers) -> Result<()> {
    let mut messages = receivers.join();
    while let Some(message) = messages.recv().await {
        socket.feed(Message::Binary(message)).await?;
        while let Ok(message) = messages.try_recv() {
            socket.feed(Message::Binary(message)).await?;
        }
        socket.flush().await?;
    }
    Ok(())
}
