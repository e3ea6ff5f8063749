//! Puts a zBifrost server together: models, store, policy, limits. What then runs is the server's.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tower::ServiceBuilder;
use zcomm_core::data::{Access, Committed, MemoryStore, Schema, Store};
use zcomm_core::{AnswerCache, AuthLayer, AuthPolicy, BoxService, DeadlineLayer, Open};

use super::app::{App, AppStore};
use super::front::Front;
use super::rate::Limits;
use super::resolve::ResolveLayer;
use super::router::Router;
use super::{events, notices, plain};
use crate::error::Error;
use crate::hub::{Encoded, Hub};
use crate::server::{Drained, Server, ServerConfig, ServerHandle, Stopper};

/// Collects what a zBifrost server consists of. With nothing set it serves no models, on 127.0.0.1:8765, to guests.
#[must_use = "nothing listens before `bind`"]
pub struct BifrostBuilder {
    config: ServerConfig,
    schema: Schema,
    access: Access,
    store: Option<AppStore>,
    policy: Arc<dyn AuthPolicy>,
    answers: Option<Arc<dyn AnswerCache>>,
    limits: Limits,
}

impl Default for BifrostBuilder {
    fn default() -> Self {
        Self {
            config: ServerConfig::default(),
            schema: Schema::default(),
            access: Access::new(),
            store: None,
            policy: Arc::new(Open),
            answers: None,
            limits: Limits::default(),
        }
    }
}

impl BifrostBuilder {
    /// Where to listen, whom to let in, how much to take.
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = config;
        self
    }

    /// The models that commands may name.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Who may do what with rows, beyond what the models themselves say. Whether callers are authenticated, and whether
    /// only this machine can reach the server, is taken from the [`config`](Self::config).
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Where rows are kept; without one, in memory.
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        self.committed(Arc::new(Committed::new(store)))
    }

    /// The same, shared with others who write: what any of them writes is noticed.
    pub fn committed(mut self, store: Arc<Committed<Arc<dyn Store>>>) -> Self {
        self.store = Some(store);
        self
    }

    /// Who says who callers are; without one, everybody is a guest.
    pub fn auth(mut self, policy: Arc<dyn AuthPolicy>) -> Self {
        self.policy = policy;
        self
    }

    /// Answers that are remembered by the bytes of the message that asked for them.
    pub fn answers(mut self, answers: Arc<dyn AnswerCache>) -> Self {
        self.answers = Some(answers);
        self
    }

    /// How many messages a connection may send per second, and at once; 0 per second sets no limit.
    pub fn message_rate(mut self, per_second: u32, burst: u32) -> Self {
        self.limits.per_second = per_second;
        self.limits.burst = burst;
        self
    }

    /// How long a request may take.
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.limits.request = limit;
        self
    }

    /// How many bytes one reply may have; a larger one is answered as `too_large`.
    pub fn max_reply_size(mut self, bytes: usize) -> Self {
        self.limits.reply = bytes;
        self
    }

    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// [`Error::FirstMessage`] where the token is to come as a message, which no event here takes; else as
    /// [`ServerBuilder::bind`](crate::server::ServerBuilder::bind).
    pub async fn bind(mut self) -> Result<Bifrost, Error> {
        if self.config.first_message_auth {
            return Err(Error::FirstMessage);
        }
        // Rows are served here: a page from disk always has to show a token.
        self.config.files_without_token = false;
        let loopback = is_loopback(&self.config).await;
        let memory = || {
            let memory = MemoryStore::new(self.schema.models().to_vec());
            Arc::new(Committed::new(Arc::new(memory) as Arc<dyn Store>))
        };
        let store = self.store.unwrap_or_else(memory);
        let app = Arc::new(App {
            schema: self.schema,
            access: self
                .access
                .auth(self.config.require_auth)
                .loopback(loopback),
            store,
            policy: Arc::clone(&self.policy),
            answers: self.answers,
            limits: self.limits,
            longest_message: self.config.max_message_size,
        });
        // Before anybody can connect: no write may go unheard.
        let changes = app.store().subscribe();
        let stack = stack(&app);
        // Where others than this machine come, and nobody asks who they are, no page invites them.
        let console = loopback || self.config.require_auth;
        let farewell = json!({"event": "server_shutdown", "message": "the server is going down", "retry_after_ms": 1000});
        let server = Server::builder()
            .config(self.config)
            .auth(self.policy)
            .http(plain::service(Arc::clone(&app), stack.clone(), console))
            .farewell(Encoded::json(&farewell)?)
            .handler(Front::new(Arc::clone(&app), stack))
            .bind()
            .await?;
        let notices = tokio::spawn(notices::forward(
            Arc::clone(&app),
            server.hub().clone(),
            changes,
        ));
        Ok(Bifrost {
            app,
            server,
            notices: Owned(notices),
        })
    }
}

/// Whether only this machine can reach the server. A name that cannot be resolved is none of ours.
async fn is_loopback(config: &ServerConfig) -> bool {
    if !config.allowed_hosts.is_empty() {
        return false;
    }
    let Ok(addresses) = tokio::net::lookup_host((config.host.as_str(), 0)).await else {
        return false;
    };
    let mut addresses = addresses.peekable();
    addresses.peek().is_some() && addresses.all(|address| address.ip().is_loopback())
}

/// What every request passes, outermost first.
fn stack(app: &Arc<App>) -> BoxService {
    let router = Router::new(Arc::clone(app), events::all());
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(app.limits().request))
        .layer(ResolveLayer::new(Arc::clone(app)))
        .layer(AuthLayer::shared(Arc::clone(&app.policy)))
        .service(router);
    BoxService::new(stack)
}

impl fmt::Debug for BifrostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BifrostBuilder")
            .field("config", &self.config)
            .field("models", &self.schema.models().len())
            .finish_non_exhaustive()
    }
}

/// A zBifrost server that runs. Dropping it ends the server at once.
#[derive(Debug)]
#[must_use = "the server ends when its handle is dropped"]
pub struct Bifrost {
    app: Arc<App>,
    server: ServerHandle,
    notices: Owned,
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
    /// Begins a server.
    pub fn builder() -> BifrostBuilder {
        BifrostBuilder::default()
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Its connections.
    pub fn hub(&self) -> &Hub {
        self.server.hub()
    }

    /// What its events work with.
    pub fn app(&self) -> &App {
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
            notices,
        } = self;
        let drained = server.wait().await;
        drop(notices);
        drained
    }
}
