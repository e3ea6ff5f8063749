//! The way to a server: look-up, TCP, TLS. Speaks no HTTP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use zcomm_core::Phase;

use super::address::Address;
use super::{ClientError, tls};

/// Both directions of a connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens the stream that a connection runs over.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    /// Opens it in time, or names the phase in which that failed.
    async fn dial(&self, address: &Address, time: &Time) -> Result<Box<dyn Stream>, ClientError>;
}

/// The time that opening has, and whose it is: every phase takes what the ones before it left.
#[derive(Debug)]
pub(super) struct Time {
    host: String,
    limit: Duration,
    until: Instant,
}

impl Time {
    pub(super) fn new(address: &Address, limit: Duration) -> Self {
        Self {
            host: address.place(),
            limit,
            until: Instant::now() + limit,
        }
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Waits for one phase.
    pub(super) async fn within<T>(
        &self,
        phase: Phase,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<T, ClientError> {
        let done = timeout_at(self.until, work).await;
        done.map_err(|_| self.over(phase))?
            .map_err(|source| self.failed(phase, source))
    }

    /// The error of a phase that took too long.
    pub(super) fn over(&self, phase: Phase) -> ClientError {
        ClientError::OpenTimeout {
            phase,
            host: self.host.clone(),
            limit: self.limit,
        }
    }

    fn failed(&self, phase: Phase, source: io::Error) -> ClientError {
        ClientError::Open {
            phase,
            host: self.host.clone(),
            source: Arc::new(source),
        }
    }
}

/// TCP, and TLS where the address wants it.
#[derive(Debug, Default)]
pub(super) struct TcpDial {
    /// Certificates that are trusted besides the system's.
    pub(super) roots: Vec<CertificateDer<'static>>,
}

#[async_trait]
impl Dial for TcpDial {
    async fn dial(&self, address: &Address, time: &Time) -> Result<Box<dyn Stream>, ClientError> {
        let lookup = lookup_host((address.name.as_str(), address.port));
        let found: Vec<SocketAddr> = time.within(Phase::Dns, lookup).await?.collect();
        let stream = reach(&found, time).await?;
        // Requests are small and wanted now. A system that refuses this serves them later, and well enough.
        let _ = stream.set_nodelay(true);
        if !address.secure {
            return Ok(Box::new(stream));
        }
        let encrypting = tls::encrypt(stream, &address.name, &self.roots);
        Ok(Box::new(time.within(Phase::Tls, encrypting).await?))
    }
}

/// Connects to the first address that answers. One that is silent may use up only its share of the time.
async fn reach(addresses: &[SocketAddr], time: &Time) -> Result<TcpStream, ClientError> {
    let none = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut last = time.failed(Phase::Dns, none);
    for (tried, address) in addresses.iter().enumerate() {
        let left = time.until.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(source)) => last = time.failed(Phase::Connect, source),
            Err(_) => last = time.over(Phase::Connect),
        }
    }
    Err(last)
}
