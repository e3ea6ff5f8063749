//! The layer that answers a command from the cache, or works it out once and keeps the answer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::sync::oneshot;
use tower::{Layer, Service, ServiceExt};
use zcomm_core::{Body, CacheKeyer, Error};

use super::flights::{Boarding, Fresh, Landed, Waiting};
use super::load::{Begun, Landing, Outcome, begin};
use super::server::{Asked, Label, Server};
use crate::store::Entry;

/// Keeps answers under the keys of a [`CacheKeyer`]; [`Cache::layer`](crate::Cache::layer) makes it.
///
/// The scope is that of the `Arc<Identity>` which authorization left on the request, so it belongs inside of
/// authorization, and directly around what works answers out. A request without a scope or without a key passes.
///
/// What is kept: answers with a status of success whose bytes are at hand. Errors and streams never are. The answer to
/// a read is given out only while the generation of its model is what it was before the read began. The same request
/// of the same scope runs once at a time; that one run is carried on when its caller goes.
pub struct CacheLayer<K: ?Sized> {
    server: Arc<Server>,
    keyer: Arc<K>,
}

impl<K: ?Sized> CacheLayer<K> {
    pub(crate) fn new(server: Arc<Server>, keyer: Arc<K>) -> Self {
        Self { server, keyer }
    }
}

impl<K: ?Sized> Clone for CacheLayer<K> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.server), Arc::clone(&self.keyer))
    }
}

impl<K: ?Sized> fmt::Debug for CacheLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer").finish_non_exhaustive()
    }
}

impl<S, K: ?Sized> Layer<S> for CacheLayer<K> {
    type Service = Cached<S, K>;

    fn layer(&self, inner: S) -> Cached<S, K> {
        Cached {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`CacheLayer`] makes.
pub struct Cached<S, K: ?Sized> {
    inner: S,
    layer: CacheLayer<K>,
}

impl<S: Clone, K: ?Sized> Clone for Cached<S, K> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, K: ?Sized> fmt::Debug for Cached<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, K> Service<Request<Body>> for Cached<S, K>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
    K: CacheKeyer + ?Sized,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = CacheFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (head, body) = request.into_parts();
        let server = Arc::clone(&self.layer.server);
        let Some(asked) = server.asked(&*self.layer.keyer, &head) else {
            let inner = self.inner.call(Request::from_parts(head, body));
            return CacheFuture::Passed { inner };
        };
        let message = asked.message(&body);
        if let Some(entry) = server.hit(&asked) {
            let response = kept(&entry);
            if let Some((message, command)) = message {
                server.remember(&entry, Arc::new(asked.key), &message, command);
            }
            return CacheFuture::done(response);
        }
        self.load(asked, message, Request::from_parts(head, body))
    }
}

type Message = Option<(bytes::Bytes, Arc<zcomm_core::Command>)>;

impl<S, K> Cached<S, K>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
    K: ?Sized,
{
    fn load(
        &mut self,
        asked: Asked,
        message: Message,
        request: Request<Body>,
    ) -> CacheFuture<S::Future> {
        let server = &self.layer.server;
        // Before anything is read: whatever is written from here on is newer than the answer.
        let before = server.before(&asked);
        let counters = before.account.counters();
        let wish = asked.wish;
        match server.flights().board(asked.key, &before) {
            Boarding::Joins(waiting) => {
                counters.coalesced();
                let inner = self.inner.clone();
                let again = Some(Again(Box::new(|| Box::pin(inner.oneshot(request)))));
                CacheFuture::Joined { waiting, again }
            }
            Boarding::Alone => {
                counters.miss();
                let inner = self.inner.call(request);
                CacheFuture::Passed { inner }
            }
            Boarding::Leads(seat) => {
                counters.miss();
                let label = Label {
                    key: Arc::clone(&seat.key),
                    wish,
                    message,
                };
                let landing = Landing::new(server, seat, before, label);
                match begin(server, self.inner.call(request), landing) {
                    Begun::Done(outcome) => CacheFuture::done(outcome),
                    Begun::UnderWay(outcome) => CacheFuture::Leading { outcome },
                }
            }
        }
    }
}

fn kept(entry: &Entry) -> Outcome {
    let answer = entry.answer().expect("a hit is an answer");
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers.clone();
    Ok(response)
}

fn shared(fresh: &Fresh) -> Outcome {
    let mut response = Response::new(Body::from(fresh.body.clone()));
    *response.status_mut() = fresh.status;
    *response.headers_mut() = fresh.headers.clone();
    Ok(response)
}

/// Asks by oneself after all.
#[doc(hidden)]
pub struct Again(Box<dyn FnOnce() -> BoxFuture<'static, Outcome> + Send>);

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Again")
    }
}

pin_project! {
    /// The future that [`Cached`] returns.
    #[project = Projected]
    pub enum CacheFuture<F> {
        #[doc(hidden)]
        Passed { #[pin] inner: F },
        #[doc(hidden)]
        Done { outcome: Option<Outcome> },
        #[doc(hidden)]
        Leading { #[pin] outcome: oneshot::Receiver<Outcome> },
        #[doc(hidden)]
        Joined { #[pin] waiting: Waiting, again: Option<Again> },
        #[doc(hidden)]
        Asking { outcome: BoxFuture<'static, Outcome> },
    }
}

impl<F> CacheFuture<F> {
    fn done(outcome: Outcome) -> Self {
        Self::Done {
            outcome: Some(outcome),
        }
    }
}

impl<F> fmt::Debug for CacheFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheFuture").finish_non_exhaustive()
    }
}

impl<F: Future<Output = Outcome>> Future for CacheFuture<F> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        loop {
            let asking = match self.as_mut().project() {
                Projected::Passed { inner } => return inner.poll(cx),
                Projected::Asking { outcome } => return outcome.as_mut().poll(cx),
                Projected::Done { outcome } => {
                    let outcome = outcome.take();
                    return Poll::Ready(
                        outcome.expect("a future is not polled after it was ready"),
                    );
                }
                Projected::Leading { outcome } => {
                    let lost = |_| {
                        Err(Error::Closed {
                            host: "the cache".to_owned(),
                        })
                    };
                    return outcome.poll(cx).map(|outcome| outcome.unwrap_or_else(lost));
                }
                Projected::Joined { waiting, again } => match std::task::ready!(waiting.poll(cx)) {
                    Ok(Landed::Answer(fresh)) => return Poll::Ready(shared(&fresh)),
                    Ok(Landed::Failed(error)) => {
                        return Poll::Ready(Err(Error::Shared(error)));
                    }
                    Ok(Landed::Alone) | Err(_) => again.take(),
                },
            };
            let again = asking.expect("a future is not polled after it was ready");
            self.set(Self::Asking {
                outcome: (again.0)(),
            });
        }
    }
}
