//! The life of a running server: accepts, owns every connection's task, and drains them at the end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until, timeout};
use tracing::{debug, info, warn};
use zcomm_core::Peer;

use super::opening::begin;
use super::tls::Tls;
use super::upgrade::Gate;
use super::{CloseReason, Handler, Signals};
use crate::error::Error;
use crate::hub::{Beat, Encoded, Hub};

/// Streams that may be in their handshake, or be refused, beyond the connections that are open.
const OPENING: usize = 1024;
/// Connections closed at once when the server stops, and the most time between two such batches.
const BATCH: usize = 256;
const BATCH_PAUSE: Duration = Duration::from_millis(20);

/// Everything a connection's task needs.
pub(super) struct Served<H> {
    pub(super) handler: Arc<H>,
    pub(super) gate: Gate,
    pub(super) tls: Option<Tls>,
    pub(super) hub: Hub,
    pub(super) farewell: Option<Encoded>,
}

/// How a server is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    Serve,
    Drain,
    Stop,
}

/// A server that runs. Dropping it ends the server at once, without a word to its clients.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use zcomm_ws::server::{Server, ServerConfig};
///
/// let mut config = ServerConfig::default();
/// config.port = 0;
/// let server = Server::builder().config(config).bind().await?;
/// println!("ws://{}", server.local_addr());
/// server.shutdown();
/// server.wait().await;
/// # Ok::<(), zcomm_ws::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "the server ends when its handle is dropped"]
pub struct ServerHandle {
    address: SocketAddr,
    hub: Hub,
    course: watch::Sender<Course>,
    task: JoinHandle<Drained>,
}

/// What a server did with its clients when it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that ended in time.
    pub closed: usize,
    /// Connections that did not, and were cut.
    pub cut: usize,
}

impl ServerHandle {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Its connections.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Begins to stop: the port is let go, clients are told and closed with 1001.
    pub fn shutdown(&self) {
        self.course.send_if_modified(|course| {
            let serving = *course == Course::Serve;
            if serving {
                *course = Course::Drain;
            }
            serving
        });
    }

    /// Stops now: connections that have not ended are cut.
    pub fn stop(&self) {
        self.course.send_replace(Course::Stop);
    }

    /// A way to stop it for those who don't hold the handle, such as a task that waits for a signal.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.course.clone())
    }

    /// Serves until the program is told to end, by Ctrl-C or SIGTERM, and lets clients go; a second signal cuts them.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`] if the system tells of no signals; the server has ended then.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Self::wait).
    pub async fn until_signal(self) -> Result<Drained, Error> {
        let signals = Signals::listen()?;
        Ok(self.until(signals).await)
    }

    /// The same, for who listened before the server could be reached: a signal that comes between finds nobody else.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Self::wait).
    pub async fn until(self, mut signals: Signals) -> Drained {
        let stopper = self.stopper();
        let mut waiting = std::pin::pin!(self.wait());
        loop {
            tokio::select! {
                drained = waiting.as_mut() => return drained,
                () = signals.recv() => stopper.stop(),
            }
        }
    }

    /// Waits until the server has stopped: for somebody to stop it, and then no longer than the drain may take.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping it ends the server at once, as dropping the handle does.
    pub async fn wait(mut self) -> Drained {
        match (&mut self.task).await {
            Ok(drained) => drained,
            Err(failed) => {
                warn!(error = %failed, "accept loop failed");
                Drained::default()
            }
        }
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Stops a server from elsewhere.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<Course>);

impl Stopper {
    /// As [`ServerHandle::shutdown`]; the second call as [`ServerHandle::stop`].
    pub fn stop(&self) {
        self.0.send_modify(|course| {
            *course = match course {
                Course::Serve => Course::Drain,
                Course::Drain | Course::Stop => Course::Stop,
            };
        });
    }
}

pub(super) fn start<H: Handler>(
    listener: TcpListener,
    address: SocketAddr,
    served: Served<H>,
) -> ServerHandle {
    let hub = served.hub.clone();
    handle(address, hub, |course| {
        tokio::spawn(run(listener, Arc::new(served), course))
    })
}

/// The handle of a server whose task `start` makes.
pub(super) fn handle(
    address: SocketAddr,
    hub: Hub,
    start: impl FnOnce(watch::Receiver<Course>) -> JoinHandle<Drained>,
) -> ServerHandle {
    let (sender, course) = watch::channel(Course::Serve);
    info!(%address, "listening");
    ServerHandle {
        address,
        hub,
        course: sender,
        task: start(course),
    }
}

async fn run<H: Handler>(
    listener: TcpListener,
    served: Arc<Served<H>>,
    mut course: watch::Receiver<Course>,
) -> Drained {
    let mut tasks = JoinSet::new();
    accept_all(&listener, &served, &mut course, &mut tasks, Share::ALL).await;
    // The port is free for the next server while this one says goodbye.
    drop(listener);
    let ended = async { while tasks.join_next().await.is_some() {} };
    let drained = drain(&served, &mut course, ended).await;
    tasks.shutdown().await;
    drained
}

/// Which part of a server's work one accept loop has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Whether it looks after what there is one of: the heartbeat, the certificate.
    pub(super) leads: bool,
    /// How many loops there are.
    pub(super) of: u32,
}

impl Share {
    const ALL: Self = Self { leads: true, of: 1 };
}

pub(super) async fn accept_all<H: Handler>(
    listener: &TcpListener,
    served: &Arc<Served<H>>,
    course: &mut watch::Receiver<Course>,
    tasks: &mut JoinSet<()>,
    share: Share,
) {
    let config = &served.gate.config;
    let beat = Beat::new(config.ping_interval, config.pong_timeout);
    let mut sweep = interval(beat.period());
    sweep.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let reload = config.ssl_reload_interval.max(Duration::from_millis(1));
    let mut reload = interval_at(Instant::now() + reload, reload);
    reload.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut pace = Pace::new(config.connection_rate / share.of);
    loop {
        tokio::select! {
            _ = course.changed() => return,
            _ = sweep.tick(), if share.leads => served.hub.sweep(beat),
            Some(_) = tasks.join_next() => {}
            _ = reload.tick(), if share.leads => if let Some(tls) = &served.tls {
                tasks.spawn(tls.clone().refresh());
            },
            accepted = pace.accept(listener) => {
                if tasks.len() >= config.max_connections.saturating_add(OPENING) {
                    debug!("stream dropped: too many are in their handshake");
                } else {
                    let (stream, address) = accepted;
                    let served = Arc::clone(served);
                    let course = course.clone();
                    tasks.spawn(serve(stream, Peer::at(address), served, course));
                }
            }
        }
    }
}

/// How fast streams are accepted. Those that come faster wait in the system's queue.
struct Pace {
    every: Duration,
    /// When the next one may come, if they had come evenly; a second's worth may come at once.
    due: Instant,
}

impl Pace {
    fn new(rate: u32) -> Self {
        Self {
            every: Duration::from_secs(1) / rate.max(1),
            due: Instant::now(),
        }
    }

    /// Cancel safe: nothing is accepted or counted unless it returns.
    async fn accept(&mut self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        let second = Duration::from_secs(1);
        sleep_until(self.due.checked_sub(second).unwrap_or(self.due)).await;
        loop {
            match listener.accept().await {
                Ok(accepted) => {
                    self.due = self.due.max(Instant::now()) + self.every;
                    return accepted;
                }
                // Out of descriptors, most likely: a wait gives connections time to end.
                Err(error) => {
                    warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// One connection from its first byte to its last.
///
/// Handshake and engine sit in boxes of their own: the first is given back before the second begins, and an async
/// function would keep room for both, the second twice.
async fn serve<H: Handler>(
    stream: TcpStream,
    peer: Peer,
    served: Arc<Served<H>>,
    course: watch::Receiver<Course>,
) {
    if let Some((engine, _ticket)) = Box::pin(begin(stream, peer, served, course)).await {
        engine.await;
    }
}

/// Lets all clients go, and waits until `ended`, but no longer than is allowed. Cuts nobody.
pub(super) async fn drain<H>(
    served: &Served<H>,
    course: &mut watch::Receiver<Course>,
    ended: impl Future<Output = ()>,
) -> Drained {
    let hub = &served.hub;
    hub.start_draining();
    let all = hub.len();
    let farewell = async {
        close_all(hub, served.farewell.as_ref()).await;
        ended.await;
    };
    let limit = served.gate.config.drain_timeout;
    tokio::select! {
        _ = timeout(limit, farewell) => {}
        _ = course.wait_for(|course| *course == Course::Stop) => {}
    }
    let cut = hub.len();
    let drained = Drained {
        closed: all.saturating_sub(cut),
        cut,
    };
    info!(closed = drained.closed, cut = drained.cut, "stopped");
    drained
}

/// In batches, so that not all clients come back at the same moment.
async fn close_all(hub: &Hub, farewell: Option<&Encoded>) {
    let all = hub.connections();
    for (number, batch) in all.chunks(BATCH).enumerate() {
        if number > 0 {
            // The number of a connection is as good as random here.
            let jitter = batch[0].id().as_u64() % 10;
            tokio::time::sleep(BATCH_PAUSE - Duration::from_millis(jitter)).await;
        }
        for connection in batch {
            if let Some(message) = farewell {
                connection.push(message);
            }
            connection.close(CloseReason::going_away());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ServerConfig;
    use crate::server::admission::Admission;
    use crate::server::builder::Idle;
    use crate::server::door::Door;
    use crate::server::engine::Engine;
    use crate::server::origin::OriginRules;
    use crate::server::pages::Pages;
    use crate::server::probes::Probes;
    use crate::server::proxies::Proxies;

    #[tokio::test]
    async fn the_task_of_a_connection_is_small() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stream, peer) = tokio::join!(TcpStream::connect(address), listener.accept());
        let config = Arc::new(ServerConfig::default());
        let served = Served {
            handler: Arc::new(Idle),
            gate: Gate {
                origins: OriginRules::new(&[], &[], address).unwrap(),
                proxies: Proxies::default(),
                probes: Probes::new(Hub::new(), true, true),
                admission: Arc::new(Admission::new(&config)),
                config,
                door: Door {
                    config: Arc::new(ServerConfig::default()),
                    auth: Arc::new(zcomm_core::Open),
                    admission: Arc::new(Admission::new(&ServerConfig::default())),
                },
                http: None,
                pages: Pages::default(),
                files_without_token: false,
            },
            tls: None,
            hub: Hub::new(),
            farewell: None,
        };
        let (_sender, course) = watch::channel(Course::Serve);

        let task = serve(
            stream.unwrap(),
            Peer::at(peer.unwrap().1),
            Arc::new(served),
            course,
        );

        let size = size_of_val(&task) + size_of::<Engine<TcpStream, Idle>>();
        assert!(size <= 656, "{size} bytes for every idle connection");
    }
}
