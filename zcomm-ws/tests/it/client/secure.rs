//! Servers that speak TLS, and such that should.

use super::*;

/// A TLS server that answers one handshake and greets, and the certificate it shows.
async fn secure() -> (SocketAddr, rcgen::Certificate) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let tls = TlsConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(greet(stream));
            }
        }
    });
    (address, cert)
}

async fn greet(mut stream: TlsStream<TcpStream>) {
    let mut head = Vec::new();
    let request = loop {
        stream.read_buf(&mut head).await.unwrap();
        if let Some((request, _)) = HandshakeRequest::parse(&head).unwrap() {
            break request;
        }
    };
    let mut bytes = HandshakeResponse::accept(&request).build();
    bytes.extend(FrameBuilder::new(Role::Server).text("{}").unwrap().build());
    stream.write_all(&bytes).await.unwrap();
    stream.flush().await.unwrap();
    let _ = stream.read(&mut [0]).await;
}

#[tokio::test]
async fn a_certificate_is_verified_and_fails_closed() {
    let (address, certificate) = secure().await;
    let url = format!("wss://localhost:{}/", address.port());
    let wrong_name = format!("wss://{address}/");
    let trusting = |url: &str| Client::builder(url).trust(certificate.der().clone());

    let trusted = within(trusting(&url).connect()).await.unwrap();
    let unknown = within(Client::connect(&url)).await.unwrap_err();
    let other_name = within(trusting(&wrong_name).connect()).await.unwrap_err();

    assert!(trusted.state().is_open());
    for error in [unknown, other_name] {
        assert!(
            matches!(
                error,
                ClientError::Open {
                    phase: Phase::Tls,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn a_plain_server_is_no_secure_one() {
    let (server, _) = serve(open()).await;
    let url = format!("wss://{}/", server.local_addr());

    let error = within(Client::connect(url)).await.unwrap_err();

    assert!(
        matches!(
            error,
            ClientError::Open {
                phase: Phase::Tls,
                ..
            }
        ),
        "{error:?}"
    );
}
