//! The one value an application holds: settings, plugins, and the ways into each part.

use std::fmt;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::builder::CommBuilder;
use crate::core::net;
use crate::core::settings::Key;
use crate::core::{Registry, Settings, Transport, TransportLayer};
use crate::error::Error;

/// The communication of an application: what the guides call `z.comm`. Clones share everything.
///
/// ```
/// use zcomm::Comm;
///
/// let comm = Comm::new()?;
/// println!("8080 is {}", if comm.check_port(8080) { "available" } else { "in use" });
/// # Ok::<(), zcomm::Error>(())
/// ```
#[derive(Clone)]
pub struct Comm(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) warnings: Vec<String>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) project: PathBuf,
    pub(crate) transports: Vec<Arc<dyn Transport>>,
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    pub(crate) schema: Option<zcomm_core::data::Schema>,
    #[cfg(feature = "ws")]
    pub(crate) policy: Option<Arc<dyn zcomm_core::AuthPolicy>>,
    /// That of the settings, once it could be made.
    #[cfg(feature = "ws")]
    pub(crate) policy_of_settings: std::sync::OnceLock<Arc<dyn zcomm_core::AuthPolicy>>,
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    pub(crate) data: std::sync::OnceLock<crate::data::Data>,
    #[cfg(feature = "cache")]
    pub(crate) cache: std::sync::OnceLock<zcomm_cache::Cache>,
    #[cfg(feature = "http")]
    pub(crate) http: std::sync::OnceLock<zcomm_http::HttpClient>,
    #[cfg(feature = "services")]
    pub(crate) services: std::sync::OnceLock<zcomm_services::Manager>,
    #[cfg(feature = "blocking")]
    pub(crate) runtime: std::sync::OnceLock<crate::blocking::Runtime>,
    #[cfg(feature = "log")]
    pub(crate) _log: Option<crate::log::LogGuard>,
}

impl Comm {
    /// Reads the settings of the working directory and finds the plugins that are linked.
    ///
    /// # Errors
    ///
    /// As [`CommBuilder::build`].
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Starts with values of the application's own.
    pub fn builder() -> CommBuilder {
        CommBuilder::default()
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Whether a server could listen on this port: the guides' yes or no.
    ///
    /// It binds the port on both loopback addresses and lets go. A privileged port that nobody answers on counts as
    /// available; one that cannot be checked, and port 0, do not. [`net::check_port`](crate::net::check_port) says
    /// more.
    pub fn check_port(&self, port: u16) -> bool {
        let state = NonZeroU16::new(port).map(net::check_port);
        matches!(state, Some(Ok(state)) if state.is_available())
    }

    /// What the application is configured to do, and why.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What is odd about the settings, though not wrong: misspelt variables, a `.zEnv` that others may read.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Every row of the table of settings: core's and those of the plugins.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        crate::builder::all_keys(&self.0.registry)
    }

    /// The plugins that this program has.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The layer through which requests leave: over every transport that this program has.
    ///
    /// [`http`](Self::http) is a client on top of it; a stack of one's own puts it innermost.
    pub fn transport_layer(&self) -> TransportLayer {
        TransportLayer::new(self.0.transports.iter().cloned())
    }

    /// The folder that `.zEnv`, `schemas` and `.zcomm` belong to.
    pub fn project(&self) -> &Path {
        &self.0.project
    }

    /// The HTTP client. Every call gives the same one, so connections are shared.
    ///
    /// [`layer`](zcomm_http::HttpClient::layer) makes one of it that has one more layer; what else there is to choose,
    /// [`http_builder`](Self::http_builder) offers.
    #[cfg(feature = "http")]
    pub fn http(&self) -> &zcomm_http::HttpClient {
        self.0
            .http
            .get_or_init(|| crate::compose::http_client(&self.0))
    }

    /// Begins an HTTP client of one's own over the same transports, with the deadlines of the settings.
    ///
    /// It shares connections with [`http`](Self::http), but not what that has learnt about hosts.
    ///
    /// ```
    /// use zcomm::{Comm, http::Retry};
    ///
    /// let comm = Comm::builder().isolated().build()?;
    /// let impatient = comm.http_builder().retry(Retry::none()).without_breaker().build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn http_builder(&self) -> zcomm_http::HttpClientBuilder {
        crate::compose::http_builder(&self.0)
    }

    /// The cache of this application: what it did, and how it is cleared. Every call gives the same one.
    ///
    /// zBifrost servers keep the answers to reads in it (`cache.enabled`), the HTTP client those of servers elsewhere
    /// (`http.cache`).
    ///
    /// ```
    /// use std::time::Duration;
    /// use zcomm::{Comm, core::Clearing};
    ///
    /// let comm = Comm::builder().isolated().build()?;
    /// comm.cache().set_ttl(Duration::from_secs(5));
    /// comm.cache().clear(Clearing::Model("users"));
    /// assert_eq!(comm.cache().stats().hits, 0);
    /// # Ok::<(), zcomm::Error>(())
    /// ```
    #[cfg(feature = "cache")]
    pub fn cache(&self) -> &zcomm_cache::Cache {
        crate::compose::cache(&self.0)
    }

    /// The local services. Every call gives the same manager.
    #[cfg(feature = "services")]
    pub fn services(&self) -> &zcomm_services::Manager {
        self.0
            .services
            .get_or_init(|| crate::compose::services(&self.0))
    }

    /// A WebSocket server as the settings describe it: give it a handler, and bind it.
    ///
    /// # Errors
    ///
    /// [`Error::NoToken`] where tokens are required and there are none; [`Error::TokenFile`] for a file of tokens that
    /// others may read; [`Error::Policy`] for a policy that cannot be made of its settings.
    #[cfg(feature = "ws")]
    pub fn websocket(
        &self,
    ) -> Result<zcomm_ws::server::ServerBuilder<zcomm_ws::server::Idle>, Error> {
        crate::compose::websocket(&self.0)
    }

    /// A zBifrost server as the settings describe it, with the models of the schema folder: bind it.
    ///
    /// # Errors
    ///
    /// As [`websocket`](Self::websocket), and [`schema`](Self::schema).
    #[cfg(feature = "bifrost")]
    pub fn bifrost(&self) -> Result<zcomm_ws::bifrost::BifrostBuilder, Error> {
        let (server, data) = (crate::compose::bifrost(&self.0)?, self.data()?);
        let server = server
            .schema(data.schema().clone())
            .committed(Arc::clone(data.store()));
        #[cfg(feature = "cache")]
        let server = crate::compose::cached(&self.0, server);
        Ok(server)
    }

    /// The rows of the application, from code: the same store that its zBifrost server serves. It is the one that the
    /// setting `store` names, `sqlite://./data.db` for example; without it, rows are kept in memory.
    ///
    /// # Errors
    ///
    /// As [`schema`](Self::schema); an address that no plugin serves, or a store that cannot be opened.
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    pub fn data(&self) -> Result<&crate::data::Data, Error> {
        if let Some(data) = self.0.data.get() {
            return Ok(data);
        }
        // Two threads may get here at once; one store is kept, the other was never asked anything.
        let data = crate::compose::data(&self.0, self.schema()?)?;
        Ok(self.0.data.get_or_init(|| data))
    }

    /// The models that were given in code, else those that the files `zSchema.*.yaml` of the schema folder describe; none
    /// where there is no such folder.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] lists everything that is wrong in all files, by file and line.
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    pub fn schema(&self) -> Result<zcomm_core::data::Schema, Error> {
        if let Some(schema) = &self.0.schema {
            return Ok(schema.clone());
        }
        let (settings, project) = (&self.0.settings, &self.0.project);
        let folder = settings.path("schema_path");
        let folder = project.join(folder.unwrap_or(Path::new("schemas")));
        if settings.is_set("schema_path") {
            crate::schemas::read(&folder)
        } else {
            crate::schemas::read_if_there(&folder)
        }
    }

    /// Whoever the settings, or the application, let in to its servers. Every call gives the same one.
    ///
    /// # Errors
    ///
    /// As [`websocket`](Self::websocket).
    #[cfg(feature = "ws")]
    pub fn policy(&self) -> Result<Arc<dyn zcomm_core::AuthPolicy>, Error> {
        crate::compose::policy(&self.0)
    }

    /// Whether a caller has to show who it is: `websocket.require_auth` is set, or the policy lets no guests in.
    ///
    /// # Errors
    ///
    /// As [`policy`](Self::policy).
    #[cfg(feature = "ws")]
    pub fn asks_callers(&self) -> Result<bool, Error> {
        let required = self.settings().flag("websocket.require_auth");
        Ok(required || !self.policy()?.admits_guests())
    }

    /// What is there about tokens, and changes nothing: servers would ask nobody for them.
    #[cfg(feature = "ws")]
    pub fn idle_tokens(&self) -> Vec<String> {
        crate::compose::idle_tokens(&self.0)
    }

    /// Everything that would keep the parts from being made or bound as they are configured. Starts and binds nothing.
    pub fn verify(&self) -> Vec<Error> {
        crate::compose::verify(self)
    }

    /// The same without async.
    ///
    /// # Errors
    ///
    /// [`Error::InsideRuntime`] where an async runtime already runs this code: waiting would block it.
    #[cfg(feature = "blocking")]
    pub fn blocking(&self) -> Result<crate::blocking::Blocking<'_>, Error> {
        crate::blocking::Blocking::of(self, &self.0.runtime)
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comm")
            .field("project", &self.0.project)
            .field("plugins", &self.0.registry.names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
