//! The layer that parses a message once, and finds out which command it is.

mod dispatch;
mod special;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use serde_json::{Map, Value};
use tower::{Layer, Service};
use zcomm_core::{Body, Caller, Command, Error};

use super::app::App;
use super::fault::Fault;
use super::strict;

/// The members of a message. Requests carry it as an extension.
#[derive(Clone)]
pub(super) struct Message(Arc<Map<String, Value>>);

impl Message {
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

// A message may hold a token.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
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
        "dispatch" => {
            let caller = request.extensions().get::<Arc<Caller>>();
            let who = caller.map(|caller| caller.identity());
            dispatch::command(app, &members, who.as_deref())?
        }
        event => Command::Event(event.to_owned()),
    };
    Ok((Message(Arc::new(members)), command))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tower::{ServiceExt, service_fn};
    use zcomm_core::Code;
    use zcomm_core::data::{Field, Kind, Model, Schema};

    use super::*;

    fn app() -> Arc<App> {
        let notes = Model::builder("notes").field(Field::new("id", Kind::Int).primary_key());
        let schema = Schema::of([notes.build().unwrap()]).unwrap();
        Arc::new(App::open(schema))
    }

    /// What reaches the inner service: the command's action and one member of the message.
    async fn resolved(path: &str, body: Body) -> Result<(String, Option<Value>), Error> {
        let seen = Mutex::new(None);
        let inner = service_fn(|request: Request<Body>| {
            let extensions = request.extensions();
            let command = extensions.get::<Arc<Command>>().unwrap();
            let message = extensions.get::<Message>().unwrap();
            *seen.lock().unwrap() = Some((
                command.action().to_string(),
                message.member("model").cloned(),
            ));
            async { Ok(Response::new(Body::empty())) }
        });
        let request = Request::post(path).body(body).unwrap();
        ResolveLayer::new(app())
            .layer(inner)
            .oneshot(request)
            .await?;
        Ok(seen.into_inner().unwrap().unwrap())
    }

    #[tokio::test]
    async fn a_dispatch_becomes_its_command_and_any_other_event_its_name() {
        let read = resolved("/dispatch", Body::from(r#"{"zKey":"^List notes"}"#))
            .await
            .unwrap();
        let event = resolved("/get_schema", Body::from(r#"{"model":"notes","x":null}"#))
            .await
            .unwrap();

        assert_eq!(read, ("read `notes`".to_owned(), None));
        assert_eq!(
            event,
            ("send `get_schema`".to_owned(), Some("notes".into()))
        );
    }

    #[tokio::test]
    async fn what_cannot_be_resolved_goes_no_further() {
        for (body, code) in [
            ("{", Code::InvalidJson),
            ("[]", Code::BadRequest),
            (r#"{"zKey":"^List x"}"#, Code::UnknownModel),
        ] {
            let error = resolved("/dispatch", Body::from(body)).await.unwrap_err();
            assert_eq!(error.code(), code, "{body}");
        }
    }
}
