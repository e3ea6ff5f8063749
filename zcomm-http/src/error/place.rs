//! The values that errors carry, and how people read them.

use std::fmt;
use std::time::Duration;

/// Where something happened: the host with its port, and the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Host and port, without credentials.
    pub host: String,
    /// Counted from one over redirects and retries; zero before anything was sent.
    pub attempt: u32,
}

impl Place {
    /// The host, before an attempt has a number.
    pub(crate) fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            attempt: 0,
        }
    }

    /// The same attempt on another host.
    pub(super) fn on(mut self, host: String) -> Self {
        self.host = host;
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            0 | 1 => write!(f, "`{}`", self.host),
            later => write!(f, "`{}` (attempt {later})", self.host),
        }
    }
}

/// Which time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// For everything: all attempts, redirects and the body.
    Total,
    /// For one attempt, up to the head of its answer.
    Attempt,
    /// For name look-up, connecting and TLS.
    Connect,
    /// For the pause between two pieces of the body.
    Read,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Total => "total",
            Self::Attempt => "attempt",
            Self::Connect => "connect",
            Self::Read => "read",
        })
    }
}

/// What a body was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON of the type that was asked for.
    Json,
    /// A form.
    Form,
    /// Text in UTF-8.
    Utf8,
    /// Compressed as its head says.
    Compressed,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "the JSON that was expected",
            Self::Form => "a form",
            Self::Utf8 => "UTF-8 text",
            Self::Compressed => "compressed as its head says",
        })
    }
}

/// Prints a duration as people say it: `1.5 s`, `250 ms`.
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            return write!(f, "{} ms", self.0.as_millis());
        }
        write!(f, "{} s", self.0.as_secs_f64())
    }
}
