//! What a server answered at one address: an answer for each way of asking that its `Vary` tells apart.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, response};
use http_cache_semantics::{BeforeRequest, CachePolicy};
use zcomm_core::Body;

use crate::store::headers_size;

/// How many ways of asking are kept of one address.
const MOST: usize = 8;

/// For how much longer than it is fresh an answer is kept that can be asked about again.
const REVALIDATED_WITHIN: Duration = Duration::from_secs(3600);

/// The answers at one address, the latest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variants(Vec<Arc<Variant>>);

/// One answer, and what its server said about keeping it.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(super) policy: CachePolicy,
    pub(super) body: Bytes,
    headers: usize,
    lifetime: Duration,
}

/// What the answers at an address mean for a request.
pub(super) enum Verdict {
    /// One of them answers it.
    Fresh(Response<Body>),
    /// One of them may, if its server says so when it is asked with this head.
    Stale(Arc<Variant>, Box<Parts>),
    /// None does.
    Nothing,
}

impl Variant {
    /// An answer that may be kept; nothing, if its server does not want that or it would never be of use.
    pub(super) fn new(policy: CachePolicy, headers: &HeaderMap, body: Bytes) -> Option<Self> {
        let fresh = policy.time_to_live(SystemTime::now());
        let can_be_asked_about = headers.contains_key(http::header::ETAG)
            || headers.contains_key(http::header::LAST_MODIFIED);
        let lifetime = match can_be_asked_about {
            true => fresh.saturating_add(REVALIDATED_WITHIN),
            false => fresh,
        };
        (policy.is_storable() && !lifetime.is_zero()).then(|| Self {
            policy,
            body,
            headers: headers_size(headers),
            lifetime,
        })
    }

    /// The answer under a head that is up to date.
    pub(super) fn answer(&self, head: response::Parts) -> Response<Body> {
        Response::from_parts(head, Body::from(self.body.clone()))
    }
}

impl Variants {
    /// What the answers here mean for a request.
    pub(super) fn judge(&self, request: &Request<Body>) -> Verdict {
        let now = SystemTime::now();
        let mut verdict = Verdict::Nothing;
        for variant in &self.0 {
            match variant.policy.before_request(request, now) {
                BeforeRequest::Fresh(head) => return Verdict::Fresh(variant.answer(head)),
                BeforeRequest::Stale { request, matches } => {
                    if matches && matches!(verdict, Verdict::Nothing) {
                        verdict = Verdict::Stale(Arc::clone(variant), Box::new(request));
                    }
                }
            }
        }
        verdict
    }

    /// The same with another answer first, in place of those that answer the same way of asking.
    pub(super) fn with(&self, new: Variant, request: &Parts) -> Self {
        let now = SystemTime::now();
        let others = self.0.iter().filter(|old| {
            let judged = old.policy.before_request(request, now);
            matches!(judged, BeforeRequest::Stale { matches: false, .. })
        });
        let others = others.take(MOST - 1).cloned();
        Self(std::iter::once(Arc::new(new)).chain(others).collect())
    }

    /// What they weigh.
    pub(crate) fn size(&self) -> usize {
        // A policy holds the headers of the request and of the answer.
        let each = |variant: &Arc<Variant>| variant.body.len() + 2 * variant.headers + 512;
        self.0.iter().map(each).sum()
    }

    /// For how long one of them may be of use.
    pub(super) fn lifetime(&self) -> Duration {
        let lifetimes = self.0.iter().map(|variant| variant.lifetime);
        lifetimes.max().unwrap_or_default()
    }
}
