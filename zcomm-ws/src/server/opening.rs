//! How a stream becomes a connection: its first bytes, TLS, HTTP, the upgrade. Owns no tasks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, info};
use zcomm_core::Peer;

use super::accept::{Course, Served};
use super::admission::Ticket;
use super::arrival::{self, Arrival};
use super::connection::Opening;
use super::engine::Engine;
use super::rewind::Rewind;
use super::tls::Encrypted;
use super::upgrade::{Gate, Verdict, Visit};
use super::{CloseReason, Connection, Handler, refuse};

/// A connection behind its handshake, whatever it runs over.
pub(super) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Brings a stream through its handshake; nothing if no connection comes of it.
pub(super) async fn begin<H: Handler>(
    stream: TcpStream,
    peer: Peer,
    served: Arc<Served<H>>,
    mut course: watch::Receiver<Course>,
) -> Option<(Running, Ticket)> {
    // Both only make things better; a stream that is closed already says so at the first read.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream).set_keepalive(true);
    let config = &served.gate.config;
    let deadline = Instant::now() + config.handshake_timeout;
    let arrived = tokio::select! {
        arrived = timeout_at(deadline, arrive(stream, peer, &served)) => arrived,
        _ = course.changed() => return None,
    };
    let Ok(arrived) = arrived else {
        served.gate.probes.refused("handshake_timeout");
        debug!(%peer, reason = "handshake_timeout", "stream dropped");
        return None;
    };
    match arrived? {
        Arrived::Plain(arrival) => {
            let visit = Visit::new(arrival.peer, deadline);
            let opened = open(arrival.io, &visit, &served.gate, course).await?;
            settle(opened.map(Rewind::into_parts), &served).await
        }
        Arrived::Encrypted(io, peer) => {
            let visit = Visit::new(peer, deadline);
            let opened = open(*io, &visit, &served.gate, course).await?;
            settle(opened.map(|io| (io, Vec::new())), &served).await
        }
        Arrived::Mistaken(io, words) => {
            refuse::part(io, words, config.close_timeout).await;
            None
        }
    }
}

/// A stream on which HTTP can be spoken, or on which the wrong thing was.
enum Arrived {
    Plain(Arrival<TcpStream>),
    Encrypted(Box<Encrypted<Rewind<TcpStream>>>, Peer),
    Mistaken(Rewind<TcpStream>, &'static [u8]),
}

/// Reads how the stream begins, and shakes hands where TLS is spoken; nothing if the peer cannot.
async fn arrive<H>(stream: TcpStream, peer: Peer, served: &Served<H>) -> Option<Arrived> {
    let read = arrival::read(stream, peer, &served.gate.proxies).await;
    let arrival = read
        .inspect_err(|error| debug!(%peer, %error, "stream ended before its head"))
        .ok()?;
    let peer = arrival.peer;
    match (&served.tls, arrival.is_tls) {
        (None, false) => Some(Arrived::Plain(arrival)),
        (None, true) => {
            served.gate.probes.refused("tls_on_plain_port");
            info!(%peer, reason = "tls_on_plain_port", "stream refused");
            Some(Arrived::Mistaken(arrival.io, refuse::PLAIN_EXPECTED))
        }
        (Some(_), false) => {
            served.gate.probes.refused("plain_on_tls_port");
            info!(%peer, reason = "plain_on_tls_port", "stream refused");
            Some(Arrived::Mistaken(arrival.io, refuse::TLS_EXPECTED))
        }
        (Some(tls), true) => {
            let shaken = tls.accept(arrival.io).await;
            let io = shaken
                .inspect_err(|error| {
                    served.gate.probes.refused("tls_failed");
                    info!(%peer, %error, reason = "tls_failed", "stream refused");
                })
                .ok()?;
            Some(Arrived::Encrypted(Box::new(io), peer.over_tls()))
        }
    }
}

enum Opened<Io> {
    Accepted(Io, Vec<u8>, Opening, Ticket),
    Refused(Io, CloseReason),
}

impl<Io> Opened<Io> {
    /// Takes the stream out of something that may hold bytes of it still.
    fn map<To>(self, unwrap: impl FnOnce(Io) -> (To, Vec<u8>)) -> Opened<To> {
        match self {
            Self::Refused(io, reason) => Opened::Refused(unwrap(io).0, reason),
            Self::Accepted(io, mut early, opening, ticket) => {
                let (io, rest) = unwrap(io);
                early.extend(rest);
                Opened::Accepted(io, early, opening, ticket)
            }
        }
    }
}

/// Makes a connection of a stream, or sees it off.
async fn settle<Io, H>(opened: Opened<Io>, served: &Served<H>) -> Option<(Running, Ticket)>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let config = &served.gate.config;
    match opened {
        Opened::Refused(io, reason) => {
            refuse::close(io, &reason, config.close_timeout).await;
            None
        }
        Opened::Accepted(io, early, opening, ticket) => {
            let (hub, limits) = (served.hub.clone(), config.outbox_limits());
            let connection = Connection::new(opening, hub, limits);
            let (handler, config) = (Arc::clone(&served.handler), Arc::clone(config));
            let engine = Engine::new(io, early, handler, config, connection);
            Some((Box::pin(engine), ticket))
        }
    }
}

/// Answers HTTP on a stream until it is upgraded; nothing if it never is.
async fn open<Io>(
    stream: Io,
    visit: &Visit,
    gate: &Gate,
    mut course: watch::Receiver<Course>,
) -> Option<Opened<Io>>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| async move {
        Ok::<_, std::convert::Infallible>(gate.answer(request, visit).await)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(gate.config.handshake_timeout)
        .max_headers(gate.config.max_headers)
        .max_buf_size(gate.config.max_head_size.max(8192))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let mut overdue = std::pin::pin!(sleep_until(visit.deadline()));
    let served = loop {
        tokio::select! {
            served = serving.as_mut() => break served,
            // hyper counts from the head's first byte, the deadline from the stream's.
            () = overdue.as_mut(), if !visit.is_heard() => {
                // A request may have come since this wait began; the next turn waits without it.
                if !visit.is_heard() {
                    gate.probes.refused("handshake_timeout");
                    debug!(peer = %visit.peer(), reason = "handshake_timeout", "stream dropped");
                    return None;
                }
            }
            _ = course.changed() => {
                serving.as_mut().graceful_shutdown();
                break serving.await;
            }
        }
    };
    if let Err(error) = served {
        debug!(peer = %visit.peer(), %error, "stream ended in its head");
        return None;
    }
    match visit.take()? {
        Verdict::Accepted(upgrade, opening, ticket) => {
            let (io, early) = bare(upgrade).await?;
            Some(Opened::Accepted(io, early, opening, ticket))
        }
        Verdict::Refused(upgrade, reason) => {
            let (io, _) = bare(upgrade).await?;
            Some(Opened::Refused(io, reason))
        }
    }
}

/// The stream itself, out of the wrappings, and what was read of it behind the head.
async fn bare<Io>(upgrade: fastwebsockets::upgrade::UpgradeFut) -> Option<(Io, Vec<u8>)>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The answer has been sent, so this is ready.
    let upgraded = upgrade.await.ok()?.into_inner().into_inner();
    let parts = upgraded.downcast::<TokioIo<Io>>().ok()?;
    // Copied: a slice would keep all of hyper's buffer.
    Some((parts.io.into_inner(), parts.read_buf.to_vec()))
}
