//! The transport as a program's settings describe it, made when the first request needs it.

use std::fmt;
use std::sync::OnceLock;

use async_trait::async_trait;
use http::Uri;
use zcomm_core::{Channel, Credential, Error, Settings, Transport, TransportCx};

use super::ReqwestTransport;

/// Reads no certificates before somebody sends a request: that takes longer than most short programs run.
pub(crate) struct DeferredTransport {
    settings: Settings,
    made: OnceLock<ReqwestTransport>,
}

impl DeferredTransport {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            made: OnceLock::new(),
        }
    }

    fn transport(&self) -> Result<&ReqwestTransport, Error> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        // Two requests may get here at once; one client is kept, so that all share its connections.
        let made = ReqwestTransport::from_settings(&self.settings)?;
        Ok(self.made.get_or_init(|| made))
    }
}

#[async_trait]
impl Transport for DeferredTransport {
    fn schemes(&self) -> &[&str] {
        &["http", "https"]
    }

    async fn open(&self, target: &Uri, cx: &TransportCx) -> Result<Channel, Error> {
        self.transport()?.open(target, cx).await
    }

    /// No setting gives it a certificate to show or a cookie jar.
    fn credential(&self) -> Credential {
        Credential::None
    }
}

impl fmt::Debug for DeferredTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredTransport")
            .field("made", &self.made.get().is_some())
            .finish_non_exhaustive()
    }
}
