//! The same protocol over plain HTTP: `POST /<event>`, and what a load balancer asks. Knows nothing of sockets.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{ServiceExt, service_fn};
use zcomm_core::{Body, BoxService, Caller, Code, Credentials, Error, Peer};

use super::app::App;
use super::envelope::Envelope;
use super::fault::Fault;
use super::front::is_event_name;
use super::reply;
use crate::server::OriginVerdict;

/// Events that only mean something on a socket.
const SOCKET_ONLY: [&str; 4] = ["auth", "subscribe", "unsubscribe", "input_response"];

/// Answers `POST /<event>` through the stack, and `GET /healthz`.
pub(super) fn service(app: Arc<App>, stack: BoxService) -> BoxService {
    BoxService::new(service_fn(move |request: Request<Body>| {
        let (app, stack) = (Arc::clone(&app), stack.clone());
        async move {
            let answer = answer(&app, stack, request).await;
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
        Method::GET if request.uri().path() == "/healthz" => Ok(Response::new(Body::from("ok\n"))),
        Method::POST => {
            let request = from_page(app, request).await?;
            stack.oneshot(event(app, request).await?).await
        }
        _ => Ok(wrong_method(&request)),
    }
}

/// Lets a page's request through if the page may send it; one from disk has to show a token besides.
async fn from_page(app: &App, request: Request<Body>) -> Result<Request<Body>, Error> {
    let refused = || {
        let text = "this page may not send requests here; see `websocket.allowed_origins`";
        Error::from(Fault::new(Code::Forbidden, text))
    };
    match request.extensions().get::<OriginVerdict>() {
        None | Some(OriginVerdict::Absent | OriginVerdict::Allowed) => Ok(request),
        Some(OriginVerdict::File) => {
            let (mut head, body) = request.into_parts();
            let peer = head.extensions.get::<Peer>().copied().unwrap_or_default();
            let given = Credentials::of_head(&head)?;
            let who = app.policy().identify(&given, &peer).await?;
            who.name().ok_or_else(refused)?;
            head.extensions.insert(Arc::new(Caller::new(who, peer)));
            Ok(Request::from_parts(head, body))
        }
        Some(_) => Err(refused()),
    }
}

/// Checks the head and the body's envelope; the path names the event.
async fn event(app: &App, request: Request<Body>) -> Result<Request<Body>, Error> {
    let (head, body) = request.into_parts();
    let event = head.uri.path().trim_start_matches('/').to_owned();
    if !is_event_name(&event) {
        return Err(Fault::new(
            Code::UnknownEvent,
            format!("nothing answers `{}`", head.uri.path()),
        )
        .into());
    }
    if SOCKET_ONLY.contains(&event.as_str()) {
        let text = format!("`{event}` needs a socket: connect to this address by WebSocket");
        return Err(Fault::bad_request(text).into());
    }
    // A page elsewhere cannot send this type without asking first, so it cannot post in its reader's name.
    if !head.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(Fault::bad_request("the content type must be application/json").into());
    }
    let body = body.collect(app.longest_message()).await?;
    let text = std::str::from_utf8(&body)
        .map_err(|_| Fault::new(Code::InvalidJson, "the body is not UTF-8"))?;
    if let Ok(envelope) = Envelope::of(text).as_ref()
        && envelope.names_event()
        && envelope.event() != event
    {
        let text = format!(
            "the path names the event `{event}`, the body `{}`",
            envelope.event()
        );
        return Err(Fault::bad_request(text).into());
    }
    Ok(Request::from_parts(head, Body::from(body)))
}

fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else {
        return false;
    };
    let kind = value.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn wrong_method(request: &Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    let text = format!(
        "there is nothing to {} at `{path}`; events are posted",
        request.method()
    );
    let mut response = reply::error(&Fault::new(Code::NotFound, text).into());
    if is_event_name(path.trim_start_matches('/')) {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
