//! TLS on real sockets: what is needed to start, who is let in, and a certificate that is replaced meanwhile.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use zcomm_ws::frame::CloseCode;
use zcomm_ws::server::{Server, ServerConfig, ServerHandle, sync_handler};

use crate::peer::{Client, Seen, text, upgrade, within};
use crate::serving::config;

/// How often the servers here look at their certificates.
const RELOAD: Duration = Duration::from_millis(20);

/// A certificate and its key in a folder of their own.
struct Pair {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

fn made() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            folder: tempfile::tempdir().unwrap(),
            certificate: CertificateDer::from(Vec::new()),
        };
        pair.replace();
        pair
    }

    /// Puts another certificate and key in place of those that are there.
    fn replace(&mut self) {
        let made = made();
        std::fs::write(self.certificate(), made.cert.pem()).unwrap();
        std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        self.certificate = made.cert.der().clone();
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    fn config(&self) -> ServerConfig {
        let mut config = config();
        config.ssl_enabled = true;
        config.ssl_cert = Some(self.certificate());
        config.ssl_key = Some(self.key());
        config.ssl_reload_interval = RELOAD;
        config
    }

    async fn serve(&self) -> ServerHandle {
        self.serve_with(|_| {}).await
    }

    async fn serve_with(&self, change: impl FnOnce(&mut ServerConfig)) -> ServerHandle {
        let mut config = self.config();
        change(&mut config);
        let handler = sync_handler(|cx, message| match message.as_text() {
            Some("who") => cx.reply(cx.connection().peer().encrypted.to_string().as_str()),
            _ => cx.reply(message),
        });
        let server = Server::builder().config(config).handler(handler);
        server.bind().await.unwrap()
    }

    /// Shakes hands with a server, if it presents the certificate that is in the folder now.
    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let rules = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        within(TlsConnector::from(Arc::new(rules)).connect(name, stream)).await
    }

    async fn open(&self, address: SocketAddr) -> Client<TlsStream<TcpStream>> {
        let stream = self.connect(address).await.unwrap();
        let client = Client::say_over(stream, upgrade("/", &[]).as_bytes()).await;
        assert_eq!(client.status(), "101", "{}", client.head);
        client
    }
}

#[tokio::test]
async fn messages_come_back_encrypted_and_closes_are_answered() {
    let pair = Pair::new();
    let server = pair.serve().await;
    let mut client = pair.open(server.local_addr()).await;
    let large = "ü".repeat(300_000);
    let many: Vec<u8> = (0..2000).flat_map(|n| text(&n.to_string())).collect();

    client.text("who").await;
    client.text(&large).await;
    client.send(&many).await;

    assert_eq!(client.next_text().await, "true");
    assert!(client.next_text().await == large);
    for number in 0..2000 {
        assert_eq!(client.next_text().await, number.to_string());
    }
    client.close(CloseCode::Normal, "").await;
    assert_eq!(client.rest().await, [Seen::Close(1000, String::new())]);
}

#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_answered_over_tls_too() {
    let pair = Pair::new();
    let server = pair.serve().await;
    let stream = pair.connect(server.local_addr()).await.unwrap();
    let bytes = [upgrade("/", &[]).into_bytes(), text("early")].concat();

    let mut client = Client::say_over(stream, &bytes).await;

    assert_eq!(client.next_text().await, "early");
}

#[tokio::test]
async fn a_stopping_server_closes_encrypted_connections_with_1001() {
    let pair = Pair::new();
    let server = pair.serve().await;
    let mut client = pair.open(server.local_addr()).await;
    client.text("here").await;
    assert_eq!(client.next_text().await, "here");

    server.shutdown();
    let waiting = tokio::spawn(server.wait());

    assert!(matches!(client.next().await, Seen::Close(1001, _)));
    client.close(CloseCode::GoingAway, "").await;
    assert_eq!(within(waiting).await.unwrap().closed, 1);
}

#[tokio::test]
async fn a_new_certificate_is_presented_without_a_restart_and_open_connections_stay() {
    let mut pair = Pair::new();
    let server = pair.serve().await;
    let mut before = pair.open(server.local_addr()).await;

    pair.replace();

    let started = Instant::now();
    while pair.connect(server.local_addr()).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    before.text("still here").await;
    assert_eq!(before.next_text().await, "still here");
}

#[tokio::test]
async fn half_of_a_new_pair_changes_nothing_until_the_other_half_is_there() {
    let mut pair = Pair::new();
    let server = pair.serve().await;
    let (address, old) = (server.local_addr(), pair.certificate.clone());
    let new = made();

    std::fs::write(pair.certificate(), new.cert.pem()).unwrap();
    let written = Instant::now();
    while written.elapsed() < RELOAD * 5 {
        assert!(pair.connect(address).await.is_ok());
    }
    std::fs::write(pair.key(), new.signing_key.serialize_pem()).unwrap();
    pair.certificate = new.cert.der().clone();

    let started = Instant::now();
    while pair.connect(address).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    pair.certificate = old;
    assert!(pair.connect(address).await.is_err());
}

/// The error of a start: its code, its text, and the causes behind it.
async fn refused(config: ServerConfig) -> (&'static str, String) {
    let error = Server::builder().config(config).bind().await.unwrap_err();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    (error.code(), text)
}

#[tokio::test]
async fn what_keeps_tls_from_being_had_stops_the_start_with_path_and_cause() {
    let pair = Pair::new();
    let missing = pair.folder.path().join("missing.pem");
    let broken = pair.folder.path().join("broken.pem");
    std::fs::write(
        &broken,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let other = pair.folder.path().join("other.key");
    std::fs::write(&other, made().signing_key.serialize_pem()).unwrap();
    let with = |certificate: &PathBuf, key: &PathBuf| {
        let mut config = pair.config();
        config.ssl_cert = Some(certificate.clone());
        config.ssl_key = Some(key.clone());
        config
    };
    let (certificate, key) = (pair.certificate(), pair.key());
    let cases = [
        (
            with(&missing, &key),
            "tls_file",
            "missing.pem",
            "o such file",
        ),
        (
            with(&certificate, &missing),
            "tls_file",
            "missing.pem",
            "o such file",
        ),
        (with(&broken, &key), "tls_file", "broken.pem", "certificate"),
        (with(&key, &key), "tls_file", "server.key", "no certificate"),
        (
            with(&certificate, &certificate),
            "tls_file",
            "server.crt",
            "no private key",
        ),
        (
            with(&certificate, &other),
            "tls_mismatch",
            "other.key",
            "server.crt",
        ),
    ];

    for (config, code, path, cause) in cases {
        let (found, text) = refused(config).await;
        assert_eq!(found, code, "{text}");
        assert!(text.contains(path) && text.contains(cause), "{text}");
    }
}

#[tokio::test]
async fn tls_without_a_key_names_the_setting() {
    let mut config = Pair::new().config();
    config.ssl_key = None;

    let (code, text) = refused(config).await;

    assert_eq!(code, "tls_unset");
    assert!(text.contains("websocket.ssl_key"), "{text}");
}

#[tokio::test]
async fn a_plain_request_on_the_tls_port_is_told_to_use_tls() {
    let pair = Pair::new();
    let server = pair.serve().await;

    let client = Client::say(server.local_addr(), upgrade("/", &[]).as_bytes()).await;

    assert_eq!(client.status(), "400");
    let body = String::from_utf8(client.remaining().await).unwrap();
    assert!(body.contains("wss://") && body.ends_with('\n'), "{body}");
}

#[tokio::test]
async fn a_tls_hello_on_the_plain_port_is_answered_by_an_alert() {
    let pair = Pair::new();
    let server = pair.serve_with(|config| config.ssl_enabled = false).await;

    let error = pair.connect(server.local_addr()).await.unwrap_err();

    assert!(error.to_string().contains("HandshakeFailure"), "{error}");
}

#[tokio::test]
async fn tls_and_the_head_share_one_deadline() {
    let pair = Pair::new();
    let server = pair
        .serve_with(|config| config.handshake_timeout = Duration::from_millis(300))
        .await;
    let started = Instant::now();

    let mut silent = TcpStream::connect(server.local_addr()).await.unwrap();
    silent.write_all(&[22, 3, 1]).await.unwrap();
    let mut encrypted = pair.connect(server.local_addr()).await.unwrap();
    encrypted.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();

    assert_eq!(
        within(silent.read_u8()).await.unwrap_err().kind(),
        std::io::ErrorKind::UnexpectedEof
    );
    assert!(within(encrypted.read_u8()).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(3));
}
