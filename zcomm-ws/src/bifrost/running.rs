//! A zBifrost server that runs, and how it is run to its end. Puts nothing together.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;
use zcomm_core::ConnectionId;

use super::app::App;
use super::builder::BifrostBuilder;
use super::remote::Remote;
use crate::error::Error;
use crate::hub::Hub;
use crate::server::{Drained, ServerHandle, Stopper};

/// A zBifrost server that runs. Dropping it ends the server at once.
#[derive(Debug)]
#[must_use = "the server ends when its handle is dropped"]
pub struct Bifrost {
    app: Arc<App>,
    server: ServerHandle,
    tasks: Owned,
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Owned(JoinHandle<()>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Bifrost {
    pub(super) fn new(app: Arc<App>, server: ServerHandle, tasks: JoinHandle<()>) -> Self {
        let tasks = Owned(tasks);
        Self { app, server, tasks }
    }

    /// Begins a server.
    pub fn builder() -> BifrostBuilder {
        BifrostBuilder::default()
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The client of this connection, to be shown things and asked.
    pub fn client(&self, connection: ConnectionId) -> Option<Remote> {
        self.app.client(connection)
    }

    /// Its connections.
    pub fn hub(&self) -> &Hub {
        self.server.hub()
    }

    /// What its events work with.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Lets clients go: they are told, closed with 1001, and waited for.
    pub fn shutdown(&self) {
        self.server.shutdown();
    }

    /// Ends it from elsewhere.
    pub fn stopper(&self) -> Stopper {
        self.server.stopper()
    }

    /// Waits until it has ended, after [`shutdown`](Self::shutdown).
    pub async fn wait(self) -> Drained {
        let Self {
            app: _,
            server,
            tasks,
        } = self;
        let drained = server.wait().await;
        drop(tasks);
        drained
    }
}

impl BifrostBuilder {
    /// Listens and serves until Ctrl-C or SIGTERM, and then lets clients go; a second signal ends it at once.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), and [`Error::Signal`] where signals cannot be heard.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping it ends the server at once.
    pub async fn serve(self) -> Result<Drained, Error> {
        let mut signals = Signals::new()?;
        let server = self.bind().await?;
        let stopper = server.stopper();
        let _listening = Owned(tokio::spawn(async move {
            loop {
                signals.next().await;
                stopper.stop();
            }
        }));
        Ok(server.wait().await)
    }

    /// The same for programs without async: it makes a runtime of its own, and returns once the server has ended.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve); [`Error::InsideRuntime`] where an async runtime runs this code already, and
    /// [`Error::Runtime`] where none can be made.
    pub fn run(self) -> Result<Drained, Error> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::InsideRuntime);
        }
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.enable_all().build();
        let runtime = runtime.map_err(|source| Error::Runtime { source })?;
        runtime.block_on(self.serve())
    }
}

/// The signals that end a server.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|source| Error::Signal { source });
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, Error> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing can be heard: the server then runs until its program ends.
            std::future::pending::<()>().await;
        }
    }
}
