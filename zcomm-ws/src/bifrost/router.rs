//! The innermost service: finds the event that a request's path names. Answers nothing itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use http::{Extensions, Request, Response};
use serde_json::Value;
use tower::Service;
use zcomm_core::{Action, Body, Caller, Command, Error, Identity};

use super::app::App;
use super::call::Call;
use super::fault::Fault;
use super::offer::Given;
use super::resolve::Message;
use crate::server::Connection;

/// What an event is called with.
pub(super) struct EventCx<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) caller: &'a Arc<Caller>,
    /// The socket that the request came over; none over plain HTTP.
    pub(super) connection: Option<&'a Connection>,
    /// Who the caller was when it was judged.
    pub(super) identity: &'a Arc<Identity>,
    pub(super) command: &'a Arc<Command>,
    pub(super) message: &'a Message,
}

/// Answers one event.
#[async_trait]
pub(super) trait Event: Send + Sync {
    /// The whole reply object, without an id.
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error>;
}

/// The events of a server, by name.
pub(super) type Events = BTreeMap<&'static str, Arc<dyn Event>>;

/// Calls the event that the path names.
#[derive(Clone)]
pub(super) struct Router {
    app: Arc<App>,
    events: Arc<Events>,
}

impl Router {
    pub(super) fn new(app: Arc<App>, events: Events) -> Self {
        Self {
            app,
            events: Arc::new(events),
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("events", &self.events.keys())
            .finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Router {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let app = Arc::clone(&self.app);
        let name = request.uri().path().trim_start_matches('/');
        let Some(event) = self.events.get(name).cloned() else {
            return self.offered(request);
        };
        Box::pin(async move {
            let cx = EventCx::of(&app, request.extensions())?;
            event.answer(cx).await
        })
    }
}

impl Router {
    /// Calls an event of the application's own, with the whole message but for its name.
    fn offered(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        let app = Arc::clone(&self.app);
        let name = request.uri().path().trim_start_matches('/');
        let Some(callee) = app.offer().events.get(name).cloned() else {
            let fault = self.unknown(name, request.extensions().get::<Arc<Identity>>());
            return Box::pin(async { Err(fault.into()) });
        };
        Box::pin(async move {
            let cx = EventCx::of(&app, request.extensions())?;
            let mut message = cx.message.members().clone();
            message.shift_remove("event");
            callee(Call::of(&cx), Given::Message(message)).await
        })
    }

    fn unknown(&self, name: &str, who: Option<&Arc<Identity>>) -> Fault {
        let built_in = self.events.keys().map(ToString::to_string);
        let offered = self.app.offer().events.keys().cloned();
        let policy = self.app.policy();
        let permitted =
            |name: &String| who.is_some_and(|who| policy.permits(who, &Action::Event(name)));
        Fault::UnknownEvent {
            name: name.to_owned(),
            known: built_in.chain(offered).filter(permitted).collect(),
        }
    }
}

impl<'a> EventCx<'a> {
    /// What the layers left on a request.
    fn of(app: &'a Arc<App>, extensions: &'a Extensions) -> Result<Self, Fault> {
        let missing = |missing| Fault::LayerMissing { missing };
        Ok(Self {
            app,
            caller: extensions
                .get::<Arc<Caller>>()
                .ok_or(missing("AuthLayer"))?,
            connection: extensions.get::<Connection>(),
            identity: extensions
                .get::<Arc<Identity>>()
                .ok_or(missing("AuthLayer"))?,
            command: extensions
                .get::<Arc<Command>>()
                .ok_or(missing("ResolveLayer"))?,
            message: extensions.get::<Message>().ok_or(missing("ResolveLayer"))?,
        })
    }
    /// The socket, for events that mean nothing without one.
    pub(super) fn socket(&self) -> Result<&'a Connection, Fault> {
        self.connection.ok_or_else(|| Fault::NeedsSocket {
            event: self.command.action().to_string(),
        })
    }

    /// A text that has to be there.
    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, Fault> {
        match self.message.member(name) {
            None => Err(Fault::Missing { name }),
            Some(Value::String(text)) if text.is_empty() => Err(Fault::Empty { name }),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Fault::NotText { name }),
        }
    }
}
