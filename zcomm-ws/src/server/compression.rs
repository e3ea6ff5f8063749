//! What a server wants of compression, and what it agrees on with a client. Compresses nothing.

use super::ServerConfig;
use super::connection::Deflation;
use crate::error::Error;
use crate::frame::{DeflateConfig, HandshakeRequest};

/// Whether this build can do what the configuration asks for: it can.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a build without the feature fails here"
)]
pub(super) fn check(_config: &ServerConfig) -> Result<(), Error> {
    Ok(())
}

/// What is agreed on with a client, and the answer that says so.
pub(super) fn agree(
    config: &ServerConfig,
    asked: &HandshakeRequest,
) -> Option<(Deflation, String)> {
    if !config.compression {
        return None;
    }
    let wanted =
        DeflateConfig::default().with_context_takeover(config.compression_context_takeover);
    let offers = asked.extensions().iter().map(String::as_str);
    let (agreed, answer) = wanted.accept(offers)?;
    let threshold = config.compression_threshold;
    Some((Deflation { agreed, threshold }, answer))
}
