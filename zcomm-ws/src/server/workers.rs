//! A server on several threads, each with a runtime and a listener of its own. What a connection is stays the same.

use std::io;
use std::net::{SocketAddr, TcpListener as Listener};
use std::num::NonZeroU16;
use std::sync::Arc;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::warn;

use super::accept::{Course, Served, ServerHandle, Share, accept_all, drain, handle};
use super::builder::bind_error;
use super::{Drained, Handler};
use crate::error::Error;

/// Connections that may wait to be accepted by one worker.
const BACKLOG: i32 = 1024;

pub(super) fn start<H: Handler>(
    address: SocketAddr,
    served: Served<H>,
    workers: NonZeroU16,
) -> Result<ServerHandle, Error> {
    let mut equipped = Vec::new();
    for _ in 0..workers.get() {
        // All listen before the first accepts: whoever connects finds its worker there.
        let listener = listen(address).map_err(|source| bind_error(address, source))?;
        equipped.push((listener, runtime()?));
    }
    let hub = served.hub.clone();
    let served = Arc::new(served);
    let (alive, is_alive) = watch::channel(());
    let (ended, all_ended) = mpsc::channel(1);
    let (course, follow) = watch::channel(Course::Serve);
    for (number, (listener, runtime)) in equipped.into_iter().enumerate() {
        let worker = Worker {
            listener,
            served: Arc::clone(&served),
            course: follow.clone(),
            is_alive: is_alive.clone(),
            share: Share {
                leads: number == 0,
                of: workers.get().into(),
            },
            _ended: ended.clone(),
        };
        let thread = std::thread::Builder::new().name(format!("zcomm-worker-{number}"));
        let spawned = thread.spawn(move || runtime.block_on(worker.run()));
        spawned.map_err(|source| Error::Runtime { source })?;
    }
    let crew = Crew {
        alive,
        all_ended,
        course,
    };
    Ok(handle(address, hub, |course| {
        tokio::spawn(crew.lead(served, course))
    }))
}

/// What the workers live on. With it they end: at once, with all connections that are left.
struct Crew {
    alive: watch::Sender<()>,
    /// Ends with the last worker.
    all_ended: mpsc::Receiver<()>,
    course: watch::Sender<Course>,
}

impl Crew {
    async fn lead<H: Handler>(
        mut self,
        served: Arc<Served<H>>,
        mut course: watch::Receiver<Course>,
    ) -> Drained {
        let _ = course.changed().await;
        // From here on nobody accepts any more.
        self.course.send_replace(Course::Drain);
        let ended = async {
            let _ = self.all_ended.recv().await;
        };
        let drained = drain(&served, &mut course, ended).await;
        drop(self.alive);
        let _ = self.all_ended.recv().await;
        drained
    }
}

/// One thread's part of the server.
struct Worker<H> {
    listener: Listener,
    served: Arc<Served<H>>,
    course: watch::Receiver<Course>,
    is_alive: watch::Receiver<()>,
    share: Share,
    /// Closed when the worker is gone.
    _ended: mpsc::Sender<()>,
}

impl<H: Handler> Worker<H> {
    async fn run(self) {
        let Self {
            listener,
            served,
            mut course,
            mut is_alive,
            share,
            _ended,
        } = self;
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                warn!(%error, "a worker cannot listen");
                return;
            }
        };
        let mut tasks = JoinSet::new();
        let work = async {
            accept_all(&listener, &served, &mut course, &mut tasks, share).await;
            drop(listener);
            while tasks.join_next().await.is_some() {}
        };
        tokio::select! {
            () = work => {}
            _ = is_alive.changed() => {}
        }
        tasks.shutdown().await;
    }
}

/// A listener that shares its address with the other workers'.
fn listen(address: SocketAddr) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Error::Runtime { source })
}
