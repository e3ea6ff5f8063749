//! How a client is told that it is not let in: by a close code behind the upgrade, or by a status.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zcomm_core::{Code, Refusal};

use super::CloseReason;
use crate::frame::{CloseCode, encode_close};

/// Why a well-formed upgrade is not accepted.
#[derive(Debug)]
pub(super) enum Refused {
    TooMany,
    Origin,
    Auth(Refusal),
}

impl Refused {
    /// What the answer is when it is one of HTTP.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooMany => StatusCode::SERVICE_UNAVAILABLE,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Auth(refusal) => refusal.code().status(),
        }
    }

    /// What the answer is when it is a close.
    pub(super) fn reason(&self) -> CloseReason {
        match self {
            Self::Auth(refusal) if refusal.code() == Code::Unavailable => {
                CloseReason::new(CloseCode::TryAgainLater, self.text())
            }
            _ => CloseReason::policy(self.text()),
        }
    }

    /// The sentence that clients rely on.
    pub(super) fn text(&self) -> Cow<'static, str> {
        match self {
            Self::TooMany => "Maximum connections reached".into(),
            Self::Origin => "Invalid origin".into(),
            Self::Auth(refusal) => refusal.to_string().into(),
        }
    }

    /// A stable name for logs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "too_many_connections",
            Self::Origin => "invalid_origin",
            Self::Auth(refusal) => refusal.code().as_str(),
        }
    }
}

/// Closes a connection that was upgraded for no other purpose, and waits for the peer to be gone, but not for long.
pub(super) async fn close<Io>(mut io: Io, reason: &CloseReason, limit: Duration)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut frame = Vec::new();
    encode_close(&mut frame, reason.code(), reason.text())
        .expect("1008 and 1013 are codes that may be sent");
    let farewell = async {
        io.write_all(&frame).await?;
        io.shutdown().await?;
        // Bytes that were never read would turn our end of the connection into a reset, which can overtake the CLOSE.
        let mut rest = [0; 512];
        while io.read(&mut rest).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    // Either way the peer is of no more interest.
    let _ = tokio::time::timeout(limit, farewell).await;
}
