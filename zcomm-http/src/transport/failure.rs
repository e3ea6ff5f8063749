//! Which failure a library's error is: reqwest says it in chains of several crates' errors.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use zcomm_core::{BoxError, Phase};

use super::connect::ConnectTimedOut;
use super::resolve::PrivateTarget;
use crate::error::{Error, Format, Limit, Place, causes};

/// The failure of a request that got no answer.
pub(super) fn of_request(error: reqwest::Error, host: &str, encrypted: bool) -> zcomm_core::Error {
    if let Some(named) = named(&error, host) {
        return named.into();
    }
    zcomm_core::Error::Transport {
        phase: phase(&error, encrypted),
        host: host.to_owned(),
        source: Root::boxed(error),
    }
}

/// The failure of an answer whose body broke.
pub(super) fn of_body(error: reqwest::Error, host: &str) -> Error {
    let at = Place::new(host);
    let compressed = is_of_decompressor(&error);
    let source = Root::boxed(error);
    if compressed {
        let format = Format::Compressed;
        return Error::Decode { at, format, source };
    }
    Error::Body { at, source }
}

/// Decompressors speak of I/O themselves; what they only pass on from the network has reqwest's or hyper's error in it.
fn is_of_decompressor(error: &reqwest::Error) -> bool {
    let mut below = causes(error).skip(1);
    let first = below.next().is_some_and(<dyn StdError>::is::<io::Error>);
    first && !below.any(|cause| cause.is::<reqwest::Error>() || cause.is::<hyper::Error>())
}

/// Failures that have a cause of our own at the bottom.
fn named(error: &reqwest::Error, host: &str) -> Option<Error> {
    let at = || Place::new(host);
    causes(error).find_map(|cause| {
        if let Some(late) = cause.downcast_ref::<ConnectTimedOut>() {
            let which = Limit::Connect;
            return Some(Error::Timeout {
                which,
                limit: late.limit,
                at: at(),
            });
        }
        cause
            .is::<PrivateTarget>()
            .then(|| Error::PrivateTarget { at: at() })
    })
}

fn phase(error: &reqwest::Error, encrypted: bool) -> Phase {
    if error.is_builder() {
        Phase::Url
    } else if error.is_dns() {
        Phase::Dns
    } else if causes(error).any(<dyn StdError>::is::<rustls::Error>) {
        // With TLS 1.3 a server refuses a client's certificate only after the connection stands.
        Phase::Tls
    } else if !error.is_connect() {
        Phase::Request
    } else if encrypted && hung_up(error) {
        Phase::Tls
    } else {
        Phase::Connect
    }
}

/// Whether the host took the connection and then ended it: nothing but TLS can have displeased it.
fn hung_up(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};

    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof))
}

/// Prints as the innermost cause, which says what the outer ones only repeat, and which holds no address.
#[derive(Debug)]
pub(super) struct Root(reqwest::Error);

impl Root {
    pub(super) fn boxed(error: reqwest::Error) -> BoxError {
        // An address may hold credentials, and `Debug` would show it.
        Box::new(Self(error.without_url()))
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let innermost = causes(&self.0).last();
        fmt::Display::fmt(innermost.unwrap_or(&self.0), f)
    }
}

impl StdError for Root {}
