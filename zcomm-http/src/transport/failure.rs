//! Which failure a library's error is: reqwest and hyper say it in chains of several crates' errors.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use zcomm_core::{BoxError, Phase};

use super::connect::ConnectTimedOut;
use super::resolve::{LookUpFailed, PrivateTarget};
use crate::error::{Error, Format, Limit, Place, causes};

/// What a library says of a failure besides its chain of causes, which names no address.
pub(super) struct Failed {
    error: BoxError,
    invalid: bool,
    dns: bool,
    connect: bool,
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        Self {
            invalid: error.is_builder(),
            dns: error.is_dns(),
            connect: error.is_connect(),
            // An address may hold credentials, and `Debug` would show it.
            error: error.without_url().into(),
        }
    }
}

impl From<hyper_util::client::legacy::Error> for Failed {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let dns = causes(&error).any(<dyn StdError>::is::<LookUpFailed>);
        Self {
            invalid: false,
            dns,
            connect: error.is_connect(),
            error: error.into(),
        }
    }
}

/// The failure of a request that got no answer.
pub(super) fn of_request(
    failed: impl Into<Failed>,
    host: &str,
    encrypted: bool,
) -> zcomm_core::Error {
    let failed = failed.into();
    if let Some(named) = named(&*failed.error, host) {
        return named.into();
    }
    zcomm_core::Error::Transport {
        phase: failed.phase(encrypted),
        host: host.to_owned(),
        source: Root::boxed(failed.error),
    }
}

/// The failure of an answer whose body broke.
pub(super) fn of_body(error: BoxError, host: &str) -> Error {
    let at = Place::new(host);
    let compressed = is_of_decompressor(&*error);
    let source = Root::boxed(error);
    if compressed {
        let format = Format::Compressed;
        return Error::Decode { at, format, source };
    }
    Error::Body { at, source }
}

/// Decompressors speak of I/O themselves; what they only pass on from the network has reqwest's or hyper's error in it.
fn is_of_decompressor(error: &(dyn StdError + 'static)) -> bool {
    let around = usize::from(error.is::<reqwest::Error>());
    let mut below = causes(error).skip(around);
    let first = below.next().is_some_and(<dyn StdError>::is::<io::Error>);
    first && !below.any(|cause| cause.is::<reqwest::Error>() || cause.is::<hyper::Error>())
}

/// Failures that have a cause of our own at the bottom.
fn named(error: &(dyn StdError + 'static), host: &str) -> Option<Error> {
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

impl Failed {
    fn phase(&self, encrypted: bool) -> Phase {
        let error = &*self.error;
        if self.invalid {
            Phase::Url
        } else if self.dns {
            Phase::Dns
        } else if causes(error).any(<dyn StdError>::is::<rustls::Error>) {
            // With TLS 1.3 a server refuses a client's certificate only after the connection stands.
            Phase::Tls
        } else if !self.connect {
            Phase::Request
        } else if encrypted && hung_up(error) {
            Phase::Tls
        } else {
            Phase::Connect
        }
    }
}

/// Whether the host took the connection and then ended it: nothing but TLS can have displeased it.
fn hung_up(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};

    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof))
}

/// Prints as the innermost cause, which says what the outer ones only repeat, and which holds no address.
#[derive(Debug)]
pub(super) struct Root(BoxError);

impl Root {
    pub(super) fn boxed(error: BoxError) -> BoxError {
        Box::new(Self(error))
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let innermost = causes(&*self.0).last();
        fmt::Display::fmt(innermost.unwrap_or(&*self.0), f)
    }
}

impl StdError for Root {}
