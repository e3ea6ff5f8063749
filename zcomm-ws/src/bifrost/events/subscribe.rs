//! `subscribe`, `unsubscribe`, `publish`: what a client follows, and what it tells others.

use std::sync::Arc;

use async_trait::async_trait;
use http::Response;
use serde_json::{Map, Value, json};
use zcomm_core::data::{Model, Query, Requester, Shape};
use zcomm_core::{Body, Error};

use crate::bifrost::app::App;
use crate::bifrost::fault::Fault;
use crate::bifrost::live::{AfterReply, Opening, Target, permitted};
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};
use crate::server::Connection;

/// Members that are no arguments of a query.
const ENVELOPE: [&str; 4] = ["event", "action", "model", "snapshot"];

/// `subscribe`: from its reply on the client is told what becomes of these rows, or what is published on the topic.
pub(super) struct Subscribe;

#[async_trait]
impl Event for Subscribe {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        if cx.message.member("topic").is_some() {
            return topic(&cx);
        }
        let model = cx.app.schema().model(cx.text("model")?)?;
        let snapshot = flag(&cx, "snapshot")?;
        rows(&cx, model, snapshot).await
    }
}

fn topic(cx: &EventCx<'_>) -> Result<Response<Body>, Error> {
    let (connection, topic) = (cx.socket()?, cx.text("topic")?);
    if cx.message.member("model").is_some() {
        return Err(Fault::TwoTargets.into());
    }
    cx.app.topics().may_join(cx.app, cx.identity, topic)?;
    let target = Target::Topic(topic.to_owned());
    let (id, _) = cx.app.live().reserve(connection.id(), target)?;
    let opening = Opening::topic(cx.app, connection, (id, topic.to_owned()));
    Ok(opened(
        reply::result(&json!({ "subscription": id }))?,
        opening,
    ))
}

/// A number that was given out for a request: it is taken back if the request fails, or is given up.
struct Reserved<'a> {
    place: (&'a Arc<App>, &'a Connection, u64),
    ends: bool,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let (app, connection, id) = self.place;
        if self.ends {
            app.live().end(app, connection.id(), id);
        }
    }
}

async fn rows(
    cx: &EventCx<'_>,
    model: &Arc<Model>,
    snapshot: bool,
) -> Result<Response<Body>, Error> {
    let (app, connection) = (cx.app, cx.socket()?);
    let version = cx.caller.version();
    let mut arguments = arguments(cx.message.members())?;
    let ordered = query(model, &arguments)?;
    // The order is the snapshot's alone: what comes afterwards comes as it happens.
    arguments.remove("order_by");
    let asked = query(model, &arguments)?;
    let live = permitted(app, cx.identity, &asked)?;
    let target = Target::Rows(Box::new(asked.clone()));
    let (id, is_new) = app.live().reserve(connection.id(), target)?;
    let mut reserved = Reserved {
        place: (app, connection, id),
        // One that was there goes on, whatever becomes of this request.
        ends: is_new,
    };
    // Before the snapshot: every change behind it then says how its row was before.
    let fields = live.filter.fields().into_iter().cloned();
    let watch = app.store().watch(model, fields);
    let place = (app, connection, id);
    if !snapshot {
        reserved.ends = false;
        let from = (app.store().subscribe(), watch);
        let opening = Opening::rows(place, (asked, live, version), from);
        return Ok(opened(
            reply::result(&json!({ "subscription": id }))?,
            opening,
        ));
    }
    let ordered = app.access().query(ordered, &Requester::new(cx.identity))?;
    let (rows, changes) = app.store().snapshot(&ordered).await?;
    reserved.ends = false;
    let opening = Opening::rows(place, (asked, live, version), (changes, watch));
    let mut result = format!(
        "{{\"subscription\":{id},\"seq\":{},\"rows\":",
        opening.seq()
    )
    .into_bytes();
    result.extend_from_slice(&rows.json);
    result.push(b'}');
    let next = rows.next.map(|next| Value::from(next).to_string());
    let response = match &next {
        None => reply::result_of_json(&result, &[]),
        Some(next) => reply::result_of_json(&result, &[("_more", "true"), ("_next", next)]),
    };
    Ok(opened(response, opening))
}

/// What a subscription may say of rows: all of them that match, and which of their fields.
fn arguments(members: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let is_argument = |(name, _): &(&String, &Value)| !ENVELOPE.contains(&name.as_str());
    let arguments: Map<String, Value> = members
        .iter()
        .filter(is_argument)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for name in ["limit", "offset", "after"] {
        if arguments.get(name).is_some_and(|value| !value.is_null()) {
            let expected = "left out: a subscription is to all rows that match";
            return Err(Fault::BadMember { name, expected });
        }
    }
    Ok(arguments)
}

fn query(model: &Arc<Model>, arguments: &Map<String, Value>) -> Result<Query, Error> {
    let mut query = Query::parse(model, arguments)?;
    query.shape = Shape::Rows;
    Ok(query)
}

fn opened(mut response: Response<Body>, opening: Opening) -> Response<Body> {
    response.extensions_mut().insert(AfterReply::new(opening));
    response
}

fn flag(cx: &EventCx<'_>, name: &'static str) -> Result<bool, Fault> {
    let expected = "true or false";
    match cx.message.member(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Fault::BadMember { name, expected }),
    }
}

/// `unsubscribe`: by the subscription's number, or by what was subscribed to.
pub(super) struct Unsubscribe;

#[async_trait]
impl Event for Unsubscribe {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let (app, client) = (cx.app, cx.socket()?.id());
        let found = if let Some(id) = cx.message.member("subscription") {
            let expected = "the number of a subscription";
            let name = "subscription";
            let id = id.as_u64().ok_or(Fault::BadMember { name, expected })?;
            app.live().find(client, |other, _| other == id)
        } else if cx.message.member("topic").is_some() {
            let wanted = Target::Topic(cx.text("topic")?.to_owned());
            app.live().find(client, |_, target| *target == wanted)
        } else {
            let model = app.schema().model(cx.text("model")?)?;
            let mut arguments = arguments(cx.message.members())?;
            arguments.remove("order_by");
            let wanted = Target::Rows(Box::new(query(model, &arguments)?));
            app.live().find(client, |_, target| *target == wanted)
        };
        let Some(id) = found.first() else {
            return Err(Fault::NoSubscription.into());
        };
        app.live().end(app, client, *id);
        reply::result(&json!({ "subscription": id }))
    }
}

/// `publish`: to everybody of the same application who joined the topic.
pub(super) struct Publish;

#[async_trait]
impl Event for Publish {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let topic = cx.text("topic")?;
        let data = cx.message.member("data").unwrap_or(&Value::Null);
        let topics = cx.app.topics();
        reply::result(&topics.publish(cx.app, cx.identity, (topic, data))?)
    }
}
