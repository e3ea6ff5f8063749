//! The commands of `dispatch` that are no rows: functions, the application's own commands, links, files.

use std::sync::Arc;

use http::Response;
use serde_json::{Map, Value, json};
use zcomm_core::{Action, Body, Error};

use crate::bifrost::call::Call;
use crate::bifrost::fault::{Fault, brief};
use crate::bifrost::offer::Given;
use crate::bifrost::reply;
use crate::bifrost::router::EventCx;

/// `zFunc(name, args)`: calls a function of the application's.
pub(super) async fn call(
    cx: &EventCx<'_>,
    name: &str,
    args: &[Value],
) -> Result<Response<Body>, Error> {
    let functions = &cx.app.offer().functions;
    let Some(callee) = functions.get(name) else {
        let known = functions.keys();
        let permitted = |name: &&String| {
            let action = Action::Call(name);
            cx.app.policy().permits(cx.identity, &action)
        };
        let known = known.filter(permitted).cloned().collect();
        let name = brief(name);
        return Err(Fault::NoSuchFunction { name, known }.into());
    };
    callee(Call::of(cx), Given::Arguments(args.to_vec())).await
}

/// A command that the application registered under a key: it gets the whole message.
pub(super) async fn run(
    cx: &EventCx<'_>,
    key: &str,
    message: &Map<String, Value>,
) -> Result<Response<Body>, Error> {
    let Some((_, callee)) = cx.app.offer().command(key) else {
        return Err(Fault::NothingMeant.into());
    };
    callee(Call::of(cx), Given::Message(message.clone())).await
}

/// `zLink(path)`: where a registered route leads.
pub(super) fn link(cx: &EventCx<'_>, path: &str) -> Result<Response<Body>, Error> {
    let Some(route) = cx.app.offer().routes.get(path) else {
        let path = brief(path);
        return Err(Fault::NoSuchRoute { path }.into());
    };
    let mut told = json!({"path": route.path, "url": route.url});
    let model = route.model.as_ref();
    let model = model.and_then(|name| cx.app.schema().model(name).ok());
    let usable = |model: &zcomm_core::data::Model| {
        let rights = cx.app.access().rights(model, cx.identity);
        rights.is_ok_and(|rights| !rights.operations().is_empty())
    };
    if let Some(model) = model.filter(|model| usable(model)) {
        told["model"] = model.name().into();
    }
    reply::result(&told)
}

/// `zOpen(path)`: a file below the folder that is open.
pub(super) async fn open(cx: &EventCx<'_>, path: &str) -> Result<Response<Body>, Error> {
    if cx.app.offer().files.is_none() {
        return Err(Fault::NoRoot.into());
    }
    let (app, path) = (Arc::clone(cx.app), path.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let files = app.offer().files.as_ref();
        files.ok_or(Fault::NoRoot)?.open(&path)
    });
    let file = read.await.map_err(|_| Fault::Panicked)??;
    reply::result(&file)
}
