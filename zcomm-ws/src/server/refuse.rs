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
pub(super) async fn close<Io>(io: Io, reason: &CloseReason, limit: Duration)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut frame = Vec::new();
    encode_close(&mut frame, reason.code(), reason.text())
        .expect("1008 and 1013 are codes that may be sent");
    part(io, &frame, limit).await;
}

/// What a client hears that speaks plain HTTP where TLS is spoken.
pub(super) const TLS_EXPECTED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\
Content-Type: text/plain\r\nContent-Length: 55\r\n\r\nthis port speaks TLS: use https:// or wss:// addresses\n";

/// The alert that a client hears which speaks TLS where plain HTTP is spoken: fatal, handshake_failure (RFC 8446 §6).
pub(super) const PLAIN_EXPECTED: &[u8] = &[21, 3, 1, 0, 2, 2, 40];

/// Sends the last words on a stream, and waits for the peer to be gone, but not for long.
pub(super) async fn part<Io>(mut io: Io, words: &[u8], limit: Duration)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let farewell = async {
        io.write_all(words).await?;
        io.shutdown().await?;
        // Bytes that were never read would turn our end of the connection into a reset, which can overtake the words.
        let mut rest = [0; 512];
        while io.read(&mut rest).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    // Either way the peer is of no more interest.
    let _ = tokio::time::timeout(limit, farewell).await;
}
