//! A zBifrost server that runs, and how it is run to its end. Puts nothing together.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinHandle;
use zcomm_core::ConnectionId;

use super::app::App;
use super::audience::Audience;
use super::builder::BifrostBuilder;
use super::remote::Remote;
use crate::error::Error;
use crate::hub::Hub;
use crate::server::{Drained, ServerHandle, Signals, Stopper};

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

    /// Sends an object to some of those who are connected: see [`App::broadcast`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn broadcast(
        &self,
        object: &Value,
        exclude: Option<ConnectionId>,
        to: &Audience,
    ) -> Result<usize, Error> {
        self.app.broadcast(object, exclude, to)
    }

    /// Publishes on a topic, to the clients of all applications: see [`App::publish`].
    pub fn publish(&self, topic: &str, data: &Value) -> Option<usize> {
        self.app.publish(topic, data, None)
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

impl Bifrost {
    /// Serves until Ctrl-C or SIGTERM, and then lets clients go; a second signal ends it at once.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`] where signals cannot be heard.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping it ends the server at once.
    pub async fn until_signal(self) -> Result<Drained, Error> {
        let signals = Signals::listen()?;
        Ok(self.until(signals).await)
    }

    /// The same, for who listened before the server could be reached.
    pub async fn until(self, mut signals: Signals) -> Drained {
        let stopper = self.stopper();
        let _listening = Owned(tokio::spawn(async move {
            loop {
                signals.recv().await;
                stopper.stop();
            }
        }));
        self.wait().await
    }
}

impl BifrostBuilder {
    /// Listens and serves until the program is told to end: the guides' one line.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), and [`Error::Signals`].
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping it ends the server at once.
    pub async fn serve(self) -> Result<Drained, Error> {
        let signals = Signals::listen()?;
        Ok(self.bind().await?.until(signals).await)
    }

    /// The same without async, on a runtime of its own.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve), and [`Error::InsideRuntime`] or [`Error::Runtime`].
    pub fn run(self) -> Result<Drained, Error> {
        crate::server::block_on(self.serve())
    }
}
