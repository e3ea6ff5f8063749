//! What a transport can be told: proxies, certificates, limits of its pool. Checked when it is built.

use std::path::PathBuf;
use std::time::Duration;

use super::ReqwestTransport;
use super::connect::ConnectLayer;
use super::plain::Plain;
use super::resolve::SystemResolver;
use crate::error::Error;
use crate::layers::{Credential, FOREVER};

/// Builds a [`ReqwestTransport`].
///
/// ```
/// use std::time::Duration;
/// use zcomm_http::ReqwestTransport;
///
/// let transport = ReqwestTransport::builder().connect_timeout(Duration::from_secs(2)).no_proxy().build();
/// assert!(transport.is_ok());
/// ```
#[derive(Debug)]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    idle_timeout: Duration,
    proxies: bool,
    public_only: bool,
    cookies: bool,
    roots: Vec<Vec<u8>>,
    roots_only: bool,
    identity: Option<zcomm_core::Secret>,
    unix_socket: Option<PathBuf>,
}

impl Default for ReqwestTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            proxies: true,
            public_only: false,
            cookies: false,
            roots: Vec::new(),
            roots_only: false,
            identity: None,
            unix_socket: None,
        }
    }
}

impl ReqwestTransportBuilder {
    /// How long name look-up, connecting and TLS may take together; ten seconds.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long a connection that nobody uses is kept; 90 seconds.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        // The pool adds it to the time that it is.
        self.idle_timeout = limit.min(FOREVER);
        self
    }

    /// Goes straight to every host, whatever proxies the environment names.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxies = false;
        self
    }

    /// Reaches public addresses only, also after name look-up and redirects; no proxy is used then.
    ///
    /// For programs that request what strangers tell them to.
    #[must_use]
    pub fn public_only(mut self) -> Self {
        self.public_only = true;
        self
    }

    /// Keeps cookies and sends them back to where they came from; off.
    #[must_use]
    pub fn cookies(mut self) -> Self {
        self.cookies = true;
        self
    }

    /// Trusts the authorities in this PEM bundle besides those of the system.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Trusts the authorities in this PEM bundle and no others.
    #[must_use]
    pub fn only_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots_only = true;
        self.root_certificates(pem)
    }

    /// Shows this certificate to hosts that ask for one: a PEM bundle of the private key and the certificates.
    #[must_use]
    pub fn client_certificate(mut self, pem: impl Into<zcomm_core::Secret>) -> Self {
        self.identity = Some(pem.into());
        self
    }

    /// Sends everything to this unix socket, whatever host the address names.
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// Checks everything and makes the transport.
    ///
    /// A system without any root certificates is no error, since plain http needs none; https trusts nobody then.
    ///
    /// # Errors
    ///
    /// [`Error::Build`] for a certificate or key that cannot be read.
    pub fn build(mut self) -> Result<ReqwestTransport, Error> {
        install_crypto();
        let client = self
            .client()
            .or_else(|error| self.client_without_system(error));
        let client = client.map_err(|error| Error::Build {
            source: super::failure::Root::boxed(error.without_url().into()),
        })?;
        Ok(ReqwestTransport {
            client,
            plain: self.plain(),
            connect_limit: self.connect_timeout,
            public_only: self.public_only,
            credential: self.credential(),
        })
    }

    /// The short way, if anything at all may go it.
    fn plain(&self) -> Option<Plain> {
        if self.cookies || self.unix_socket.is_some() {
            return None;
        }
        let plain = Plain::new(self.connect_layer(), self.resolver(), self.idle_timeout);
        Some(match self.heeds_proxies() {
            true => plain.beside_proxies(),
            false => plain,
        })
    }

    fn connect_layer(&self) -> ConnectLayer {
        ConnectLayer {
            default: self.connect_timeout,
        }
    }

    fn resolver(&self) -> SystemResolver {
        SystemResolver {
            public_only: self.public_only,
        }
    }

    fn heeds_proxies(&self) -> bool {
        self.proxies && !self.public_only
    }

    fn credential(&self) -> Credential {
        match &self.identity {
            _ if self.cookies => Credential::Unknown,
            Some(pem) => Credential::Digest(pem.digest()),
            None => Credential::None,
        }
    }

    /// The client without the authorities of the system, if those were all that was wrong with it.
    fn client_without_system(&mut self, error: reqwest::Error) -> reqwest::Result<reqwest::Client> {
        if self.roots_only {
            return Err(error);
        }
        self.roots_only = true;
        let client = self.client().map_err(|_| error)?;
        tracing::warn!("this system has no root certificates: no https server is trusted");
        Ok(client)
    }

    fn client(&self) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // None at all, or each request would be copied for a second one that never goes out.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .referer(false)
            .cookie_store(self.cookies)
            .pool_idle_timeout(self.idle_timeout)
            .tcp_nodelay(true)
            .connector_layer(self.connect_layer())
            .dns_resolver(self.resolver());
        if !self.heeds_proxies() {
            builder = builder.no_proxy();
        }
        #[cfg(unix)]
        if let Some(path) = &self.unix_socket {
            builder = builder.unix_socket(path.clone());
        }
        if let Some(pem) = &self.identity {
            builder = builder.identity(reqwest::Identity::from_pem(pem.expose().as_bytes())?);
        }
        self.with_roots(builder)?.build()
    }

    fn with_roots(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> reqwest::Result<reqwest::ClientBuilder> {
        let mut roots = Vec::new();
        for pem in &self.roots {
            roots.extend(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        Ok(match self.roots_only {
            true => builder.tls_certs_only(roots),
            false => builder.tls_certs_merge(roots),
        })
    }
}

/// Gives rustls the one crypto provider of this program, unless it has one: without any, reqwest panics.
fn install_crypto() {
    // An error means that somebody else was faster, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
