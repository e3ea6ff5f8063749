//! What stands for compression in a build without it: nothing, and an error for whoever asks for it.

use super::{ClientConfig, ClientError};
use crate::frame::{DeflateParams, HandshakeError, HandshakeResponse};

pub(super) fn check(config: &ClientConfig) -> Result<(), ClientError> {
    if config.compression {
        return Err(ClientError::CompressionMissing);
    }
    Ok(())
}

pub(super) fn offer(_config: &ClientConfig) -> Option<String> {
    None
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for one that may fail")]
pub(super) fn agreed(
    _config: &ClientConfig,
    _response: &HandshakeResponse,
) -> Result<Option<DeflateParams>, HandshakeError> {
    Ok(None)
}
