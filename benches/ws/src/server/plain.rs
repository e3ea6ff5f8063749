//! A bare socket that sends back what comes: the limit for every server above it. Knows no frames.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(super) async fn serve(listener: TcpListener, tls: Option<PathBuf>) -> Result<()> {
    let acceptor = tls.map(|folder| acceptor(&folder)).transpose()?;
    loop {
        let stream = super::accept(&listener).await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor {
                None => echo(stream).await,
                Some(acceptor) => echo(acceptor.accept(stream).await?).await,
            }
        });
    }
}

fn acceptor(folder: &std::path::Path) -> Result<TlsAcceptor> {
    let (cert, key) = super::tls_files(folder)?;
    let key = PrivateKeyDer::try_from(key).map_err(anyhow::Error::msg)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(cert)], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
        stream.flush().await?;
    }
}
