//! The server's side of TLS: its certificate, taken from two files and again when they change. Moves no messages.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::server::TlsStream;
use tracing::{info, warn};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, InconsistentKeys};

use super::ServerConfig;
use crate::error::{Error, TlsFile};

/// A stream behind its TLS handshake.
pub(super) type Encrypted<Io> = TlsStream<Io>;

/// What a server needs to speak TLS. Clones are cheap, and mean the same certificate.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

impl Tls {
    /// Nothing if the server is to speak in plain text.
    ///
    /// # Errors
    ///
    /// Whatever keeps the certificate or its key from being used: a server never falls back to plain text.
    pub(super) fn of(config: &ServerConfig) -> Result<Option<Self>, Error> {
        if !config.ssl_enabled {
            return Ok(None);
        }
        let named = |path: &Option<PathBuf>, key| path.clone().ok_or(Error::TlsUnset { key });
        let files = Files {
            certificate: named(&config.ssl_cert, "websocket.ssl_cert")?,
            key: named(&config.ssl_key, "websocket.ssl_key")?,
        };
        let provider = Arc::new(ring::default_provider());
        let certificate = Arc::new(Certificate::load(files, Arc::clone(&provider))?);
        let mut rules = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as _);
        rules.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self {
            acceptor: TlsAcceptor::from(Arc::new(rules)),
            certificate,
        }))
    }

    /// Shakes hands. The caller bounds it in time.
    pub(super) async fn accept<Io>(&self, io: Io) -> io::Result<Encrypted<Io>>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(io).await
    }

    /// Looks whether the files have changed, and takes the new certificate if it can be used.
    pub(super) async fn refresh(self) {
        let looked = tokio::task::spawn_blocking(move || self.certificate.refresh());
        if let Err(failed) = looked.await {
            warn!(error = %failed, "certificate was not looked at");
        }
    }
}

/// Where the two are.
#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    changed: Option<SystemTime>,
    length: u64,
    number: u64,
}

/// The pair that is presented now.
#[derive(Debug)]
struct Certificate {
    files: Files,
    provider: Arc<CryptoProvider>,
    current: Mutex<Arc<CertifiedKey>>,
    /// The files as they were when they were read last, used or not. Held while they are read.
    seen: Mutex<[Option<Stamp>; 2]>,
}

impl Certificate {
    fn load(files: Files, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        // Before the reading: what changes meanwhile is seen as changed the next time.
        let seen = files.stamps();
        let pair = files.read(&provider)?;
        Ok(Self {
            files,
            provider,
            current: Mutex::new(Arc::new(pair)),
            seen: Mutex::new(seen),
        })
    }

    fn refresh(&self) {
        let Ok(mut seen) = self.seen.try_lock() else {
            // A slow disk keeps the last one busy.
            return;
        };
        let stamps = self.files.stamps();
        if *seen == stamps {
            return;
        }
        *seen = stamps;
        let path = self.files.certificate.display();
        match self.files.read(&self.provider) {
            Ok(pair) => {
                let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(pair);
                info!(certificate = %path, "certificate replaced");
            }
            // Half of a pair may be there before the other; the old one is good until both are.
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                warn!(certificate = %path, %error, cause, "new certificate cannot be used, the old one stays");
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl Files {
    fn stamps(&self) -> [Option<Stamp>; 2] {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).ok().map(stamp))
    }

    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
        let chain = read_chain(&self.certificate)?;
        let key = read_key(&self.key)?;
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|source| unusable(TlsFile::Key, &self.key, source))?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
            Err(rustls::Error::InconsistentKeys(_)) => Err(Error::TlsMismatch {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
            }),
            Err(source) => Err(unusable(TlsFile::Certificate, &self.certificate, source)),
        }
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let fault = |source| Error::TlsFile {
        file: TlsFile::Certificate,
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read(path).map_err(|source| fault(source.into()))?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|source| fault(source.into()))?;
    if chain.is_empty() {
        return Err(fault("it holds no certificate as PEM".into()));
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let fault = |source| Error::TlsFile {
        file: TlsFile::Key,
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read(path).map_err(|source| fault(source.into()))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => {
            fault("it holds no private key as PEM, or an encrypted one".into())
        }
        other => fault(other.into()),
    })
}

fn unusable(file: TlsFile, path: &Path, source: rustls::Error) -> Error {
    let text = match source {
        rustls::Error::InvalidCertificate(CertificateError::BadEncoding) => {
            "it is no X.509 certificate".into()
        }
        other => other.into(),
    };
    Error::TlsFile {
        file,
        path: path.to_owned(),
        source: text,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over")]
fn stamp(of: Metadata) -> Stamp {
    Stamp {
        changed: of.modified().ok(),
        length: of.len(),
        number: file_number(&of),
    }
}

/// A file that was put in another's place has a number of its own, whatever its times say.
#[cfg(unix)]
fn file_number(of: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(of)
}

#[cfg(not(unix))]
fn file_number(_of: &Metadata) -> u64 {
    0
}
