//! Puts a zBifrost server together: models, store, policy, limits. What then runs is in `running`.

mod extend;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tower::ServiceBuilder;
use tower::util::Either;
use zcomm_core::data::{Access, Committed, Generations, MemoryStore, Schema, Store};
use zcomm_core::{AnswerCache, AuthLayer, AuthPolicy, BoxService, DeadlineLayer, Open};

use super::app::{App, AppStore};
use super::front::Front;
use super::live::Live;
use super::offer::Offer;
use super::rate::Limits;
use super::renewed::RenewedLayer;
use super::resolve::ResolveLayer;
use super::router::Router;
use super::running::Bifrost;
use super::{events, notices, plain};
use crate::error::Error;
use crate::hub::{Encoded, Hub};
use crate::server::{Server, ServerConfig};

/// Collects what a zBifrost server consists of. With nothing set it serves no models, on 127.0.0.1:8765, to guests.
#[must_use = "nothing listens before `bind`"]
pub struct BifrostBuilder {
    config: ServerConfig,
    schema: Schema,
    access: Access,
    store: Option<AppStore>,
    policy: Arc<dyn AuthPolicy>,
    answers: Option<MakeCache>,
    limits: Limits,
    offer: Offer,
    layers: Vec<Wrap>,
    legacy_broadcast: bool,
    /// What was wrong first; `bind` says it.
    wrong: Option<Error>,
}

/// Makes a cache that follows the generations of the server's store.
type MakeCache = Box<dyn FnOnce(&Generations) -> Arc<dyn AnswerCache> + Send>;

/// A layer of the application's, with its type hidden.
type Wrap = Box<dyn FnOnce(BoxService) -> BoxService + Send>;

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
            offer: Offer::default(),
            layers: Vec::new(),
            legacy_broadcast: true,
            wrong: None,
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

    /// Keeps the answers of reads: what `make` gives is asked before a message is parsed, and stands around the events,
    /// inside of authorization. It is given the generations of the store that is served, whichever that will be.
    pub fn cache(
        mut self,
        make: impl FnOnce(&Generations) -> Arc<dyn AnswerCache> + Send + 'static,
    ) -> Self {
        self.answers = Some(Box::new(make));
        self
    }

    /// Works out every answer anew.
    pub fn without_cache(mut self) -> Self {
        self.answers = None;
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

    /// How many subscriptions a client may have at a time. Default: 100.
    pub fn max_subscriptions(mut self, most: usize) -> Self {
        self.limits.subscriptions = most;
        self
    }

    /// Whether clients that never subscribed are told of changes, as the older ones expect. Default: yes.
    pub fn legacy_broadcast(mut self, on: bool) -> Self {
        self.legacy_broadcast = on;
        self
    }

    /// How long a client may take to say who it is, where its first message is to.
    pub fn auth_timeout(mut self, limit: Duration) -> Self {
        self.limits.auth = limit;
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
    /// The first thing that was wrong with what the builder was given; else as
    /// [`ServerBuilder::bind`](crate::server::ServerBuilder::bind).
    pub async fn bind(mut self) -> Result<Bifrost, Error> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        // Rows are served here: a page from disk always has to show a token.
        self.config.files_without_token = false;
        let loopback = is_loopback(&self.config).await;
        let asks = self.config.require_auth || !self.policy.admits_guests();
        let memory = || {
            let memory = MemoryStore::new(self.schema.models().to_vec());
            Arc::new(Committed::new(Arc::new(memory) as Arc<dyn Store>))
        };
        let store = self.store.unwrap_or_else(memory);
        let answers = self.answers.map(|make| make(store.generations()));
        let app = Arc::new(App {
            live: Live::new(&self.schema, self.limits.subscriptions),
            schema: self.schema,
            access: self.access.auth(asks).loopback(loopback),
            store,
            policy: Arc::clone(&self.policy),
            answers,
            limits: self.limits,
            longest_message: self.config.max_message_size,
            hub: Hub::new(),
            door: Arc::default(),
            offer: self.offer,
            questions: Arc::default(),
            legacy_broadcast: self.legacy_broadcast,
            layered: !self.layers.is_empty(),
        });
        // Before anybody can connect: no write may go unheard.
        let changes = app.store().subscribe();
        let stack = stack(&app);
        let wrap = |stack, wrap: Wrap| wrap(stack);
        let stack = self.layers.into_iter().fold(stack, wrap);
        // Where others than this machine come, and nobody asks who they are, no page invites them.
        let console = loopback || asks;
        let farewell = json!({"event": "server_shutdown", "message": "the server is going down", "retry_after_ms": 1000});
        let server = Server::builder()
            .config(self.config)
            .auth(self.policy)
            .hub(app.hub().clone())
            .door(Arc::clone(&app.door))
            .http(plain::service(Arc::clone(&app), stack.clone(), console))
            .farewell(Encoded::json(&farewell)?)
            .handler(Front::new(Arc::clone(&app), stack))
            .bind()
            .await?;
        let notices = tokio::spawn(notices::forward(Arc::clone(&app), changes));
        Ok(Bifrost::new(app, server, notices))
    }
}

/// Whether only this machine can reach the server. A name that cannot be resolved is none of ours.
async fn is_loopback(config: &ServerConfig) -> bool {
    let Ok(addresses) = tokio::net::lookup_host((config.host.as_str(), 0)).await else {
        return false;
    };
    let mut addresses = addresses.peekable();
    addresses.peek().is_some() && addresses.all(|address| config.is_local(address))
}

/// What every request passes, outermost first.
fn stack(app: &Arc<App>) -> BoxService {
    let router = Router::new(Arc::clone(app), events::all());
    let events = match app.answers() {
        Some(cache) => Either::Left(cache.around(BoxService::new(router))),
        None => Either::Right(router),
    };
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(app.limits().request))
        .layer(ResolveLayer::new(Arc::clone(app)))
        .layer(RenewedLayer)
        .layer(AuthLayer::shared(Arc::clone(&app.policy)))
        .service(events);
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
