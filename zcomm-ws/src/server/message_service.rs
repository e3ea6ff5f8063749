//! A tower service as the handler of messages. Routes nothing itself.

use std::fmt;

use bytes::Bytes;
use http::{Method, Request, Response};
use tower::{Service, ServiceExt};
use tracing::warn;
use zcomm_core::Body;

use super::{CloseReason, Connection, Cx, Handler, Reply};
use crate::frame::{MessageKind, MessageRef};

/// The most bytes that a reply may have.
const LONGEST: usize = 16 * 1024 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Gives each message to a tower service, as a `POST` to the path that the connection was opened with.
///
/// The body of the response is the reply: text if the message was one and the body is UTF-8, else binary; an empty one
/// is none. Its status means nothing on a socket. Messages of a connection are answered in their order; an error of the
/// service is logged, and the connection lives on.
///
/// ```
/// use http::{Request, Response};
/// use tower::service_fn;
/// use zcomm_core::{Body, Error};
/// use zcomm_ws::server::Server;
///
/// let shout = service_fn(async |request: Request<Body>| {
///     let text = request.into_body().collect(1024).await?;
///     Ok::<_, Error>(Response::new(Body::from(text.to_ascii_uppercase())))
/// });
/// let server = Server::builder().service(shout);
/// # let _ = server;
/// ```
pub struct ServiceHandler<S>(S);

impl<S> ServiceHandler<S> {
    pub(super) fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S, B> Handler for ServiceHandler<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Session = ();

    fn connect(&self, _cx: &mut Cx<'_>) -> Result<(), CloseReason> {
        Ok(())
    }

    fn message(&self, (): &mut (), cx: &mut Cx<'_>, message: MessageRef<'_>) {
        let connection = cx.connection().clone();
        let kind = message.kind();
        let answered = answer(self.0.clone(), request(&connection, message));
        let future = async move {
            match answered.await {
                Ok(body) => reply(kind, body),
                Err(error) => {
                    warn!(conn_id = connection.id().as_u64(), %error, "message service failed");
                    Reply::from(())
                }
            }
        };
        cx.run_in_order(future)
            .expect("a saturated connection is paused, and takes no messages");
        if cx.is_saturated() {
            cx.pause();
        }
    }
}

fn request(connection: &Connection, message: MessageRef<'_>) -> Request<Body> {
    let mut request = Request::new(Body::from(message.as_bytes().to_vec()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = connection
        .path()
        .parse()
        .expect("the path was parsed at the handshake");
    let extensions = request.extensions_mut();
    extensions.insert(std::sync::Arc::clone(connection.caller()));
    extensions.insert(connection.clone());
    request
}

async fn answer<S, B>(service: S, request: Request<Body>) -> Result<Bytes, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let response = service.oneshot(request).await.map_err(Into::into)?;
    let body = Body::stream(response.into_body());
    Ok(body.collect(LONGEST).await?)
}

fn reply(kind: MessageKind, body: Bytes) -> Reply {
    if body.is_empty() {
        return Reply::from(());
    }
    match kind {
        MessageKind::Text if simdutf8::basic::from_utf8(&body).is_ok() => Reply::text(body),
        _ => Reply::binary(body),
    }
}

impl<S> fmt::Debug for ServiceHandler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceHandler")
    }
}
