//! The same protocol over plain HTTP: `POST /<event>`. Knows nothing of sockets.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tower::{ServiceExt, service_fn};
use zcomm_core::{Body, BoxService, Caller, Error};

use super::app::App;
use super::assets;
use super::console;
use super::envelope::Envelope;
use super::fault::{Fault, brief};
use super::front::is_event_name;
use super::reply;
use crate::server::{Door, OriginVerdict};

/// Events that only mean something on a socket.
const SOCKET_ONLY: [&str; 4] = ["auth", "subscribe", "unsubscribe", "input_response"];

/// Answers `POST /<event>` through the stack, the client's files, and the console where it is wanted.
pub(super) fn service(app: Arc<App>, stack: BoxService, console: bool) -> BoxService {
    let files = move |request: &Request<Body>| {
        let (method, uri) = (request.method(), request.uri());
        let file = assets::answer(method, uri, request.headers());
        file.or_else(|| console.then(|| console::answer(method, uri)).flatten())
    };
    BoxService::new(service_fn(move |request: Request<Body>| {
        let (app, stack) = (Arc::clone(&app), stack.clone());
        // What is the same for everybody is there at once, and nobody is asked who they are.
        let file = files(&request);
        async move {
            if let Some(file) = file {
                return Ok::<_, Error>(file);
            }
            // The body counts as well: who sends one slowly is not waited for any longer than others.
            let limit = app.limits().request;
            let answer = tokio::time::timeout(limit, answer(&app, stack, request)).await;
            let answer = answer.unwrap_or(Err(Error::Timeout { limit }));
            Ok::<_, Error>(answer.unwrap_or_else(|error| reply::error(&error)))
        }
    }))
}

async fn answer(
    app: &App,
    stack: BoxService,
    request: Request<Body>,
) -> Result<Response<Body>, Error> {
    match *request.method() {
        Method::POST => {
            // Who asks comes first: to strangers every body is answered alike, and none is read.
            let request = identified(request).await?;
            stack.oneshot(event(app, request).await?).await
        }
        _ => Ok(wrong_method(&request)),
    }
}

/// Finds out who asks, as at a handshake; a page has to be one that may, and one from disk has to show a token.
async fn identified(mut request: Request<Body>) -> Result<Request<Body>, Error> {
    let door = request.extensions_mut().remove::<Door>();
    let verdict = request.extensions().get::<OriginVerdict>().copied();
    let (Some(door), Some(verdict)) = (door, verdict) else {
        return Err(Fault::LayerMissing {
            missing: "the server",
        }
        .into());
    };
    if verdict == OriginVerdict::Denied {
        return Err(Fault::PageRefused.into());
    }
    let (mut head, body) = request.into_parts();
    let caller = door.admit(&head).await?;
    if verdict == OriginVerdict::File && caller.identity().name().is_none() {
        return Err(Fault::PageRefused.into());
    }
    head.extensions.insert::<Arc<Caller>>(caller);
    Ok(Request::from_parts(head, body))
}

/// Checks the head and the body's envelope; the path names the event.
async fn event(app: &App, request: Request<Body>) -> Result<Request<Body>, Error> {
    let (mut head, body) = request.into_parts();
    // One event has two names; the policy is asked about the one.
    if head.uri.path() == "/set_query_cache_ttl" {
        head.uri = Uri::from_static("/set_cache_ttl");
    }
    let event = head.uri.path().trim_start_matches('/').to_owned();
    if !is_event_name(&event) {
        return Err(Fault::NoSuchEvent {
            name: brief(&event),
        }
        .into());
    }
    if SOCKET_ONLY.contains(&event.as_str()) {
        return Err(Fault::NeedsSocket { event }.into());
    }
    // A page elsewhere cannot send this type without asking first, so it cannot post in its reader's name.
    if !head.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(Fault::ContentType.into());
    }
    let body = body.collect(app.longest_message()).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Fault::NotUtf8)?;
    let message = match Envelope::of(text) {
        Ok(envelope) if envelope.names_event() && envelope.event() != event => {
            let body = brief(envelope.event());
            return Err(Fault::PathAndBodyDiffer { path: event, body }.into());
        }
        Ok(envelope) => envelope.without_id(),
        // The path is the event; that the body names none is no fault here.
        Err(Fault::NoEvent) => Envelope::without_id_of(text),
        Err(fault) => return Err(fault.into()),
    };
    Ok(Request::from_parts(head, Body::from(message)))
}

fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else {
        return false;
    };
    let kind = value.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn wrong_method(request: &Request<Body>) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path());
    let is_event = is_event_name(path.trim_start_matches('/'));
    let path = brief(path);
    let mut response = reply::error(&Fault::NothingThere { method, path }.into());
    if is_event {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
