//! The client on real sockets: against this crate's own server, and against servers that nobody should run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig as TlsConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;
use zcomm_core::data::{Access, Field, Kind, Model, Schema};
use zcomm_core::transport::ChannelToken;
use zcomm_core::{
    Body, Error, Phase, TokenEntry, TokenList, Transport, TransportCx, TransportLayer,
};
use zcomm_ws::bifrost::{Bifrost, BifrostBuilder};
use zcomm_ws::client::{Client, ClientConfig, ClientError, SocketTransport, State, TokenPlace};
use zcomm_ws::frame::{
    CloseCode, FrameBuilder, HandshakeError, HandshakeRequest, HandshakeResponse, Role,
};
use zcomm_ws::server::ServerConfig;

use crate::peer::within;

fn open() -> BifrostBuilder {
    let notes = Model::builder("notes")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("text", Kind::Text).required());
    let access = Access::new().auth(false).loopback(true);
    Bifrost::builder()
        .config(config())
        .access(access)
        .schema(Schema::of([notes.build().unwrap()]).unwrap())
}

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.port = 0;
    config
}

/// A server that knows Ada by her token.
fn guarded() -> BifrostBuilder {
    let mut config = config();
    config.require_auth = true;
    let ada = TokenEntry::new("token of ada").user("ada");
    Bifrost::builder()
        .config(config)
        .auth(Arc::new(TokenList::new().token(ada)))
}

async fn serve(builder: BifrostBuilder) -> (Bifrost, String) {
    let server = builder.bind().await.unwrap();
    let url = format!("ws://{}/ws", server.local_addr());
    (server, url)
}

#[tokio::test]
async fn rows_are_written_and_read_and_others_are_told() {
    let (_server, url) = serve(open()).await;
    let writer = Client::connect(&url).await.unwrap();
    let (reader, mut events) = Client::builder(&url).connect_with_events().await.unwrap();

    let created = writer
        .dispatch(&json!({"zKey": "create_notes", "data": {"text": "hi"}}))
        .await
        .unwrap();
    let hello: Value = serde_json::from_slice(&events.next().await.unwrap().unwrap()).unwrap();
    let notice: Value =
        serde_json::from_slice(&within(events.next()).await.unwrap().unwrap()).unwrap();
    let rows = reader
        .dispatch(&json!({"zKey": "^List notes"}))
        .await
        .unwrap();
    let info = reader.call("connection_info", &json!({})).await.unwrap();

    assert_eq!(created, json!({"id": 1, "text": "hi"}));
    assert_eq!(hello["event"], "connection_info");
    assert_eq!(
        (&notice["op"], &notice["row"]),
        (&json!("create"), &created)
    );
    assert_eq!(rows, json!([created]));
    assert_eq!(info, hello);
}

#[tokio::test]
async fn a_server_that_refuses_a_request_says_why() {
    let (_server, url) = serve(open()).await;
    let client = Client::connect(&url).await.unwrap();

    let error = client
        .dispatch(&json!({"zKey": "^List planets"}))
        .await
        .unwrap_err();
    let reply = client.request("dance", &json!({})).await.unwrap();

    assert!(
        matches!(&error, ClientError::Answered { code, .. } if code == "unknown_model"),
        "{error:?}"
    );
    assert_eq!(reply.status(), 404);
}

#[tokio::test]
async fn many_requests_share_one_socket() {
    let (server, url) = serve(open()).await;
    let client = Client::connect(&url).await.unwrap();

    let calls = (0..200).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let data = json!({"text": number.to_string()});
            let row = client
                .dispatch(&json!({"action": "create", "model": "notes", "data": data}))
                .await
                .unwrap();
            assert_eq!(row["text"], data["text"]);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        within(call).await.unwrap();
    }

    assert_eq!(server.hub().len(), 1);
}

#[tokio::test]
async fn a_token_is_presented_in_a_header_or_in_the_query() {
    let (_server, url) = serve(guarded()).await;
    let in_header = Client::builder(&url).token("token of ada");
    let in_query = in_header_like(&url).token_place(TokenPlace::Query);
    let in_address = Client::builder(format!("{url}?token=token%20of%20ada"));

    for builder in [in_header, in_query, in_address] {
        let client = builder.connect().await.unwrap();
        let info = client.call("connection_info", &json!({})).await.unwrap();
        assert_eq!(info["data"]["auth"]["user"], "ada");
    }
}

fn in_header_like(url: &str) -> zcomm_ws::client::ClientBuilder {
    Client::builder(url).token("token of ada")
}

#[tokio::test]
async fn a_refusal_is_told_with_the_servers_reason() {
    let (_server, url) = serve(guarded()).await;

    for (builder, expected) in [
        (Client::builder(&url), "Authentication required"),
        (Client::builder(&url).token("s3cr3t"), "Invalid token"),
    ] {
        let error = within(builder.connect()).await.unwrap_err();

        let text = format!("{error} {error:?}");
        let ClientError::Closed { code, reason, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (code, reason.as_str()),
            (CloseCode::PolicyViolation, expected)
        );
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_stops_is_waited_for() {
    let (server, url) = serve(open()).await;
    let client = Client::connect(&url).await.unwrap();

    server.shutdown();
    let mut states = client.states();
    let lost = within(states.wait_for(|state| !state.is_open()))
        .await
        .unwrap()
        .clone();

    let State::Waiting { because, .. } = lost else {
        panic!("{lost:?}")
    };
    assert!(
        matches!(
            because,
            ClientError::Closed {
                code: CloseCode::GoingAway,
                ..
            }
        ),
        "{because:?}"
    );
}

// The transport.

fn post(url: &str, body: &'static str) -> Request<Body> {
    Request::post(url).body(body.into()).unwrap()
}

async fn through(request: Request<Body>) -> Result<(u16, Value), Error> {
    let stack = TransportLayer::new([Arc::new(SocketTransport::default()) as Arc<dyn Transport>]);
    let response = within(stack.into_service().oneshot(request)).await?;
    let body = serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap();
    Ok((response.status().as_u16(), body))
}

#[tokio::test]
async fn a_request_of_the_seam_is_a_message_and_its_reply_the_response() {
    let (server, _) = serve(open()).await;
    let at = |path: &str| format!("ws://{}/{path}", server.local_addr());

    let created = through(post(
        &at("dispatch"),
        r#"{"zKey":"create_notes","data":{"text":"hi"},"_requestId":"mine"}"#,
    ));
    let pong = through(post(&at("ping"), ""));
    let unknown = through(post(&at("dispatch"), r#"{"zKey":"^List planets"}"#));

    assert_eq!(
        created.await.unwrap(),
        (200, json!({"result": {"id": 1, "text": "hi"}}))
    );
    assert_eq!(pong.await.unwrap(), (200, json!({"result": "pong"})));
    let (status, body) = unknown.await.unwrap();
    assert_eq!((status, &body["code"]), (404, &json!("unknown_model")));
}

#[tokio::test]
async fn a_channel_belongs_to_the_token_it_was_opened_with() {
    let (server, _) = serve(guarded()).await;
    let url = format!("ws://{}/connection_info", server.local_addr());
    let mut known = post(&url, "{}");
    known
        .extensions_mut()
        .insert(ChannelToken("token of ada".into()));
    let mut in_header = post(&url, "{}");
    in_header
        .headers_mut()
        .insert("authorization", "Bearer s3cr3t".parse().unwrap());
    let (_, info) = through(known).await.unwrap();
    let unknown = through(post(&url, "{}")).await.unwrap_err();

    assert_eq!(info["data"]["auth"]["user"], "ada");
    assert!(
        matches!(unknown.root(), Error::Closed { .. }),
        "{unknown:?}"
    );
    let (open_server, _) = serve(open()).await;
    let ping = format!("ws://{}/ping", open_server.local_addr());
    let in_query = through(post(&format!("{ping}?token=s3cr3t"), "{}"))
        .await
        .unwrap_err();
    assert_eq!(in_query.code().as_str(), "bad_request");
    *in_header.uri_mut() = ping.parse().unwrap();
    let in_header = through(in_header).await.unwrap_err();
    assert_eq!(in_header.code().as_str(), "bad_request");
    assert!(!format!("{in_header:?} {in_query:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_channel_brings_what_comes_unasked() {
    use futures_util::StreamExt;

    let (server, url) = serve(open()).await;
    let transport = SocketTransport::default();
    let channel = transport
        .open(&url.parse().unwrap(), &TransportCx::default())
        .await
        .unwrap();

    let mut events = channel.events.unwrap();
    let hello = within(events.next()).await.unwrap().unwrap();

    assert!(
        hello.starts_with(br#"{"event":"connection_info""#),
        "{hello:?}"
    );
    drop(server);
}

// Servers that nobody should run.

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
