//! What a client offers of compression, and what the server made of it. Compresses nothing.

use super::{ClientConfig, ClientError};
use crate::frame::{DeflateConfig, DeflateParams, HandshakeError, HandshakeResponse};

/// Whether this build can do what the configuration asks for: it can.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a build without the feature fails here"
)]
pub(super) fn check(_config: &ClientConfig) -> Result<(), ClientError> {
    Ok(())
}

/// The element of the handshake that offers it, if it is to be offered.
pub(super) fn offer(config: &ClientConfig) -> Option<String> {
    wanted(config).map(|wanted| wanted.offer())
}

/// What was agreed on, if anything was.
pub(super) fn agreed(
    config: &ClientConfig,
    response: &HandshakeResponse,
) -> Result<Option<DeflateParams>, HandshakeError> {
    let Some(wanted) = wanted(config) else {
        return Ok(None);
    };
    wanted.confirm(response.extensions().iter().map(String::as_str))
}

fn wanted(config: &ClientConfig) -> Option<DeflateConfig> {
    let wanted =
        DeflateConfig::default().with_context_takeover(config.compression_context_takeover);
    config.compression.then_some(wanted)
}
