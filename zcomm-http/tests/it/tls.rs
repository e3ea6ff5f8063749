//! Certificates, good and bad, and redirects out of encryption.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zcomm_http::{Error, HttpClient, ReqwestTransport, Retry};

use crate::server::{Server, answer, client, read_head, soon};

/// A server with a certificate of its own making.
struct Secure {
    server: Server,
    /// What a client has to trust.
    pem: String,
}

impl Secure {
    async fn start(certificate: CertificateParams, says: String) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = Server::start(move |stream| {
            let (acceptor, says) = (acceptor.clone(), says.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                read_head(&mut stream).await;
                let _ = stream.write_all(says.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            server: server.await,
            pem: certificate.pem(),
        }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.server.address.port())
    }

    /// A client that trusts this server and no other.
    fn client(&self) -> HttpClient {
        let transport = ReqwestTransport::builder().only_root_certificates(self.pem.as_bytes());
        let transport = transport.no_proxy().build().unwrap();
        let builder = HttpClient::builder().transport(Arc::new(transport));
        builder.retry(Retry::none()).build().unwrap()
    }
}

fn certificate() -> CertificateParams {
    CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap()
}

async fn refused(client: HttpClient, url: String) -> String {
    let error = soon(client.get(url).send()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    std::error::Error::source(&error).unwrap().to_string()
}

#[tokio::test]
async fn a_trusted_server_answers() {
    let server = Secure::start(certificate(), answer("200 OK", "safe")).await;

    let answer = soon(server.client().get(server.url("127.0.0.1")).send()).await;

    assert_eq!(answer.unwrap().text().await.unwrap(), "safe");
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted_and_right_and_current() {
    let good = Secure::start(certificate(), String::new()).await;
    let mut old = certificate();
    old.not_before = date_time_ymd(2000, 1, 1);
    old.not_after = date_time_ymd(2001, 1, 1);
    let old = Secure::start(old, String::new()).await;

    let unknown = refused(client(), good.url("127.0.0.1")).await;
    let misnamed = refused(good.client(), good.url("localhost")).await;
    let expired = refused(old.client(), old.url("127.0.0.1")).await;

    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    assert!(misnamed.contains("not valid for name"), "{misnamed}");
    assert!(expired.contains("expired"), "{expired}");
}

#[tokio::test]
async fn a_plain_port_speaks_no_tls() {
    let plain = Server::start(|mut stream| async move {
        stream.read_u8().await.unwrap();
        let answer = answer("400 Bad Request", "");
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let silent = Server::start(|stream| async move { drop(stream) }).await;

    for server in [plain, silent] {
        refused(client(), format!("https://{}/", server.address)).await;
    }
}

#[tokio::test]
async fn a_redirect_out_of_encryption_is_refused() {
    let plain = Server::saying(answer("200 OK", "")).await;
    let target = plain.url("/?token=s3cr3t");
    let says = format!("HTTP/1.1 301 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let server = Secure::start(certificate(), says).await;

    let error = soon(server.client().get(server.url("127.0.0.1")).send()).await;

    let error = error.unwrap_err();
    assert!(matches!(error, Error::InsecureRedirect { .. }), "{error:?}");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    assert_eq!(plain.connections(), 0);
}

#[test]
fn without_authorities_plain_http_works_and_https_trusts_nobody() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    // The authorities come with the environment of a process, so another one runs the two tests that tell.
    let tests = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "basics::statuses_are_answers"])
        .arg("tls::a_certificate_has_to_be_trusted_and_right_and_current")
        .env_remove("SSL_CERT_DIR")
        .env("SSL_CERT_FILE", empty.path())
        .output()
        .unwrap();

    let told = String::from_utf8(tests.stdout).unwrap();
    assert!(told.contains("2 passed; 0 failed"), "{told}");
}

#[test]
fn certificates_that_cannot_be_read_are_told() {
    let text = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";

    for transport in [
        ReqwestTransport::builder().root_certificates(text),
        ReqwestTransport::builder().only_root_certificates(text),
        ReqwestTransport::builder().client_certificate(text),
    ] {
        let error = transport.build().unwrap_err();
        assert!(matches!(error, Error::Build { .. }), "{error:?}");
    }
}
