//! What a client may find out by itself: models, what may be done with them, and how. Never more than it may use.

use std::sync::Arc;

use async_trait::async_trait;
use http::Response;
use serde_json::{Map, Value, json};
use zcomm_core::data::{DataError, Lookup, Model, Query, Requester, Rights};
use zcomm_core::{Action, Body, Error, Identity, Operation};

use crate::bifrost::app::App;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// `discover`: the models and operations of this identity.
pub(super) struct Discover;

#[async_trait]
impl Event for Discover {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let schemas: Vec<(&str, Vec<Operation>)> = usable(cx.app, cx.identity)
            .map(|(model, _, operations)| (model.name(), operations))
            .collect();
        let mentioned = |operation: &Operation| {
            let mut all = schemas.iter();
            all.any(|(_, operations)| operations.contains(operation))
        };
        let operations = Operation::ALL.into_iter().filter(mentioned);
        let schema = |(name, operations): &(&str, Vec<Operation>)| json!({"name": name, "operations": names(operations)});
        let mut told = json!({
            "schemas": schemas.iter().map(schema).collect::<Vec<_>>(),
            "operations": operations.map(Operation::as_str).collect::<Vec<_>>(),
        });
        offered(&cx, &mut told);
        Ok(both(told))
    }
}

/// What the application added, as far as the policy lets this identity use it. What there is none of is left out.
fn offered(cx: &EventCx<'_>, told: &mut Value) {
    let (offer, policy) = (cx.app.offer(), cx.app.policy());
    let usable = |action: Action<'_>| policy.permits(cx.identity, &action);
    let functions = offer
        .functions
        .keys()
        .filter(|name| usable(Action::Call(name)));
    let commands = offer
        .commands
        .keys()
        .filter(|name| usable(Action::Run(name)));
    let events = offer
        .events
        .keys()
        .filter(|name| usable(Action::Event(name)));
    let routes = offer
        .routes
        .keys()
        .filter(|path| usable(Action::Link(path)));
    let lists = [
        ("functions", functions.collect::<Vec<_>>()),
        ("commands", commands.collect()),
        ("events", events.collect()),
        ("routes", routes.collect()),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            told[name] = json!(list);
        }
    }
    let topics: Vec<&str> = cx.app.topics().joinable(cx.app, cx.identity).collect();
    if !topics.is_empty() {
        told["topics"] = json!(topics);
    }
}

/// `introspect`: one model in detail, or all of them.
pub(super) struct Introspect;

#[async_trait]
impl Event for Introspect {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let (app, who) = (cx.app, cx.identity);
        if cx.message.member("model").is_none() {
            let models = usable(app, who);
            let told = models.map(|(model, rights, _)| detail(app, who, model, &rights));
            return Ok(both(json!({"models": told.collect::<Vec<_>>()})));
        }
        let name = cx.text("model")?;
        let model = app.schema().model(name)?;
        let rights = app.access().rights(model, who)?;
        if operations(app, who, model, &rights).is_empty() {
            // A model that one may not use is answered as one that is not there.
            let name = name.to_owned();
            return Err(DataError::UnknownModel { name }.into());
        }
        Ok(both(detail(app, who, model, &rights)))
    }
}

/// The models that somebody may do anything with, and what that is.
pub(in crate::bifrost) fn usable<'a, 'w>(
    app: &'a App,
    who: &'w Identity,
) -> impl Iterator<Item = (&'a Arc<Model>, Rights, Vec<Operation>)> + use<'a, 'w> {
    app.schema().models().iter().filter_map(move |model| {
        let rights = app.access().rights(model, who).ok()?;
        let operations = operations(app, who, model, &rights);
        (!operations.is_empty()).then_some((model, rights, operations))
    })
}

/// What both the schema's rules and the policy let somebody do.
pub(super) fn operations(
    app: &App,
    who: &Identity,
    model: &Model,
    rights: &Rights,
) -> Vec<Operation> {
    let mut operations = rights.operations();
    operations.retain(|&operation| {
        let model = model.name();
        app.policy()
            .permits(who, &Action::Data { model, operation })
    });
    operations
}

fn detail(app: &App, who: &Identity, model: &Arc<Model>, rights: &Rights) -> Value {
    let mut told = model.describe(rights);
    told["operations"] = names(&operations(app, who, model, rights));
    told["relationships"] = told["relations"].clone();
    let mut lookups = Map::new();
    for field in model.fields() {
        if rights.may_read(&field.name) {
            let all: Vec<&str> = Lookup::names(field.kind).collect();
            lookups.insert(field.kind.as_str().to_owned(), json!(all));
        }
    }
    told["lookups"] = lookups.into();
    told["limits"] = json!({
        "max_rows": most_rows(app, who, model),
        "max_message_size": app.longest_message(),
        "max_reply_size": app.limits().reply,
    });
    told
}

/// The most rows of one answer, as a read without a limit gets them.
fn most_rows(app: &App, who: &Identity, model: &Arc<Model>) -> Option<u64> {
    let query = Query::parse(model, &Map::new()).ok()?;
    let permitted = app.access().query(query, &Requester::new(who)).ok()?;
    Some(permitted.limit())
}

fn names(operations: &[Operation]) -> Value {
    let names = operations.iter().map(|operation| operation.as_str());
    names.collect::<Vec<_>>().into()
}

/// The guide has the members at the top, newer clients look for a `result`: both get it.
fn both(mut told: Value) -> Response<Body> {
    told["result"] = told.clone();
    reply::object(&told)
}
