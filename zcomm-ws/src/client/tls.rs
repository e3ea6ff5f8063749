//! TLS for `wss`, verified by what the operating system trusts. Opens no connection.

use std::io;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;

/// Encrypts a connection, and makes sure that the other end is `name`.
pub(super) async fn encrypt(
    stream: TcpStream,
    name: &str,
    roots: &[CertificateDer<'static>],
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).map_err(invalid)?;
    let config = config(roots).map_err(invalid)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn config(roots: &[CertificateDer<'static>]) -> Result<ClientConfig, tokio_rustls::rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots.iter().cloned(), Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A server that speaks HTTP/2 as well must not choose it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
