//! `dispatch`: reads and writes of rows.

use async_trait::async_trait;
use http::Response;
use zcomm_core::data::{Query, Requester, Shape, Store, Write};
use zcomm_core::{Body, Code, Command, Error, Identity};

use crate::bifrost::app::App;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// Does what the command says, as far as the caller may.
pub(super) struct Dispatch;

#[async_trait]
impl Event for Dispatch {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let identity = cx.caller.identity();
        match &**cx.command {
            Command::Read { query, .. } => read(cx.app, &identity, query).await,
            Command::Write(write) => {
                let who = Requester::new(&identity).over(cx.caller.connection());
                write_rows(cx.app, &who, write).await
            }
            other => {
                let text = format!("`dispatch` does not {}", other.action());
                Err(Error::other(Code::BadRequest, text))
            }
        }
    }
}

async fn read(app: &App, identity: &Identity, query: &Query) -> Result<Response<Body>, Error> {
    let permitted = app
        .access()
        .query(query.clone(), &Requester::new(identity))?;
    let rows = app.store().read(&permitted).await?;
    let cached = ("_cached", "false");
    if query.shape == Shape::One {
        return Ok(reply::result_of_json(&rows.one(), &[cached]));
    }
    match &rows.next {
        None => Ok(reply::result_of_json(&rows.json, &[cached])),
        Some(next) => {
            let next = serde_json::Value::from(next.as_str()).to_string();
            let members = [cached, ("_more", "true"), ("_next", next.as_str())];
            Ok(reply::result_of_json(&rows.json, &members))
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
    let outcome = written.outcomes.first().ok_or_else(|| {
        Error::other(
            Code::Internal,
            "the store did a write and said nothing of it",
        )
    })?;
    reply::result(&writes[0].answer(outcome))
}
