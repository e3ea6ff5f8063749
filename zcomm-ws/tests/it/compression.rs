//! permessage-deflate over real sockets: what is agreed on, what goes over the wire, what a hostile peer gets.

use zcomm_ws::client::ClientConfig;
use zcomm_ws::frame::{
    Decoder, DeflateConfig, DeflateParams, Deflater, FrameBuilder, FrameHeader, Inflater, Limits,
    Opcode, Role, deflate_once,
};
use zcomm_ws::server::{Handler, ServerConfig, ServerHandle, sync_handler};

use crate::peer::{Client, Seen, within};
use crate::serving::{config, echo, echo_with, serve_with, until_connected};

fn compressing(takeover: bool) -> ServerConfig {
    let mut config = config();
    config.compression = true;
    config.compression_context_takeover = takeover;
    config
}

/// A client that offered this, and speaks as was agreed.
struct Deflating {
    client: Client,
    frames: FrameBuilder,
}

impl Deflating {
    async fn open(server: &ServerHandle, offer: &str) -> Self {
        let offers = [("Sec-WebSocket-Extensions", offer)];
        let mut client = Client::open_as(server.local_addr(), "/", &offers).await;
        let agreed = agreed(&client.head);
        let limits = Limits::default().message_size(64 << 20);
        client.decode_with(
            Decoder::new(Role::Client, limits).with_inflater(Inflater::new(Role::Client, &agreed)),
        );
        let deflater = Deflater::new(Role::Client, &agreed).with_threshold(1);
        Self {
            client,
            frames: FrameBuilder::new(Role::Client).with_deflater(deflater),
        }
    }

    async fn text(&mut self, message: &str) {
        let frame = self.frames.text(message).unwrap().build();
        // What is short may be smaller as it is.
        assert!(frame[0] == 0xC1 || message.len() < 64, "it goes compressed");
        self.client.send(&frame).await;
    }
}

fn extensions(head: &str) -> Option<&str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-extensions")
            .then_some(value)
    })
}

fn agreed(head: &str) -> DeflateParams {
    let config = DeflateConfig::default().with_context_takeover(true);
    let agreed = config.confirm(extensions(head)).unwrap();
    agreed.unwrap_or_else(|| panic!("nothing was agreed on in {head}"))
}

/// A compressed frame, masked.
fn frame(payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader::new(Opcode::Text, payload.len() as u64)
        .with_rsv1(true)
        .with_mask(Some([0; 4]));
    [header.encode().as_bytes(), payload].concat()
}

#[tokio::test]
async fn nothing_is_agreed_on_unless_the_server_is_told_to() {
    let server = echo().await;
    let offer = [("Sec-WebSocket-Extensions", "permessage-deflate")];

    let client = Client::open_as(server.local_addr(), "/", &offer).await;

    assert_eq!(extensions(&client.head), None);
}

#[tokio::test]
async fn the_first_offer_that_can_be_taken_is_answered() {
    let server = echo_with(compressing(true)).await;
    let forgetful = echo_with(compressing(false)).await;
    for (server, offers, expected) in [
        (
            &server,
            "permessage-deflate; client_max_window_bits",
            Some("permessage-deflate"),
        ),
        (
            &server,
            "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=8",
            Some("permessage-deflate; server_max_window_bits=8"),
        ),
        (
            &forgetful,
            "permessage-deflate; client_max_window_bits=12",
            Some(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=12",
            ),
        ),
        (&server, "permessage-bzip2", None),
    ] {
        let headers = [("Sec-WebSocket-Extensions", offers)];
        let client = Client::open_as(server.local_addr(), "/", &headers).await;
        assert_eq!(extensions(&client.head), expected, "{offers}");
    }
}

#[tokio::test]
async fn an_echo_comes_back_compressed_in_every_mode_and_window() {
    let text = "compressed, and compressed again; ".repeat(100);
    for takeover in [false, true] {
        let server = echo_with(compressing(takeover)).await;
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ] {
            let mut client = Deflating::open(&server, offer).await;
            for round in 0..5 {
                let text = format!("{round}{text}");
                client.text(&text).await;
                assert_eq!(client.client.next_text().await, text, "{offer}");
            }
            client.text("short").await;
            assert_eq!(client.client.next_text().await, "short");
        }
        let page = Client::say(
            server.local_addr(),
            b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        let page = String::from_utf8(page.await.remaining().await).unwrap();
        let name = "zcomm_ws_sent_bytes_total ";
        let sent = page.lines().find_map(|line| line.strip_prefix(name));
        let sent: usize = sent.unwrap_or_else(|| panic!("{page}")).parse().unwrap();
        assert!(sent < text.len() * 2, "{sent} bytes for twenty echoes");
    }
}

#[tokio::test]
async fn broadcasts_and_replies_mix_whatever_each_connection_remembers() {
    let handler = sync_handler(|cx, message| {
        let (connection, words) = (cx.connection().clone(), message.as_text().unwrap());
        cx.reply(format!("reply to {words}").as_str());
        connection
            .hub()
            .broadcast(format!("all hear {words}").as_str(), None);
        cx.reply(format!("and again {words}").as_str());
    });
    let server = serve_with(compressing(true), handler).await;
    let mut plain = Client::open(server.local_addr()).await;
    let mut listeners = [
        Deflating::open(&server, "permessage-deflate").await,
        Deflating::open(&server, "permessage-deflate; server_max_window_bits=9").await,
        Deflating::open(&server, "permessage-deflate; server_no_context_takeover").await,
    ];
    until_connected(&server, 4).await;
    let words =
        "words that are said again and again, so that there is something to remember; ".repeat(20);

    for round in 0..6 {
        let speaker = &mut listeners[round % 3];
        let words = format!("{round}: {words}");
        speaker.text(&words).await;
        assert_eq!(
            speaker.client.next_text().await,
            format!("reply to {words}")
        );
        assert_eq!(plain.next_text().await, format!("all hear {words}"));
        for (index, listener) in listeners.iter_mut().enumerate() {
            assert_eq!(
                listener.client.next_text().await,
                format!("all hear {words}"),
                "listener {index} in round {round}"
            );
        }
        let speaker = &mut listeners[round % 3];
        assert_eq!(
            speaker.client.next_text().await,
            format!("and again {words}")
        );
    }
}

#[tokio::test]
async fn large_messages_are_compressed_and_parted() {
    let mut config = compressing(true);
    config.max_frame_size = 1000;
    config.max_message_size = 4 << 20;
    let server = echo_with(config).await;
    let mut client = Deflating::open(&server, "permessage-deflate").await;
    // Hardly smaller when compressed, so that there are parts.
    let numbers: String = (0..40_000_u64)
        .map(|number| format!("{:x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect();

    for text in [&numbers, "short", &numbers] {
        client.text(text).await;
        assert!(
            client.client.next_text().await == text,
            "{} bytes",
            text.len()
        );
    }
}

#[tokio::test]
async fn a_bomb_is_refused_with_1009_and_nobody_else_notices() {
    let server = echo_with(compressing(false)).await;
    let mut other = Client::open(server.local_addr()).await;
    let mut bomb = Vec::new();
    assert!(deflate_once(15, &[&vec![b'0'; 16 << 20]], &mut bomb));
    let mut client = Deflating::open(&server, "permessage-deflate").await;

    client.client.send(&frame(&bomb)).await;

    let seen = client.client.rest().await;
    assert!(matches!(&seen[..], [Seen::Close(1009, _)]), "{seen:?}");
    other.text("still here").await;
    assert_eq!(other.next_text().await, "still here");
}

#[tokio::test]
async fn what_cannot_be_inflated_is_refused_with_1007() {
    let server = echo_with(compressing(false)).await;
    let mut client = Deflating::open(&server, "permessage-deflate").await;

    client.client.send(&frame(b"\x06\x00")).await;

    let seen = client.client.rest().await;
    assert!(matches!(&seen[..], [Seen::Close(1007, _)]), "{seen:?}");
}

#[tokio::test]
async fn a_compressed_frame_that_nobody_agreed_on_is_refused_with_1002() {
    let server = echo_with(compressing(false)).await;
    let mut client = Client::open(server.local_addr()).await;

    client.send(&frame(b"\x00")).await;

    let seen = client.rest().await;
    assert!(matches!(&seen[..], [Seen::Close(1002, _)]), "{seen:?}");
}

#[tokio::test]
async fn a_connection_knows_whether_it_is_compressed() {
    let handler = sync_handler(|cx, _| {
        let compressed = cx.connection().is_compressed();
        cx.reply(compressed.to_string().as_str());
    })
    .on_disconnect(|_, _| {});
    let server = serve_with(compressing(false), handler).await;
    let mut plain = Client::open(server.local_addr()).await;
    let mut deflating = Deflating::open(&server, "permessage-deflate").await;

    plain.text("?").await;
    deflating.text("?").await;

    assert_eq!(plain.next_text().await, "false");
    assert_eq!(within(deflating.client.next_text()).await, "true");
}

#[tokio::test]
async fn a_rust_client_and_a_server_talk_compressed() {
    for takeover in [false, true] {
        let server = serve_with(
            compressing(takeover),
            sync_handler(|cx, message| {
                let compressed = cx.connection().is_compressed();
                let words = message.as_text().unwrap();
                cx.reply(format!("{compressed}: {words}").as_str());
            }),
        )
        .await;
        let mut config = ClientConfig::default();
        config.compression = true;
        config.compression_context_takeover = takeover;
        let (client, mut events) =
            zcomm_ws::client::Client::builder(format!("ws://{}", server.local_addr()))
                .config(config)
                .without_greeting()
                .connect_with_events()
                .await
                .unwrap();
        let text = "said again and again, ".repeat(100);

        for round in 0..3 {
            let words = serde_json::json!({ "round": round, "text": text });
            client.send("echo", &words).await.unwrap();

            let event = within(events.next()).await.unwrap().unwrap();
            let event = std::str::from_utf8(&event).unwrap();
            let sent = event.strip_prefix("true: ").expect("it is compressed");
            let sent: serde_json::Value = serde_json::from_str(sent).unwrap();
            assert_eq!(
                (&sent["round"], &sent["text"]),
                (&words["round"], &words["text"])
            );
        }
        client.close().await;
    }
}

#[tokio::test]
async fn a_client_that_offers_compression_lives_without_it() {
    let server = echo().await;
    let client = zcomm_ws::client::Client::builder(format!("ws://{}", server.local_addr()))
        .compression()
        .without_greeting()
        .connect_with_events();
    let (client, mut events) = client.await.unwrap();

    client.send("echo", &serde_json::json!({})).await.unwrap();

    let event = within(events.next()).await.unwrap().unwrap();
    assert_eq!(&event[..], br#"{"event":"echo"}"#);
}
