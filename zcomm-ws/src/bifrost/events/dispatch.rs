//! `dispatch`: reads and writes of rows, and the way to commands that are neither.

use async_trait::async_trait;
use http::Response;
use zcomm_core::data::{Query, Requester, Shape, Store, Write};
use zcomm_core::{Body, Command, Error, Identity};

use super::command;
use crate::bifrost::app::App;
use crate::bifrost::fault::Fault;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// Does what the command says, as far as the caller may.
pub(super) struct Dispatch;

#[async_trait]
impl Event for Dispatch {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        match &**cx.command {
            Command::Read { query, .. } => read(cx.app, cx.identity, query).await,
            Command::Write(write) => {
                let who = Requester::new(cx.identity).over(cx.caller.connection());
                write_rows(cx.app, &who, write).await
            }
            Command::Call { function, args } => command::call(&cx, function, args).await,
            Command::Run { key, message } => command::run(&cx, key, message).await,
            Command::Link(path) => command::link(&cx, path),
            Command::Open(path) => command::open(&cx, path).await,
            _ => Err(Fault::NothingMeant.into()),
        }
    }
}

async fn read(app: &App, identity: &Identity, query: &Query) -> Result<Response<Body>, Error> {
    let permitted = app
        .access()
        .query(query.clone(), &Requester::new(identity))?;
    let rows = app.store().read(&permitted).await?;
    if query.shape == Shape::One {
        return Ok(reply::read_of_json(&rows.one(), &[]));
    }
    match &rows.next {
        None => Ok(reply::read_of_json(&rows.json, &[])),
        Some(next) => {
            let next = serde_json::Value::from(next.as_str()).to_string();
            let members = [("_more", "true"), ("_next", next.as_str())];
            Ok(reply::read_of_json(&rows.json, &members))
        }
    }
}

async fn write_rows(
    app: &App,
    who: &Requester<'_>,
    write: &Write,
) -> Result<Response<Body>, Error> {
    let permitted = app.access().write(write.clone(), who)?;
    let writes = [permitted];
    let written = app.store().write(&writes).await?;
    let outcome = written.outcomes.first().ok_or(Fault::SilentStore)?;
    reply::result(&writes[0].answer(outcome))
}
