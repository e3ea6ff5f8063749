//! What stands for TLS in a build without it: nothing, and an error for whoever asks for it.

use std::io;

use super::ServerConfig;
use crate::error::Error;

/// There is no encrypted stream in this build.
pub(super) type Encrypted<Io> = Io;

/// Never made.
#[derive(Clone)]
pub(super) enum Tls {}

impl Tls {
    pub(super) fn of(config: &ServerConfig) -> Result<Option<Self>, Error> {
        if config.ssl_enabled {
            return Err(Error::TlsMissing);
        }
        Ok(None)
    }

    #[expect(clippy::unused_async, reason = "it stands for one that waits")]
    pub(super) async fn accept<Io>(&self, _io: Io) -> io::Result<Encrypted<Io>> {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "it stands for one that waits")]
    pub(super) async fn refresh(self) {
        match self {}
    }
}
