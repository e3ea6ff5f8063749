//! What one call of the client wishes and how far it is: the extension that its layers share. Acts on nothing.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use http::uri::Authority;
use http::{Extensions, Uri};
use reqwest::Url;
use tokio::time::Instant;

use crate::error::Place;
use crate::layers::again::Again;
use crate::layers::retry::Retry;

/// Requests carry it as the extension `Arc<Call>`; a layer that finds none goes by its own configuration.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) attempt_limit: Option<Duration>,
    pub(crate) connect_limit: Option<Duration>,
    pub(crate) read_limit: Option<Duration>,
    pub(crate) redirects: Option<usize>,
    pub(crate) retry: Option<Retry>,
    /// The address as it was parsed, so that the transport need not parse it again.
    pub(crate) address: Option<(Uri, Url)>,
    /// What the redirect layer keeps of the request, for as long as it does: each holds the other.
    again: Mutex<Weak<Again>>,
    attempts: AtomicU32,
    until: OnceLock<Instant>,
}

impl Call {
    pub(crate) fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get::<Arc<Self>>()
    }

    /// What `uri` is when parsed, unless a redirect or a layer led elsewhere.
    pub(crate) fn url(&self, uri: &Uri) -> Option<&Url> {
        let (known, url) = self.address.as_ref()?;
        (known == uri).then_some(url)
    }

    /// What is kept of the request that is under way.
    pub(crate) fn again(&self) -> Option<Arc<Again>> {
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.upgrade()
    }

    /// Says what is kept of the request that goes out now.
    pub(crate) fn keep(&self, again: &Arc<Again>) {
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(again);
    }

    /// How often the request went out, redirects and retries included.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Counts one more request that goes out.
    pub(crate) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// When the call's whole time is over.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until.get().copied()
    }

    /// Says when the call's whole time is over; who says it first is right.
    pub(crate) fn set_until(&self, until: Instant) {
        let _ = self.until.set(until);
    }

    /// Where the call is, as far as only its request says it.
    pub(crate) fn place(&self, uri: &Uri) -> Place {
        let mut place = Place::new(host(uri));
        place.attempt = self.attempts();
        place
    }
}

/// The host that an address names, for whoever may have to name it later: nothing is copied before that.
#[derive(Clone, Debug)]
pub(crate) struct Host(Option<Authority>);

impl Host {
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(uri.authority().cloned())
    }

    /// Host and port, without credentials.
    pub(crate) fn name(&self) -> &str {
        self.0.as_ref().map_or("", bare)
    }
}

/// Host and port of an address, without credentials.
pub(crate) fn host(uri: &Uri) -> &str {
    uri.authority().map_or("", bare)
}

fn bare(authority: &Authority) -> &str {
    let authority = authority.as_str();
    let userinfo = authority.bytes().rposition(|byte| byte == b'@');
    userinfo.map_or(authority, |at| &authority[at + 1..])
}
