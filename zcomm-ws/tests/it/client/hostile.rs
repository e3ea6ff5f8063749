//! Servers that nobody should run.

use super::*;

/// A server whose every connection is carried by `f` after its request was read.
async fn hostile<F, R>(f: F) -> SocketAddr
where
    F: Fn(TcpStream, HandshakeRequest) -> R + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while stream
                .read_buf(&mut head)
                .await
                .is_ok_and(|count| count > 0)
            {
                if let Ok(Some((request, _))) = HandshakeRequest::parse(&head) {
                    f(stream, request).await;
                    break;
                }
            }
        }
    });
    address
}

async fn refused_by(
    answer: impl Fn(&HandshakeRequest) -> Vec<u8> + Clone + Send + Sync + 'static,
) -> ClientError {
    let address = hostile(move |mut stream, request| {
        let answer = answer(&request);
        async move {
            stream.write_all(&answer).await.unwrap();
            let _ = stream.read(&mut [0]).await;
        }
    })
    .await;
    let mut config = ClientConfig::default();
    config.open_timeout = Duration::from_millis(300);
    let connecting = Client::builder(format!("ws://{address}/")).config(config);
    within(connecting.connect()).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_that_is_none_is_named() {
    let other = HandshakeRequest::new("h", "/").unwrap();
    let wrong_accept = HandshakeResponse::accept(&other).build();
    let error = refused_by(move |_| wrong_accept.clone()).await;
    let ClientError::Handshake { source, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(source, HandshakeError::AcceptMismatch);

    let error = refused_by(|_| b"HTTP/1.1 401 Unauthorized\r\n\r\n".to_vec()).await;
    let ClientError::Handshake { source, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(source, HandshakeError::Status { status: 401 });

    let error = refused_by(|request| {
        let answer = String::from_utf8(HandshakeResponse::accept(request).build()).unwrap();
        answer
            .replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: x\r\n\r\n")
            .into_bytes()
    })
    .await;
    assert_eq!(error.code(), "handshake_protocol_not_offered");

    let error = refused_by(|_| vec![b'x'; 20 << 10]).await;
    assert_eq!(error.code(), "handshake_head_too_large");

    let error = refused_by(|_| b"HTTP/1.1 101".to_vec()).await;
    assert!(
        matches!(
            error,
            ClientError::OpenTimeout {
                phase: Phase::Handshake,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_connection_that_ends_while_it_opens_is_an_error_and_not_a_wait() {
    let address = hostile(|stream, _| async { drop(stream) }).await;

    let error = within(Client::connect(format!("ws://{address}/")))
        .await
        .unwrap_err();

    assert!(
        matches!(
            error,
            ClientError::Open {
                phase: Phase::Handshake,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_close_right_behind_the_handshake_is_told() {
    let error = refused_by(|request| {
        let mut bytes = HandshakeResponse::accept(request).build();
        let mut builder = FrameBuilder::new(Role::Server);
        bytes.extend(
            builder
                .close(CloseCode::TryAgainLater, "full\u{1b}[2J")
                .unwrap()
                .build(),
        );
        bytes
    })
    .await;

    // What the server says steers no terminal.
    let text = error.to_string();
    assert!(text.contains("1013 Try Again Later, full"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[tokio::test]
async fn nobody_listening_is_named_with_its_phase() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();

    let error = Client::connect(format!("ws://{free}/")).await.unwrap_err();

    assert!(
        matches!(
            error,
            ClientError::Open {
                phase: Phase::Connect,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains(&free.to_string()), "{error}");
}

#[tokio::test]
async fn frames_that_no_server_may_send_end_the_client() {
    let masked = FrameBuilder::new(Role::Client).text("{}").unwrap().build();
    let cases = [
        (masked, "masked"),
        (b"\xc1\x00".to_vec(), "reserved_bits"),
        (b"\x83\x00".to_vec(), "unknown_opcode"),
        (
            b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            "message_too_big",
        ),
        (b"\x81\x01\xff".to_vec(), "invalid_utf8"),
    ];
    for (frame, expected) in cases {
        let error = refused_by(move |request| {
            let mut bytes = HandshakeResponse::accept(request).build();
            bytes.extend(&frame);
            bytes
        })
        .await;

        assert!(
            matches!(error, ClientError::Protocol { .. }),
            "{expected}: {error:?}"
        );
        assert_eq!(error.code(), expected);
    }
}

// TLS.
