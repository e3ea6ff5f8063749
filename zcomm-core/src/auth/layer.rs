//! The layer that puts an [`AuthPolicy`] in front of a service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service, ServiceExt};

use super::{AuthPolicy, Credentials, Refusal};
use crate::action::Action;
use crate::body::Body;
use crate::caller::{Caller, Peer};
use crate::code::Code;
use crate::command::Command;
use crate::error::Error;
use crate::identity::Identity;

/// Identifies the caller of a request that has none yet, and lets through what the policy permits.
///
/// A request that comes from a connection carries its `Arc<Caller>`; any other is judged by its own head and its
/// extension [`Peer`], without which it is refused: who does not say where a request is from must not be taken for the
/// application itself. What it wants to do is the action of its `Arc<Command>`, or the event that its path names.
///
/// What goes inward carries the `Arc<Identity>` that was judged. A caller may be renewed at any time, so whoever works
/// out rights for the request uses that one, and not what the caller is by then.
///
/// It belongs inside tracing and the deadline, and outside any cache: a cached answer must be permitted, too.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use tower::{Layer, ServiceExt, service_fn};
/// use zcomm_core::{AuthLayer, Body, Error, Identity, Open, Peer};
///
/// let app = service_fn(async |request: http::Request<Body>| {
///     let who = request.extensions().get::<Arc<Identity>>().unwrap();
///     Ok::<_, Error>(http::Response::new(Body::from(who.app().to_owned())))
/// });
/// let stack = AuthLayer::new(Open).layer(app);
/// let request = http::Request::post("/ping?app_name=shop").extension(Peer::in_process()).body(Body::empty()).unwrap();
/// let reply = stack.oneshot(request).await.unwrap();
/// assert_eq!(reply.body().as_bytes().unwrap(), b"shop");
/// # });
/// ```
#[derive(Debug)]
pub struct AuthLayer<P: ?Sized>(Arc<P>);

impl<P: AuthPolicy> AuthLayer<P> {
    /// Judges by `policy`.
    pub fn new(policy: P) -> Self {
        Self(Arc::new(policy))
    }
}

impl<P: AuthPolicy + ?Sized> AuthLayer<P> {
    /// Judges by a policy that others hold, too.
    pub fn shared(policy: Arc<P>) -> Self {
        Self(policy)
    }
}

impl<P: ?Sized> Clone for AuthLayer<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, P: ?Sized> Layer<S> for AuthLayer<P> {
    type Service = Auth<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Auth {
            inner,
            policy: Arc::clone(&self.0),
        }
    }
}

/// The service that [`AuthLayer`] makes.
pub struct Auth<S, P: ?Sized> {
    inner: S,
    policy: Arc<P>,
}

impl<S: Clone, P: ?Sized> Clone for Auth<S, P> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            policy: Arc::clone(&self.policy),
        }
    }
}

impl<S: fmt::Debug, P: ?Sized> fmt::Debug for Auth<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, P> Service<Request<Body>> for Auth<S, P>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
    P: AuthPolicy + ?Sized + 'static,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = AuthFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> AuthFuture<S::Future> {
        let (mut head, body) = request.into_parts();
        if let Some(caller) = head.extensions.get::<Arc<Caller>>() {
            return match admit(&*self.policy, caller, &head) {
                Ok(who) => {
                    head.extensions.insert(who);
                    let inner = self.inner.call(Request::from_parts(head, body));
                    AuthFuture::Known { inner }
                }
                Err(refused) => AuthFuture::Refused {
                    refused: Some(refused),
                },
            };
        }
        // The clone takes the place of the service that `poll_ready` made ready.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let policy = Arc::clone(&self.policy);
        AuthFuture::Unknown {
            inner: Box::pin(identify_and_call(policy, ready, head, body)),
        }
    }
}

async fn identify_and_call<S, P>(
    policy: Arc<P>,
    ready: S,
    mut head: Parts,
    body: Body,
) -> Result<Response<Body>, Error>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
    P: AuthPolicy + ?Sized,
{
    let peer = head.extensions.get::<Peer>().copied();
    let peer = peer
        .ok_or_else(|| Error::other(Code::Internal, "the request does not say where it is from"))?;
    let given = Credentials::of_head(&head)?;
    let caller = Arc::new(Caller::new(policy.identify(&given, &peer).await?, peer));
    let who = admit(&*policy, &caller, &head)?;
    head.extensions.insert(caller);
    head.extensions.insert(who);
    ready.oneshot(Request::from_parts(head, body)).await
}

fn admit<P: AuthPolicy + ?Sized>(
    policy: &P,
    caller: &Caller,
    head: &Parts,
) -> Result<Arc<Identity>, Error> {
    let who = caller.identity();
    if who.is_expired(SystemTime::now()) {
        return Err(Refusal::InvalidToken.into());
    }
    let command = head.extensions.get::<Arc<Command>>();
    let action = command.map_or_else(|| Action::of_path(head), |command| command.action());
    if policy.permits(&who, &action) {
        return Ok(who);
    }
    Err(Error::Forbidden {
        who: who.to_string(),
        action: action.to_string(),
    })
}

pin_project! {
    /// The future that [`Auth`] returns.
    #[project = Projected]
    pub enum AuthFuture<F> {
        #[doc(hidden)]
        Refused { refused: Option<Error> },
        #[doc(hidden)]
        Known { #[pin] inner: F },
        #[doc(hidden)]
        Unknown { inner: Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>> },
    }
}

impl<F> fmt::Debug for AuthFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for AuthFuture<F> {
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projected::Refused { refused } => Poll::Ready(Err(refused
                .take()
                .expect("a future is not polled after it was ready"))),
            Projected::Known { inner } => inner.poll(cx),
            Projected::Unknown { inner } => inner.as_mut().poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tower::service_fn;

    use super::*;

    /// Knows the token `sesame`, and lets its bearer do anything but shout.
    struct Sesame;

    #[async_trait]
    impl AuthPolicy for Sesame {
        async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
            match &given.token {
                Some(token) if token.expose() == "sesame" => Ok(Identity::user("ali")),
                Some(_) => Err(Refusal::InvalidToken),
                None => Err(Refusal::AuthenticationRequired),
            }
        }

        fn permits(&self, _who: &Identity, what: &Action<'_>) -> bool {
            *what != Action::Event("shout")
        }
    }

    async fn call(request: http::request::Builder) -> Result<String, Error> {
        let app = service_fn(async |request: Request<Body>| {
            let caller = request.extensions().get::<Arc<Caller>>().cloned();
            let name = caller.map(|caller| caller.identity().to_string());
            Ok::<_, Error>(Response::new(Body::from(name.unwrap_or_default())))
        });
        let reply = AuthLayer::new(Sesame)
            .layer(app)
            .oneshot(
                request
                    .extension(Peer::in_process())
                    .body(Body::empty())
                    .unwrap(),
            )
            .await?;
        Ok(String::from_utf8(reply.body().as_bytes().unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_request_without_a_caller_is_judged_by_its_head() {
        let known = call(Request::post("/ping").header("authorization", "Bearer sesame")).await;
        let wrong = call(Request::post("/ping?token=simsim")).await;
        let none = call(Request::post("/ping")).await;

        assert_eq!(known.unwrap(), "`ali`");
        assert_eq!(wrong.unwrap_err().to_string(), "Invalid token");
        assert_eq!(none.unwrap_err().to_string(), "Authentication required");
    }

    #[tokio::test]
    async fn a_caller_that_is_there_is_kept() {
        let caller = Arc::new(Caller::new(Identity::user("eve"), Peer::in_process()));

        let name = call(Request::post("/ping?token=sesame").extension(caller)).await;

        assert_eq!(name.unwrap(), "`eve`");
    }

    #[tokio::test]
    async fn what_is_not_permitted_is_forbidden_by_name() {
        let error = call(Request::post("/shout?token=sesame"))
            .await
            .unwrap_err();

        assert_eq!(error.to_string(), "`ali` may not send `shout`");
        assert_eq!(error.code(), Code::Forbidden);
    }

    #[tokio::test]
    async fn an_identity_that_ended_is_refused() {
        let ended = Identity::user("eve").expiring(SystemTime::UNIX_EPOCH);
        let caller = Arc::new(Caller::new(ended, Peer::in_process()));

        let error = call(Request::post("/ping").extension(caller))
            .await
            .unwrap_err();

        assert!(
            matches!(error, Error::Refused(Refusal::InvalidToken)),
            "{error:?}"
        );
    }
}
