//! Puts a server together and binds it. What then runs is in `accept`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::TcpListener;
use tower::Service;
use tracing::warn;
use zcomm_core::net::port_holder;
use zcomm_core::{AuthPolicy, Body, BoxService, Open};

use super::accept::{self, Served};
use super::admission::Admission;
use super::compression;
use super::door::Door;
use super::origin::OriginRules;
use super::pages::Pages;
use super::probes::Probes;
use super::proxies::Proxies;
use super::tls::Tls;
use super::upgrade::Gate;
use super::{
    CloseReason, Cx, Drained, Handler, ServerConfig, ServerHandle, ServiceHandler, Signals,
    block_on,
};
use crate::error::Error;
use crate::frame::MessageRef;
use crate::hub::{Encoded, Hub};

/// A WebSocket server that is not there yet: see [`Server::builder`].
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Begins a server that holds its connections, and drops what they send.
    pub fn builder() -> ServerBuilder<Idle> {
        ServerBuilder {
            handler: Idle,
            config: ServerConfig::default(),
            auth: Arc::new(Open),
            http: None,
            pages: Pages::default(),
            farewell: None,
        }
    }
}

/// The handler of a server that was given none.
#[derive(Debug)]
pub struct Idle;

impl Handler for Idle {
    type Session = ();

    fn connect(&self, _cx: &mut Cx<'_>) -> Result<(), CloseReason> {
        Ok(())
    }

    fn message(&self, (): &mut (), _cx: &mut Cx<'_>, _message: MessageRef<'_>) {}
}

/// Collects what a server consists of.
#[must_use = "nothing listens before `bind`"]
pub struct ServerBuilder<H> {
    handler: H,
    config: ServerConfig,
    auth: Arc<dyn AuthPolicy>,
    http: Option<BoxService>,
    pages: Pages,
    farewell: Option<Encoded>,
}

impl<H: Handler> ServerBuilder<H> {
    /// Sets who answers messages.
    pub fn handler<N: Handler>(self, handler: N) -> ServerBuilder<N> {
        ServerBuilder {
            handler,
            config: self.config,
            auth: self.auth,
            http: self.http,
            pages: self.pages,
            farewell: self.farewell,
        }
    }

    /// Sets a tower service as who answers messages: an axum `Router`, a stack of layers, a `service_fn`.
    ///
    /// Each message is a `POST` to the path that its connection was opened with, and the body of the response is the
    /// reply. The request carries the [`Connection`](super::Connection) and an
    /// [`Arc<Caller>`](zcomm_core::Caller) as extensions. See [`ServiceHandler`].
    pub fn service<S, B>(self, service: S) -> ServerBuilder<ServiceHandler<S>>
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.handler(ServiceHandler::new(service))
    }

    /// Sets address, rules and limits, all at once.
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets who says who a client is. Without it everybody is a guest.
    pub fn auth(mut self, policy: Arc<dyn AuthPolicy>) -> Self {
        self.auth = policy;
        self
    }

    /// Sets who answers plain HTTP requests on the same port.
    ///
    /// They have passed the rule for `Host`, and carry [`Peer`](zcomm_core::Peer) and
    /// [`OriginVerdict`](super::OriginVerdict) as extensions.
    pub fn http<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = zcomm_core::Error>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.http = Some(BoxService::new(service));
        self
    }

    /// Adds a page that is shown at a path, to whoever asks for it: `https://host/` for `/`.
    pub fn page(mut self, path: impl Into<String>, html: impl Into<Bytes>) -> Self {
        self.pages.add(path.into(), html.into());
        self
    }

    /// Sets what every client is sent before the server stops and closes with 1001.
    pub fn farewell(mut self, message: impl Into<Encoded>) -> Self {
        self.farewell = Some(message.into());
        self
    }

    /// Listens and serves until the program is told to end, by Ctrl-C or SIGTERM: clients are let go, the port is free.
    ///
    /// A second signal cuts those who have not gone yet. Where the address has to be known, as with port 0, call
    /// [`bind`](Self::bind) and then [`ServerHandle::until_signal`].
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

    /// The same without async: a runtime of its own, which ends with it.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve), and [`Error::InsideRuntime`] or [`Error::Runtime`].
    pub fn run(self) -> Result<Drained, Error> {
        block_on(self.serve())
    }

    /// Listens, and serves from then on.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] or [`Error::Host`] if it cannot listen there, [`Error::Insecure`] if others could reach it and
    /// nobody is asked for a token, [`Error::OriginInvalid`] or [`Error::ProxyInvalid`] for a list that cannot be meant.
    /// [`Error::CompressionMissing`] if it is asked for and this build has none.
    /// Where TLS is asked for and cannot be had, one of the errors that begin with `Tls`: it never listens in plain text
    /// instead.
    pub async fn bind(self) -> Result<ServerHandle, Error> {
        let (listener, address, served) = self.prepare().await?;
        Ok(accept::start(listener, address, served))
    }

    /// The same on several threads, each with a runtime and a listener of its own, among which Linux shares out the
    /// connections. For programs that do little else: a handler's tasks belong to one of these threads.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), and [`Error::Runtime`].
    #[cfg(target_os = "linux")]
    pub async fn bind_workers(self, workers: std::num::NonZeroU16) -> Result<ServerHandle, Error> {
        let (listener, address, served) = self.prepare().await?;
        // Bound alone so far, so that a port that others share is seen to be taken.
        drop(listener);
        super::workers::start(address, served, workers)
    }

    async fn prepare(self) -> Result<(TcpListener, SocketAddr, Served<H>), Error> {
        let config = Arc::new(self.config);
        let proxies = Proxies::parse(&config.trusted_proxies)?;
        let tls = Tls::of(&config)?;
        compression::check(&config)?;
        let listener = listen(&config).await?;
        let address = local_addr(&listener)?;
        if config.lets_files_in(address) {
            warn!("pages from disk are let in without a token, as `file://` is listed");
        }
        let admission = Arc::new(Admission::new(&config));
        let hub = Hub::new();
        let gate = Gate {
            probes: Probes::new(hub.clone(), config.metrics, config.is_local(address)),
            files_without_token: config.lets_files_in(address),
            origins: OriginRules::new(&config.allowed_origins, &config.allowed_hosts, address)?,
            proxies,
            door: Door {
                config: Arc::clone(&config),
                auth: self.auth,
                admission: Arc::clone(&admission),
            },
            admission,
            config,
            http: self.http,
            pages: self.pages,
        };
        let served = Served {
            handler: Arc::new(self.handler),
            gate,
            tls,
            hub,
            farewell: self.farewell,
        };
        Ok((listener, address, served))
    }
}

impl<H> fmt::Debug for ServerBuilder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

async fn listen(config: &ServerConfig) -> Result<TcpListener, Error> {
    let host = &config.host;
    let unknown = |source| Error::Host {
        host: host.clone(),
        source,
    };
    let addresses = tokio::net::lookup_host((host.as_str(), config.port));
    let mut failed = unknown(std::io::ErrorKind::NotFound.into());
    for address in addresses.await.map_err(unknown)? {
        if !config.is_local(address) && !config.require_auth && !config.allow_insecure {
            return Err(Error::Insecure { address });
        }
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(source) => failed = bind_error(address, source),
        }
    }
    Err(failed)
}

pub(super) fn bind_error(address: SocketAddr, source: std::io::Error) -> Error {
    let taken = source.kind() == std::io::ErrorKind::AddrInUse;
    Error::Bind {
        address,
        holder: taken.then(|| port_holder(address.port())).flatten(),
        source,
    }
}

fn local_addr(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|source| Error::Bind {
        address: ([0, 0, 0, 0], 0).into(),
        holder: None,
        source,
    })
}
