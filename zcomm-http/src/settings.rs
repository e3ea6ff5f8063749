//! The client's rows in the table of settings, and what is built of their values.

use zcomm_core::Settings;
use zcomm_core::settings::Key;

use crate::client::HttpClientBuilder;
use crate::error::Error;
use crate::layers::Retry;
use crate::transport::{ReqwestTransport, ReqwestTransportBuilder};

/// Every setting of the client and its transport.
pub(crate) const KEYS: &[Key] = &[
    Key::duration("http.timeout")
        .env("HTTP_CLIENT_TIMEOUT")
        .default("30s")
        .between(1, 86_400_000)
        .doc("How long a call may take in all: attempts, redirects and the body."),
    Key::duration("http.connect_timeout")
        .env("HTTP_CLIENT_CONNECT_TIMEOUT")
        .default("10s")
        .between(1, 3_600_000)
        .doc("How long name look-up, connecting and TLS may take together."),
    Key::duration("http.read_timeout")
        .env("HTTP_CLIENT_READ_TIMEOUT")
        .default("15s")
        .between(1, 3_600_000)
        .doc("How long a body may pause."),
    Key::count("http.attempts")
        .env("HTTP_CLIENT_ATTEMPTS")
        .default("3")
        .between(1, 100)
        .doc("How often a request that may be repeated is tried, the first time included."),
    Key::count("http.redirects")
        .env("HTTP_CLIENT_REDIRECTS")
        .default("10")
        .between(0, 100)
        .doc("How many redirects are followed."),
    Key::size("http.max_body")
        .env("HTTP_CLIENT_MAX_BODY")
        .default("32MiB")
        .doc("How many bytes of an answer are read at most, counted after decompression."),
    Key::flag("http.proxies")
        .env("HTTP_CLIENT_PROXIES")
        .default("true")
        .doc("Whether the proxies that the environment and the system name are used."),
    Key::flag("http.public_only")
        .env("HTTP_CLIENT_PUBLIC_ONLY")
        .default("false")
        .doc("Whether private and link-local addresses are refused; no proxy is used then."),
    Key::path("http.root_certificates")
        .env("HTTP_CLIENT_ROOT_CERTIFICATES")
        .doc("PEM file of authorities that are trusted besides those of the system."),
];

impl HttpClientBuilder {
    /// Takes the limits that the settings name; for a transport there is [`ReqwestTransport::from_settings`].
    ///
    /// ```
    /// use zcomm_core::Settings;
    /// use zcomm_http::{HttpClient, PLUGIN, ReqwestTransport};
    ///
    /// let settings = Settings::defaults(PLUGIN.keys);
    /// let transport = ReqwestTransport::from_settings(&settings).unwrap();
    /// let client = HttpClient::builder().settings(&settings).transport(std::sync::Arc::new(transport)).build();
    /// assert!(client.is_ok());
    /// ```
    pub fn settings(mut self, settings: &Settings) -> Self {
        if let Some(limit) = settings.duration("http.timeout") {
            self = self.timeout(limit);
        }
        if let Some(limit) = settings.duration("http.read_timeout") {
            self = self.read_timeout(limit);
        }
        if let Some(most) = settings.count("http.redirects") {
            self = self.follow_redirects(saturated(most));
        }
        if let Some(bytes) = settings.size("http.max_body") {
            self = self.max_body(saturated(bytes));
        }
        if let Some(attempts) = settings.count("http.attempts") {
            let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
            self = self.retry(Retry::default().attempts(attempts));
        }
        self
    }
}

impl ReqwestTransport {
    /// A transport as the settings describe it.
    ///
    /// # Errors
    ///
    /// [`Error::Build`] for root certificates that cannot be read.
    pub fn from_settings(settings: &Settings) -> Result<Self, Error> {
        transport(settings)?.build()
    }
}

fn transport(settings: &Settings) -> Result<ReqwestTransportBuilder, Error> {
    let mut builder = ReqwestTransport::builder();
    if let Some(limit) = settings.duration("http.connect_timeout") {
        builder = builder.connect_timeout(limit);
    }
    if !settings.flag("http.proxies") {
        builder = builder.no_proxy();
    }
    if settings.flag("http.public_only") {
        builder = builder.public_only();
    }
    if let Some(path) = settings.path("http.root_certificates") {
        let pem = std::fs::read(path).map_err(|error| Error::Build {
            source: format!("{}: {error}", path.display()).into(),
        })?;
        builder = builder.root_certificates(pem);
    }
    Ok(builder)
}

fn saturated(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
