//! What monitors ask a server by plain HTTP: is it alive, does it take clients, what has it counted. Counts nothing.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use zcomm_core::{Body, Peer};

use super::door::Door;
use super::origin::OriginVerdict;
use crate::hub::Hub;

/// The type of Prometheus' text form.
const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// Answers `/healthz`, `/readyz` and `/metrics`.
#[derive(Debug)]
pub(super) struct Probes {
    hub: Hub,
    metrics: bool,
    is_local: bool,
}

impl Probes {
    pub(super) fn new(hub: Hub, metrics: bool, is_local: bool) -> Self {
        Self {
            hub,
            metrics,
            is_local,
        }
    }

    pub(super) fn refused(&self, reason: &str) {
        self.hub.metrics().refused(reason);
    }

    /// The answer, or the request if it is for somebody else.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        verdict: OriginVerdict,
        door: &Door,
    ) -> Result<Response<Body>, Request<Incoming>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Err(request);
        }
        match request.uri().path() {
            "/healthz" => Ok(Response::new(Body::from("ok\n"))),
            "/readyz" => Ok(self.readiness()),
            "/metrics" if self.metrics => Ok(self.counts(request, peer, verdict, door).await),
            _ => Err(request),
        }
    }

    fn readiness(&self) -> Response<Body> {
        if self.hub.is_draining() {
            said(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            said(StatusCode::OK, "ready\n")
        }
    }

    async fn counts(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        verdict: OriginVerdict,
        door: &Door,
    ) -> Response<Body> {
        if matches!(verdict, OriginVerdict::Denied | OriginVerdict::File) {
            return said(StatusCode::FORBIDDEN, "no page may read this\n");
        }
        if !self.is_local {
            let (mut head, _) = request.into_parts();
            head.extensions.insert(peer);
            match door.admit(&head).await {
                Ok(caller) if caller.identity().name().is_some() => {}
                Ok(_) => return said(StatusCode::UNAUTHORIZED, "a token is needed here\n"),
                Err(error) => return said(error.code().status(), "a token is needed here\n"),
            }
        }
        let text = self.hub.metrics().text(self.hub.depths());
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, PROMETHEUS);
        response
    }
}

fn said(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
