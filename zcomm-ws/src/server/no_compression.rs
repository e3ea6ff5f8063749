//! What stands for compression in a build without it: nothing, and an error for whoever asks for it.

use super::ServerConfig;
use super::connection::Deflation;
use crate::error::Error;
use crate::frame::HandshakeRequest;

pub(super) fn check(config: &ServerConfig) -> Result<(), Error> {
    if config.compression {
        return Err(Error::CompressionMissing);
    }
    Ok(())
}

pub(super) fn agree(
    _config: &ServerConfig,
    _asked: &HandshakeRequest,
) -> Option<(Deflation, String)> {
    None
}
