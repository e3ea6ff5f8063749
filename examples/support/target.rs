//! The server that an example talks to: an echo of its own over https, or the one that `--url` names.

use std::error::Error;
use std::io::Write;

use tempfile::NamedTempFile;
use zcomm::{Comm, CommBuilder};

use super::echo::Echo;

/// The server, as long as the value lives.
#[derive(Debug)]
pub(crate) struct Target {
    url: String,
    own: Option<(Echo, NamedTempFile)>,
}

impl Target {
    /// What the command line says: `--url https://httpbin.org`, or nothing.
    pub(crate) async fn from_args() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut words = std::env::args().skip(1);
        match (words.next().as_deref(), words.next()) {
            (None, _) => Self::own().await,
            (Some("--url"), Some(url)) => Ok(Self { url, own: None }),
            _ => Err("the only option is --url https://…".into()),
        }
    }

    async fn own() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let echo = Echo::https().await?;
        let mut trusted = NamedTempFile::new()?;
        trusted.write_all(echo.certificate().unwrap_or_default().as_bytes())?;
        let (url, own) = (echo.url(), Some((echo, trusted)));
        Ok(Self { url, own })
    }

    /// An address on the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Begins a `Comm` that trusts the server's certificate.
    pub(crate) fn builder(&self) -> CommBuilder {
        match &self.own {
            None => Comm::builder(),
            Some((_, trusted)) => {
                let path = trusted.path().to_string_lossy();
                Comm::builder().set("http.root_certificates", path)
            }
        }
    }
}
