//! What every event may need: models, store, policy, limits. Routes nothing.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use zcomm_core::data::{Access, Committed, Schema, Store};
use zcomm_core::{Action, AnswerCache, AuthPolicy, Caller, ConnectionId, Error, Identity};

use super::audience::{self, Audience};
use super::live::Live;
use super::offer::Offer;
use super::questions::Questions;
use super::rate::Limits;
use super::remote::Remote;
use super::topics::Topics;
use crate::hub::Hub;
use crate::server::{CloseReason, Connection, Door};

/// The store of an app, behind everything that a write must pass.
pub(super) type AppStore = Arc<Committed<Arc<dyn Store>>>;

/// What every event may need. One per server, shared by all requests.
pub struct App {
    pub(super) schema: Schema,
    pub(super) access: Access,
    pub(super) store: AppStore,
    pub(super) policy: Arc<dyn AuthPolicy>,
    pub(super) answers: Option<Arc<dyn AnswerCache>>,
    pub(super) limits: Limits,
    pub(super) longest_message: usize,
    pub(super) hub: Hub,
    pub(super) door: Arc<OnceLock<Door>>,
    pub(super) offer: Offer,
    pub(super) questions: Arc<Questions>,
    pub(super) live: Live,
    pub(super) legacy_broadcast: bool,
    /// Whether the application has layers of its own, which every message has to pass.
    pub(super) layered: bool,
}

impl App {
    /// The models that commands may name.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Who may do what with rows.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The rows. Whatever is written through it is noticed by those who may read it.
    pub fn store(&self) -> &Committed<Arc<dyn Store>> {
        &self.store
    }

    /// Who says who callers are.
    pub fn policy(&self) -> &dyn AuthPolicy {
        &*self.policy
    }

    pub(super) fn answers(&self) -> Option<&dyn AnswerCache> {
        self.answers.as_deref()
    }

    /// The answers that may be given without the stack: none where the application looks at each message itself.
    pub(super) fn remembered(&self) -> Option<&dyn AnswerCache> {
        self.answers().filter(|_| !self.layered)
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn longest_message(&self) -> usize {
        self.longest_message
    }

    /// Its connections.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Sends an object, as it is, to some of those who are connected; returns how many took it.
    ///
    /// # Errors
    ///
    /// [`NotForAll`](crate::Error::NotForAll) for anything but an object without `result`, `error` and `_requestId`: a
    /// client would take it for the answer to a request of its own.
    pub fn broadcast(
        &self,
        object: &Value,
        exclude: Option<ConnectionId>,
        to: &Audience,
    ) -> Result<usize, crate::Error> {
        audience::broadcast(&self.hub, object, exclude, to)
    }

    /// Publishes on a topic, to the clients of one application or of all; returns how many took it. None if the topic
    /// was not declared.
    pub fn publish(&self, topic: &str, data: &Value, app: Option<&str>) -> Option<usize> {
        self.topics().announce(topic, data, app)
    }

    /// The client of this connection, to be shown things and asked.
    pub fn client(self: &Arc<Self>, connection: ConnectionId) -> Option<Remote> {
        let connection = self.hub.connection(connection)?;
        Some(Remote::new(Arc::clone(self), connection))
    }

    /// What the application added to the protocol.
    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    /// The subscriptions of clients.
    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    /// The topics that the application declared.
    pub(super) fn topics(&self) -> &Topics {
        &self.offer.topics
    }

    /// Whether those who never subscribed are told of changes, too.
    pub(super) fn tells_everybody(&self) -> bool {
        self.legacy_broadcast
    }

    /// The questions that clients have before them.
    pub(super) fn questions(&self) -> &Arc<Questions> {
        &self.questions
    }

    /// Asks the policy.
    pub(super) fn permit(&self, who: &Identity, action: &Action<'_>) -> Result<(), Error> {
        if self.policy.permits(who, action) {
            return Ok(());
        }
        let (who, action) = (who.to_string(), action.to_string());
        Err(Error::Forbidden { who, action })
    }

    /// Whoever identifies callers; there once the server listens.
    pub(super) fn door(&self) -> Option<&Door> {
        self.door.get()
    }

    /// Puts another identity in place on a live connection.
    pub(super) fn renew(&self, connection: &Connection, identity: Identity) {
        connection.renew(identity);
        self.live.recheck(self, connection);
    }

    /// Asks the application whether it takes a client, now that somebody has said who it is.
    pub(super) fn greet(self: &Arc<Self>, connection: &Connection) -> Result<(), CloseReason> {
        match &self.offer.on_connect {
            Some(hook) => hook(&Remote::new(Arc::clone(self), connection.clone())),
            None => Ok(()),
        }
    }

    /// Who the caller is, as it is told.
    pub(super) fn auth_info(who: &Identity) -> Value {
        let roles: Vec<&str> = who.roles().iter().map(|role| &**role).collect();
        json!({
            "authenticated": who.name().is_some(),
            "context": who.context().as_str(),
            "user": who.name(),
            "role": roles.first(),
            "roles": roles,
        })
    }

    /// What a client is told about the connection, on connect and when it asks.
    pub(super) fn connection_info(&self, caller: &Caller) -> Value {
        json!({
            "event": "connection_info",
            "data": {
                "server_version": env!("CARGO_PKG_VERSION"),
                "protocol": super::PROTOCOL,
                "features": self.features(),
                "auth": Self::auth_info(&caller.identity()),
                "session_id": caller.connection().to_string(),
                "limits": {
                    "max_message_size": self.longest_message,
                    "message_rate": self.limits.per_second,
                    "max_reply_size": self.limits.reply,
                    "max_subscriptions": self.live.most(),
                },
                "available_models": self.readable_models(caller),
            },
        })
    }

    fn features(&self) -> Vec<&str> {
        let mut features = vec!["connection_info", "realtime_sync", "subscribe", "input"];
        let optional = [
            (self.answers.is_some(), "client_cache"),
            (!self.topics().is_empty(), "topics"),
            (self.legacy_broadcast, "legacy_broadcast"),
        ];
        features.extend(optional.iter().filter(|(on, _)| *on).map(|(_, name)| name));
        features
    }

    pub(super) fn readable_models(&self, caller: &Caller) -> Vec<&str> {
        let who = caller.identity();
        let usable = super::events::usable(self, &who).map(|(model, ..)| model.name());
        usable.collect()
    }
}

#[cfg(test)]
impl App {
    /// One whose rows everybody may read and write, for tests.
    pub(super) fn open(schema: Schema) -> Self {
        let memory = zcomm_core::data::MemoryStore::new(schema.models().to_vec());
        Self {
            access: Access::unrestricted(),
            store: Arc::new(Committed::new(Arc::new(memory))),
            policy: Arc::new(zcomm_core::Open),
            answers: None,
            limits: Limits::default(),
            longest_message: 1024,
            hub: Hub::new(),
            door: Arc::default(),
            offer: Offer::default(),
            questions: Arc::default(),
            live: Live::new(&schema, 100),
            legacy_broadcast: true,
            layered: false,
            schema,
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("models", &self.schema.models().len())
            .finish_non_exhaustive()
    }
}
