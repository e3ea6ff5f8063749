//! fastwebsockets: as its example has it, on a corked stream, and with frames that are encoded once for many receivers.

use std::io::IoSlice;

use anyhow::{Context, Result};
use bytes::{BufMut, Bytes, BytesMut};
use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::corked::Corked;
use super::{PUBLISH, Receivers};

/// Larger than any message of the benchmark.
const LIMIT: usize = 4 << 20;
/// Pieces that one write takes.
const PIECES: usize = 64;

type Answer = Result<Response<Empty<Bytes>>, fastwebsockets::WebSocketError>;

pub(super) async fn echo(listener: TcpListener, corked: bool) -> Result<()> {
    serve(listener, move |_, opened| async move {
        if corked {
            let io = tcp(opened).await?;
            answer(WebSocket::after_handshake(Corked::new(io), Role::Server)).await
        } else {
            answer(opened.await?).await
        }
    })
    .await
}

pub(super) async fn fan_out(listener: TcpListener, shared: bool) -> Result<()> {
    let receivers = Receivers::default();
    serve(listener, move |publishes, opened| {
        let receivers = receivers.clone();
        async move {
            if publishes {
                publish(opened.await?, &receivers, shared).await
            } else if shared {
                receive_shared(tcp(opened).await?, &receivers).await
            } else {
                receive(opened.await?, &receivers).await
            }
        }
    })
    .await
}

async fn serve<F, Fut>(listener: TcpListener, connected: F) -> Result<()>
where
    F: Fn(bool, UpgradeFut) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        let stream = super::accept(&listener).await?;
        let connected = connected.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let connected = connected.clone();
            async move {
                let (response, opened) = upgrade(&mut request)?;
                let publishes = request.uri().path() == PUBLISH;
                tokio::spawn(tokio::task::unconstrained(connected(publishes, opened)));
                Answer::Ok(response)
            }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.with_upgrades().await;
        });
    }
}

async fn answer<Io: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<Io>) -> Result<()> {
    socket.set_max_message_size(LIMIT);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            // The frame itself would go back with the client's mask, which a server must not use.
            OpCode::Text => socket.write_frame(Frame::text(frame.payload)).await?,
            OpCode::Binary => socket.write_frame(Frame::binary(frame.payload)).await?,
            _ => {}
        }
    }
}

/// The bare stream, past hyper: nobody pipelines behind the handshake here.
async fn tcp(opened: UpgradeFut) -> Result<TcpStream> {
    let upgraded: Upgraded = opened.await?.into_inner().into_inner();
    let parts = upgraded.downcast::<TokioIo<TcpStream>>();
    Ok(parts.ok().context("another stream")?.io.into_inner())
}

async fn publish(
    mut socket: WebSocket<TokioIo<Upgraded>>,
    receivers: &Receivers,
    shared: bool,
) -> Result<()> {
    loop {
        let frame = socket.read_frame().await?;
        if frame.opcode == OpCode::Close {
            return Ok(());
        }
        if shared {
            receivers.send(&encoded(&frame.payload));
        } else {
            receivers.send(&Bytes::copy_from_slice(&frame.payload));
        }
    }
}

fn encoded(payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 4);
    frame.put_u8(0x82);
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.put_u8(short),
        _ => {
            frame.put_u8(126);
            frame.put_u16(payload.len() as u16);
        }
    }
    frame.extend_from_slice(payload);
    frame.freeze()
}

async fn receive(mut socket: WebSocket<TokioIo<Upgraded>>, receivers: &Receivers) -> Result<()> {
    let mut messages = receivers.join();
    while let Some(message) = messages.recv().await {
        let payload = Payload::Borrowed(&message);
        socket.write_frame(Frame::binary(payload)).await?;
    }
    Ok(())
}

async fn receive_shared(mut stream: TcpStream, receivers: &Receivers) -> Result<()> {
    let mut messages = receivers.join();
    let mut frames = Vec::new();
    while messages.recv_many(&mut frames, PIECES).await > 0 {
        let mut slices: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let count = stream.write_vectored(rest).await?;
            IoSlice::advance_slices(&mut rest, count);
        }
        frames.clear();
    }
    Ok(())
}
