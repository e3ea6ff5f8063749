//! Certificates, good and bad, and redirects out of encryption.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use zcomm_http::{Error, HttpClient, ReqwestTransport, ReqwestTransportBuilder, Retry};

use crate::server::{Server, answer, client, read_head, soon};

/// A server with a certificate of its own making.
struct Secure {
    server: Server,
    /// What a client has to trust.
    pem: String,
}

/// Whom a server lets in.
type Guard = Arc<dyn ClientCertVerifier>;

fn anybody() -> Guard {
    WebPkiClientVerifier::no_client_auth()
}

/// A server's configuration, and what a client has to trust.
fn config(certificate: &CertificateParams, guard: Guard) -> (ServerConfig, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(guard)
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (config, certificate.pem())
}

impl Secure {
    async fn start(certificate: CertificateParams, says: String) -> Self {
        Self::guarded(certificate, says, anybody()).await
    }

    async fn guarded(certificate: CertificateParams, says: String, guard: Guard) -> Self {
        let (config, pem) = config(&certificate, guard);
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
            pem,
        }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.server.address.port())
    }

    /// A client that trusts this server and no other.
    fn client(&self) -> HttpClient {
        self.client_over(ReqwestTransport::builder())
    }

    fn client_over(&self, transport: ReqwestTransportBuilder) -> HttpClient {
        let transport = transport.only_root_certificates(self.pem.as_bytes());
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

/// A certificate for a client, with its key, and a guard that lets only that in.
fn member() -> (String, Guard) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(default_provider());
    let guard = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    (pem, guard.build().unwrap())
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_it() {
    let (member, guard) = member();
    let server = Secure::guarded(certificate(), answer("200 OK", "welcome"), guard).await;
    let known = server.client_over(ReqwestTransport::builder().client_certificate(member));

    let welcome = soon(known.get(server.url("127.0.0.1")).send())
        .await
        .unwrap();
    let stranger = refused(server.client(), server.url("127.0.0.1")).await;

    assert_eq!(welcome.text().await.unwrap(), "welcome");
    assert!(stranger.contains("CertificateRequired"), "{stranger}");
}

#[tokio::test]
async fn requests_share_one_connection_of_http_2() {
    let (mut config, pem) = config(&certificate(), anybody());
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
            let echo = service_fn(async |request: hyper::Request<Incoming>| {
                let path = request.uri().path().to_owned();
                Ok::<_, Infallible>(hyper::Response::new(path))
            });
            let http = auto::Builder::new(TokioExecutor::new());
            let _ = http.serve_connection(stream, echo).await;
        }
    });
    let secure = Secure {
        server: server.await,
        pem,
    };
    let (client, url) = (secure.client(), secure.url("127.0.0.1"));
    let get = async |path: &str| {
        let answer = soon(client.get(format!("{url}{path}")).send())
            .await
            .unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        answer.text().await.unwrap()
    };
    get("first").await;

    let both = tokio::join!(get("a"), get("b"));

    assert_eq!(both, ("/a".to_owned(), "/b".to_owned()));
    assert_eq!(secure.server.connections(), 1);
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
