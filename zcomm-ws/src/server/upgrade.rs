//! What happens to a request: plain ones go to the HTTP service, upgrades are judged and answered with 101.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use http::header::{
    HeaderValue, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower::ServiceExt;
use tracing::info;
use zcomm_core::{Body, BoxService, Caller, Identity, Peer, Refusal};

use super::admission::{Admission, Ticket};
use super::compression;
use super::connection::Opening;
use super::door::Door;
use super::handshake::{Asked, agree_on_protocol, asked};
use super::origin::OriginRules;
use super::pages::Pages;
use super::probes::Probes;
use super::proxies::Proxies;
use super::refuse::Refused;
use super::{CloseReason, OriginVerdict, Reject, ServerConfig};
use crate::frame::{HandshakeError, HandshakeRequest};

/// Who is let in, and where the rest goes. One per server.
pub(super) struct Gate {
    pub(super) config: Arc<ServerConfig>,
    pub(super) door: Door,
    pub(super) origins: OriginRules,
    pub(super) proxies: Proxies,
    pub(super) probes: Probes,
    pub(super) admission: Arc<Admission>,
    pub(super) http: Option<BoxService>,
    pub(super) pages: Pages,
    pub(super) files_without_token: bool,
}

/// What became of an upgrade, for whoever owns the stream once the answer is sent.
pub(super) enum Verdict {
    Accepted(UpgradeFut, Opening, Ticket),
    Refused(UpgradeFut, CloseReason),
}

/// A stream on which requests come.
pub(super) struct Visit {
    peer: Peer,
    /// When the handshake is to be done, from the stream's first byte on.
    deadline: Instant,
    heard: AtomicBool,
    /// At most one verdict, as nothing comes after an upgrade.
    verdict: Mutex<Option<Verdict>>,
}

/// A request's part in it.
#[derive(Clone, Copy)]
struct Guest {
    peer: Peer,
    deadline: Instant,
}

impl Visit {
    pub(super) fn new(peer: Peer, deadline: Instant) -> Self {
        Self {
            peer,
            deadline,
            heard: AtomicBool::new(false),
            verdict: Mutex::default(),
        }
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether a request has come.
    pub(super) fn is_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// When the handshake that begins now is to be done: the first one began with the stream.
    fn begin(&self, limit: std::time::Duration) -> Instant {
        if self.heard.swap(true, Ordering::Relaxed) {
            Instant::now() + limit
        } else {
            self.deadline
        }
    }

    fn put(&self, verdict: Verdict) {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
    }

    pub(super) fn take(&self) -> Option<Verdict> {
        self.verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Gate {
    pub(super) async fn answer(&self, request: Request<Incoming>, visit: &Visit) -> Response<Body> {
        let deadline = visit.begin(self.config.handshake_timeout);
        let peer = match self.proxies.client(visit.peer, request.headers()) {
            Ok(peer) => peer,
            Err(doubt) => {
                info!(peer = %visit.peer, reason = %doubt, "request refused");
                self.probes.refused("invalid_proxy_header");
                return sentence(StatusCode::BAD_REQUEST, &doubt.to_string());
            }
        };
        let guest = Guest { peer, deadline };
        if !self.origins.host_is_answered(request.headers()) {
            self.probes.refused("invalid_host");
            return sentence(StatusCode::FORBIDDEN, "this host is not served here");
        }
        match asked(&request) {
            Asked::Plain => self.plain(request, peer).await,
            Asked::Malformed(error) => {
                self.probes.refused("invalid_handshake");
                malformed(&error)
            }
            Asked::Upgrade(asked) => self.upgrade(request, &asked, guest, visit).await,
        }
    }

    async fn plain(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let verdict = self.origins.judge(request.headers());
        let request = match self.probes.answer(request, peer, verdict, &self.door).await {
            Ok(response) => return response,
            Err(request) => request,
        };
        if let Some(page) = self.pages.answer(request.method(), request.uri().path()) {
            return page;
        }
        let Some(http) = &self.http else {
            return no_http(request.method());
        };
        // Held until the answer is there: requests take room as connections do.
        let Some(_ticket) = self.admission.admit(&peer) else {
            return sentence(
                StatusCode::SERVICE_UNAVAILABLE,
                "Maximum connections reached",
            );
        };
        let mut request = request.map(Body::stream);
        let extensions = request.extensions_mut();
        extensions.insert(verdict);
        extensions.insert(peer);
        extensions.insert(self.door.clone());
        match http.clone().oneshot(request).await {
            Ok(response) => response,
            Err(error) => sentence(error.code().status(), error.code().as_str()),
        }
    }

    async fn upgrade(
        &self,
        request: Request<Incoming>,
        asked: &HandshakeRequest,
        guest: Guest,
        visit: &Visit,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Guest { peer, .. } = guest;
        let verdict = self.judge(&head, guest).await;
        if let Err(refused) = &verdict {
            // The path may be logged, the query may hold a token.
            info!(peer = %peer, path = head.uri.path(), reason = refused.code(), "connection refused");
            self.probes.refused(refused.code());
            tokio::time::sleep(self.config.refusal_delay).await;
            if self.config.reject == Reject::Http {
                return refusal(refused);
            }
        }
        let protocol = agree_on_protocol(asked, &self.config.subprotocols);
        let deflate = verdict
            .is_ok()
            .then(|| compression::agree(&self.config, asked))
            .flatten();
        let path = head.uri.path().into();
        let (response, stream) = upgrade(Request::from_parts(head, body))
            .expect("key and version of a valid handshake are there");
        let mut response = response.map(|_| Body::empty());
        if let Some(value) = protocol.and_then(|name| HeaderValue::from_str(name).ok()) {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        let deflate = deflate.and_then(|(deflate, answer)| {
            let answer = HeaderValue::from_str(&answer).ok()?;
            response
                .headers_mut()
                .insert(SEC_WEBSOCKET_EXTENSIONS, answer);
            Some(deflate)
        });
        visit.put(match verdict {
            Err(refused) => Verdict::Refused(stream, refused.reason()),
            Ok(admitted) => {
                let opening = Opening {
                    caller: Arc::new(Caller::new(admitted.identity, peer)),
                    path,
                    protocol: protocol.map(Into::into),
                    awaits_auth: admitted.awaits_auth,
                    deflate,
                };
                Verdict::Accepted(stream, opening, admitted.ticket)
            }
        });
        response
    }

    /// Asks in the order in which reasons are given: room, origin, identity.
    async fn judge(&self, head: &Parts, guest: Guest) -> Result<Admitted, Refused> {
        let Guest { peer, deadline } = guest;
        let mut ticket = self.admission.admit(&peer).ok_or(Refused::TooMany)?;
        let origin = self.origins.judge(&head.headers);
        if origin == OriginVerdict::Denied {
            return Err(Refused::Origin);
        }
        let (identity, awaits_auth) = self
            .door
            .identify(head, peer, deadline)
            .await
            .map_err(Refused::Auth)?;
        let vouched = identity.name().is_some() || self.files_without_token;
        if origin == OriginVerdict::File && !vouched {
            return Err(Refused::Auth(Refusal::AuthenticationRequired));
        }
        if !ticket.claim(identity.name()) {
            return Err(Refused::TooMany);
        }
        Ok(Admitted {
            identity,
            awaits_auth,
            ticket,
        })
    }
}

struct Admitted {
    identity: Identity,
    awaits_auth: bool,
    ticket: Ticket,
}

fn refusal(refused: &Refused) -> Response<Body> {
    let mut response = sentence(refused.status(), &refused.text());
    if refused.status() == StatusCode::UNAUTHORIZED {
        // RFC 9110 §11.6.1: a 401 says what it wants.
        let bearer = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    }
    response
}

fn malformed(error: &HandshakeError) -> Response<Body> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let response = sentence(status, &error.to_string());
    match status {
        StatusCode::UPGRADE_REQUIRED => naming_websocket(response),
        _ => response,
    }
}

/// The answer of a server that speaks nothing but WebSocket.
fn no_http(method: &Method) -> Response<Body> {
    if method == Method::GET {
        let text = "this server speaks WebSocket";
        naming_websocket(sentence(StatusCode::UPGRADE_REQUIRED, text))
    } else {
        sentence(StatusCode::NOT_FOUND, "nothing is here")
    }
}

/// RFC 9110 §15.5.22: who asks for an upgrade says to what.
fn naming_websocket(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

fn sentence(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    response
}
