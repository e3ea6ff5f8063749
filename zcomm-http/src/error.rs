//! What can go wrong with a request, by phase, with the host and the attempt. Statuses are answers, not errors.

mod chain;
mod place;
mod stack;

use std::time::Duration;

use http::StatusCode;
use zcomm_core::{BoxError, Phase};

use place::Seconds;

pub(crate) use chain::causes;
pub use place::{Format, Limit, Place};

/// Why there is no answer, or not all of it.
///
/// No message holds a credential or the value of a query parameter.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use zcomm_core::Phase;
/// use zcomm_http::HttpClient;
///
/// let error = HttpClient::builder().build().unwrap().get("https://").send().await.unwrap_err();
/// assert_eq!((error.code(), error.phase()), ("url", Some(Phase::Url)));
/// # });
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be requested.
    #[error("`{url}` is not an address that can be requested")]
    Url {
        /// The address, redacted.
        url: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// A header has a name or value that HTTP does not allow; line breaks would smuggle in other headers.
    #[error("the header `{name}` cannot be sent")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// What was to be sent cannot be put into the form that was asked for.
    #[error("the request's body cannot be written as {format}")]
    Encode {
        /// The form.
        format: Format,
        /// What the serializer said.
        #[source]
        source: BoxError,
    },
    /// A signer could not sign.
    #[error("the request to {at} could not be signed")]
    Sign {
        /// Where and in which attempt.
        at: Place,
        /// What the signer said.
        #[source]
        source: BoxError,
    },
    /// The host's name cannot be resolved.
    #[error("the name of {at} cannot be resolved")]
    Dns {
        /// Where and in which attempt.
        at: Place,
        /// What the resolver said.
        #[source]
        source: BoxError,
    },
    /// The host cannot be reached.
    #[error("cannot connect to {at}")]
    Connect {
        /// Where and in which attempt.
        at: Place,
        /// What the system said.
        #[source]
        source: BoxError,
    },
    /// No encrypted connection came about.
    #[error("no TLS with {at}")]
    Tls {
        /// Where and in which attempt.
        at: Place,
        /// What the TLS library said.
        #[source]
        source: BoxError,
    },
    /// The connection broke, or what came over it is not HTTP, before there was an answer.
    #[error("no answer from {at}")]
    Request {
        /// Where and in which attempt.
        at: Place,
        /// What broke it.
        #[source]
        source: BoxError,
    },
    /// A time limit ran out.
    #[error("{at} took longer than the {which} time limit of {}", Seconds(*limit))]
    Timeout {
        /// Which limit.
        which: Limit,
        /// How long it is.
        limit: Duration,
        /// Where and in which attempt.
        at: Place,
    },
    /// The host has no public address, and the transport was told to reach no other.
    #[error("{at} is no public address")]
    PrivateTarget {
        /// Where.
        at: Place,
    },
    /// The host failed too often of late; nothing was sent.
    #[error("{at} failed too often of late and is left alone for another {}", Seconds(*wait))]
    CircuitOpen {
        /// Where.
        at: Place,
        /// When it will be tried again.
        wait: Duration,
    },
    /// More redirects than are followed.
    #[error("{at} redirects further than {limit} times")]
    TooManyRedirects {
        /// Where the last one came from.
        at: Place,
        /// How many are followed.
        limit: usize,
    },
    /// A redirect leads to where it came from.
    #[error("{at} redirects in a circle, to `{target}`")]
    RedirectLoop {
        /// Where it came from.
        at: Place,
        /// Where it leads, redacted.
        target: String,
    },
    /// A redirect leads from an encrypted address to a plain one.
    #[error("{at} redirects from https to plain `{target}`")]
    InsecureRedirect {
        /// Where it came from.
        at: Place,
        /// Where it leads, redacted.
        target: String,
    },
    /// A redirect leads nowhere.
    #[error("{at} redirects to what is no address")]
    BadRedirect {
        /// Where it came from.
        at: Place,
        /// What is wrong with the address.
        #[source]
        source: BoxError,
    },
    /// The body broke off, or is shorter than announced.
    #[error("the body from {at} could not be read to its end")]
    Body {
        /// Where and in which attempt.
        at: Place,
        /// What broke it.
        #[source]
        source: BoxError,
    },
    /// The body is larger than is taken.
    #[error("the body from {at} is larger than {limit} bytes")]
    TooLarge {
        /// Where and in which attempt.
        at: Place,
        /// The most bytes that are taken, counted after decompression.
        limit: usize,
    },
    /// The body is not what it was asked to be.
    #[error("the body from {at} is not {format}")]
    Decode {
        /// Where and in which attempt.
        at: Place,
        /// What it was to be.
        format: Format,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The status is one of failure, and [`error_for_status`](crate::Response::error_for_status) was asked.
    #[error("{at} answered {status}")]
    Status {
        /// Where and in which attempt.
        at: Place,
        /// The status.
        status: StatusCode,
    },
    /// The client cannot be built of what it was given.
    #[error("no HTTP client can be built of these settings")]
    Build {
        /// What is wrong.
        #[source]
        source: BoxError,
    },
    /// What a layer that is not this crate's said.
    #[error(transparent)]
    Stack(#[from] zcomm_core::Error),
}

impl Error {
    /// The stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "url",
            Self::Header { .. } => "header",
            Self::Encode { .. } => "encode",
            Self::Sign { .. } => "sign",
            Self::Dns { .. } => "dns",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Request { .. } => "request",
            Self::Timeout { .. } => "timeout",
            Self::PrivateTarget { .. } => "private_target",
            Self::CircuitOpen { .. } => "circuit_open",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::RedirectLoop { .. } => "redirect_loop",
            Self::InsecureRedirect { .. } => "insecure_redirect",
            Self::BadRedirect { .. } => "bad_redirect",
            Self::Body { .. } => "body",
            Self::TooLarge { .. } => "too_large",
            Self::Decode { .. } => "decode",
            Self::Status { .. } => "status",
            Self::Build { .. } => "build",
            Self::Stack(error) => error.code().as_str(),
        }
    }

    /// What was being done when it failed; none for [`Status`](Self::Status) and [`Build`](Self::Build).
    pub fn phase(&self) -> Option<Phase> {
        Some(match self {
            Self::Url { .. } => Phase::Url,
            Self::Dns { .. } => Phase::Dns,
            Self::Connect { .. } | Self::PrivateTarget { .. } | Self::CircuitOpen { .. } => {
                Phase::Connect
            }
            Self::Tls { .. } => Phase::Tls,
            Self::Timeout { .. } => Phase::Timeout,
            Self::Header { .. }
            | Self::Encode { .. }
            | Self::Sign { .. }
            | Self::Request { .. } => Phase::Request,
            Self::TooManyRedirects { .. }
            | Self::RedirectLoop { .. }
            | Self::InsecureRedirect { .. }
            | Self::BadRedirect { .. } => Phase::Redirect,
            Self::Body { .. } | Self::TooLarge { .. } => Phase::Body,
            Self::Decode { .. } => Phase::Decode,
            Self::Stack(zcomm_core::Error::Transport { phase, .. }) => *phase,
            Self::Status { .. } | Self::Build { .. } | Self::Stack(_) => return None,
        })
    }

    /// The host that was being talked to, and the attempt; none where nothing was sent yet.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Sign { at, .. }
            | Self::Dns { at, .. }
            | Self::Connect { at, .. }
            | Self::Tls { at, .. }
            | Self::Request { at, .. }
            | Self::Timeout { at, .. }
            | Self::PrivateTarget { at }
            | Self::CircuitOpen { at, .. }
            | Self::TooManyRedirects { at, .. }
            | Self::RedirectLoop { at, .. }
            | Self::InsecureRedirect { at, .. }
            | Self::BadRedirect { at, .. }
            | Self::Body { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Decode { at, .. }
            | Self::Status { at, .. } => Some(at),
            Self::Url { .. }
            | Self::Header { .. }
            | Self::Encode { .. }
            | Self::Build { .. }
            | Self::Stack(_) => None,
        }
    }

    /// The host that was being talked to, with its port.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Stack(zcomm_core::Error::Transport { host, .. }) => Some(host),
            _ => self.place().map(|at| at.host.as_str()),
        }
    }

    /// Which attempt it was, counted from one.
    pub fn attempt(&self) -> Option<u32> {
        self.place().map(|at| at.attempt)
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Request { .. }
            | Self::Timeout { .. }
            | Self::CircuitOpen { .. }
            | Self::Body { .. } => true,
            Self::Status { status, .. } => crate::layers::retry::is_retryable_status(*status),
            Self::Stack(error) => error.is_retryable(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_attempts_are_numbered_in_the_message() {
        let at = Place {
            host: "h:1".into(),
            attempt: 2,
        };
        let error = Error::Connect {
            at,
            source: "refused".into(),
        };

        assert_eq!(error.to_string(), "cannot connect to `h:1` (attempt 2)");
        assert_eq!((error.attempt(), error.host()), (Some(2), Some("h:1")));
    }
}
