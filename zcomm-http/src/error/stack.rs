//! Our errors on their way through the stack, whose services all speak of `zcomm_core::Error`, and back.

use zcomm_core::{BoxError, Code, Phase};

use super::{Error, Limit, Place};

impl From<Error> for zcomm_core::Error {
    /// Keeps the phase and host where there are any, and the error itself as the source.
    fn from(error: Error) -> Self {
        match (error.phase(), error.host().map(str::to_owned)) {
            (Some(phase), Some(host)) => Self::Transport {
                phase,
                host,
                source: error.into(),
            },
            _ => Self::other(error.wire_code(), error),
        }
    }
}

impl Error {
    /// What the peer of this program is to be told, if the error goes on to one.
    fn wire_code(&self) -> Code {
        match self {
            Self::Timeout { .. } => Code::Timeout,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Url { .. } | Self::Header { .. } | Self::Encode { .. } => Code::BadRequest,
            Self::Build { .. } | Self::Sign { .. } => Code::Internal,
            Self::Stack(error) => error.code(),
            _ => Code::Unavailable,
        }
    }

    /// The failure that an error of the stack stands for; `at` is where the client last was.
    pub(crate) fn from_stack(error: zcomm_core::Error, at: Place) -> Self {
        match error {
            zcomm_core::Error::Transport {
                phase,
                host,
                source,
            } => Self::from_phase(phase, source, at.on(host)),
            zcomm_core::Error::Timeout { limit } => Self::Timeout {
                which: Limit::Total,
                limit,
                at,
            },
            zcomm_core::Error::Body { source } => Self::from_body(source, at),
            zcomm_core::Error::TooLarge { limit } => Self::TooLarge { at, limit },
            other => Self::Stack(other),
        }
    }

    fn from_phase(phase: Phase, source: BoxError, at: Place) -> Self {
        let source = match source.downcast::<Self>() {
            Ok(named) => return named.in_attempt(at.attempt),
            Err(source) => source,
        };
        match phase {
            Phase::Url => Self::Url {
                url: at.host,
                source,
            },
            Phase::Dns => Self::Dns { at, source },
            Phase::Connect => Self::Connect { at, source },
            Phase::Tls => Self::Tls { at, source },
            Phase::Redirect => Self::BadRedirect { at, source },
            Phase::Body => Self::Body { at, source },
            _ => Self::Request { at, source },
        }
    }

    /// Layers that wrap a body wrap its errors, too: the innermost says what happened.
    fn from_body(source: BoxError, at: Place) -> Self {
        let source = match source.downcast::<zcomm_core::Error>() {
            Ok(inner) => return Self::from_stack(*inner, at),
            Err(source) => source,
        };
        match source.downcast::<Self>() {
            Ok(named) => named.in_attempt(at.attempt),
            Err(source) => Self::Body { at, source },
        }
    }

    fn in_attempt(mut self, attempt: u32) -> Self {
        match &mut self {
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
            | Self::Status { at, .. } => at.attempt = attempt,
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_error_keeps_its_name_through_the_stack() {
        let open = Error::CircuitOpen {
            at: Place::new("h:1"),
            wait: Duration::from_secs(3),
        };

        let back = Error::from_stack(zcomm_core::Error::from(open), Place::new("other"));

        assert_eq!(
            back.to_string(),
            "`h:1` failed too often of late and is left alone for another 3 s"
        );
    }

    #[test]
    fn a_body_error_is_found_below_any_number_of_wrappings() {
        let late = Error::Timeout {
            which: Limit::Read,
            limit: Duration::from_secs(1),
            at: Place::new("h"),
        };
        let inner = zcomm_core::Error::Body {
            source: late.into(),
        };
        let outer = zcomm_core::Error::Body {
            source: inner.into(),
        };

        let error = Error::from_stack(outer, Place::new("h"));

        assert!(
            matches!(
                error,
                Error::Timeout {
                    which: Limit::Read,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}
