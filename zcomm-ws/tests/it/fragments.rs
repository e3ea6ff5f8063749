//! Messages in several frames, where the server is told to part them.

use tokio::io::AsyncReadExt;
use zcomm_ws::frame::{FrameBuilder, FrameHeader, Opcode, Role};
use zcomm_ws::server::{ServerHandle, sync_handler};

use crate::peer::{Client, text, within};
use crate::serving::{config, echo_with, serve_with};

/// The next frame, as it comes over the wire.
async fn frame(client: &mut Client) -> (FrameHeader, Vec<u8>) {
    let mut head = Vec::new();
    let header = loop {
        head.push(within(client.stream.read_u8()).await.unwrap());
        if let Some((header, _)) = FrameHeader::decode(&head) {
            break header;
        }
    };
    let mut payload = vec![0; header.payload_length as usize];
    within(client.stream.read_exact(&mut payload))
        .await
        .unwrap();
    (header, payload)
}

/// Waits until the server has read so many bytes of its connections.
async fn until_heard(server: &ServerHandle, bytes: usize) {
    let ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let line = format!("\nzcomm_ws_received_bytes_total {bytes}\n");
    let heard = async {
        loop {
            let page = Client::say(server.local_addr(), ask).await;
            let page = String::from_utf8(page.remaining().await).unwrap();
            if page.contains(&line) {
                return;
            }
        }
    };
    within(heard).await;
}

#[tokio::test]
async fn messages_beyond_the_frame_size_come_in_parts_and_others_whole() {
    let mut config = config();
    config.max_frame_size = 5;
    let server = echo_with(config).await;
    let mut client = Client::open(server.local_addr()).await;

    client
        .send(&[text("Hello World!"), text(""), text("Hello")].concat())
        .await;

    let mut seen = Vec::new();
    for _ in 0..5 {
        let (header, payload) = frame(&mut client).await;
        let payload = String::from_utf8(payload).unwrap();
        seen.push((header.opcode, header.fin, payload));
    }
    let expected = [
        (Opcode::Text, false, "Hello"),
        (Opcode::Continuation, false, " Worl"),
        (Opcode::Continuation, true, "d!"),
        (Opcode::Text, true, ""),
        (Opcode::Text, true, "Hello"),
    ];
    assert_eq!(
        seen,
        expected.map(|(opcode, fin, text)| (opcode, fin, text.to_owned()))
    );
}

#[tokio::test]
async fn a_broadcast_is_parted_as_well() {
    let mut config = config();
    config.max_frame_size = 1000;
    let server = echo_with(config).await;
    let mut client = Client::open(server.local_addr()).await;
    client.text("here").await;
    assert_eq!(client.next_text().await, "here");

    assert_eq!(server.hub().broadcast("x".repeat(2500), None), 1);

    let mut lengths = Vec::new();
    for _ in 0..3 {
        lengths.push(frame(&mut client).await.0.payload_length);
    }
    assert_eq!(lengths, [1000, 1000, 500]);
}

#[tokio::test]
async fn a_pong_goes_between_the_parts_of_a_large_message() {
    // More than the sockets hold.
    const SIZE: usize = 32 << 20;
    let mut config = config();
    config.max_frame_size = 64 << 10;
    config.outbox_size = 2 * SIZE;
    let large = sync_handler(|cx, _| cx.reply(&vec![7; SIZE][..]));
    let server = serve_with(config, large).await;
    let mut client = Client::open(server.local_addr()).await;
    let ping = FrameBuilder::new(Role::Client).ping("now").unwrap().build();

    client.text("go").await;
    let mut size = frame(&mut client).await.1.len();
    client.send(&ping).await;
    // While nothing is read here, the server hears the ping and has not sent all of the message.
    let heard = text("go").len() + ping.len();
    until_heard(&server, heard).await;

    let mut pong_at = None;
    while size < SIZE {
        let (header, payload) = frame(&mut client).await;
        match header.opcode {
            Opcode::Pong => pong_at = Some((size, payload)),
            _ => size += payload.len(),
        }
    }
    let (at, payload) = pong_at.expect("it came before the message's end");
    assert!(0 < at && at < SIZE, "at byte {at}");
    assert_eq!(payload, b"now");
}
