//! The layer that keeps what somebody read from whoever the connection became while it was read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use tower::{Layer, Service};
use zcomm_core::{Body, Caller, Command, Error, Scope};

use super::fault::Fault;

/// Refuses the answer to a read whose caller became somebody else meanwhile.
///
/// It belongs inside the layer that resolves commands and outside any cache. What was written is answered all the same:
/// it has happened, and its writer has to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct RenewedLayer;

impl<S> Layer<S> for RenewedLayer {
    type Service = Renewed<S>;

    fn layer(&self, inner: S) -> Renewed<S> {
        Renewed { inner }
    }
}

/// The service that [`RenewedLayer`] makes.
#[derive(Clone, Debug)]
pub(super) struct Renewed<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Renewed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
    S::Future: Unpin,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = RenewedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let extensions = request.extensions();
        let command = extensions.get::<Arc<Command>>();
        let is_read = command.is_some_and(|command| reads_only(command));
        let caller = extensions.get::<Arc<Caller>>().filter(|_| is_read).cloned();
        let asked = caller.map(|caller| {
            let (identity, version) = caller.snapshot();
            (caller, identity.scope(), version)
        });
        RenewedFuture {
            inner: self.inner.call(request),
            asked,
        }
    }
}

/// Whether nothing but an answer comes of it. What may have written is answered, whoever asks by then.
fn reads_only(command: &Command) -> bool {
    match command {
        Command::Read { .. } | Command::Open(_) => true,
        Command::Event(name) => &**name == "subscribe",
        _ => false,
    }
}

/// The future that [`Renewed`] returns.
#[derive(Debug)]
pub(super) struct RenewedFuture<F> {
    inner: F,
    /// Who asked, and who that was then; nothing where it does not matter.
    asked: Option<(Arc<Caller>, Scope, u64)>,
}

impl<F> Future for RenewedFuture<F>
where
    F: Future<Output = Result<Response<Body>, Error>> + Unpin,
{
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.inner).poll(cx));
        let is_other = self.asked.as_ref().is_some_and(|(caller, scope, version)| {
            let (identity, now) = caller.snapshot();
            now != *version && identity.scope() != *scope
        });
        Poll::Ready(match answer {
            Ok(_) if is_other => Err(Fault::Renewed.into()),
            answer => answer,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tower::{ServiceExt, service_fn};
    use zcomm_core::data::{Field, Kind, Model, Query};
    use zcomm_core::{CacheWish, Code, Identity, Peer};

    use super::*;

    async fn read_while(become_: Identity) -> Result<Response<Body>, Error> {
        let model = Model::builder("notes").field(Field::new("id", Kind::Int).primary_key());
        let query = Query::parse(&model.build().unwrap(), &serde_json::Map::new()).unwrap();
        let cache = CacheWish::default();
        let caller = Arc::new(Caller::new(Identity::user("ada"), Peer::in_process()));
        let during = Mutex::new(Some((Arc::clone(&caller), become_)));
        let inner = service_fn(|_: Request<Body>| {
            let (caller, other) = during.lock().unwrap().take().unwrap();
            caller.renew(other);
            std::future::ready(Ok(Response::new(Body::from("rows"))))
        });
        let request = Request::post("/dispatch")
            .extension(caller)
            .extension(Arc::new(Command::Read { query, cache }));
        let request = request.body(Body::empty()).unwrap();
        RenewedLayer.layer(inner).oneshot(request).await
    }

    #[tokio::test]
    async fn rows_go_to_whoever_asked_for_them_and_to_nobody_else() {
        let same = read_while(Identity::user("ada")).await;
        let other = read_while(Identity::user("eve")).await;

        assert_eq!(same.unwrap().body().as_bytes(), Some(&b"rows"[..]));
        assert_eq!(other.unwrap_err().code(), Code::Unauthorized);
    }
}
