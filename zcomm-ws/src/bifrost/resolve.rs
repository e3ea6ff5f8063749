//! The layer that parses a message once, and finds out which command it is.

mod dispatch;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use serde_json::{Map, Value};
use tower::{Layer, Service};
use zcomm_core::{Body, Command, Error};

use super::app::App;
use super::fault::Fault;
use super::strict;

/// The members of a message. Requests carry it as an extension.
#[derive(Clone, Debug)]
pub(super) struct Message(Arc<Map<String, Value>>);

impl Message {
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// Parses the body and puts `Arc<Command>` on the request.
///
/// It belongs outside authorization and the cache, which both need the command.
#[derive(Clone)]
pub(super) struct ResolveLayer {
    app: Arc<App>,
}

impl ResolveLayer {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

impl<S> Layer<S> for ResolveLayer {
    type Service = Resolve<S>;

    fn layer(&self, inner: S) -> Resolve<S> {
        Resolve {
            inner,
            app: Arc::clone(&self.app),
        }
    }
}

/// The service that [`ResolveLayer`] makes.
#[derive(Clone)]
pub(super) struct Resolve<S> {
    inner: S,
    app: Arc<App>,
}

impl<S: fmt::Debug> fmt::Debug for Resolve<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolve")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S> Service<Request<Body>> for Resolve<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match resolve(&self.app, &request) {
            Ok((message, command)) => {
                let extensions = request.extensions_mut();
                extensions.insert(message);
                extensions.insert(Arc::new(command));
                Either::Left(self.inner.call(request))
            }
            Err(error) => Either::Right(ready(Err(error))),
        }
    }
}

fn resolve(app: &App, request: &Request<Body>) -> Result<(Message, Command), Error> {
    let body = request.body().as_bytes();
    let body = body.ok_or(Fault::Streamed)?;
    let members = strict::object(body)?;
    let command = match request.uri().path().trim_start_matches('/') {
        "dispatch" => dispatch::command(app, &members)?,
        event => Command::Event(event.to_owned()),
    };
    Ok((Message(Arc::new(members)), command))
}
