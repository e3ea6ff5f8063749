//! Messages and closes on real sockets, as RFC 6455 has them.

use zcomm_ws::frame::{CloseCode, FrameBuilder, Role};
use zcomm_ws::server::sync_handler;

use crate::peer::{Client, Seen, text, upgrade};
use crate::serving::{config, echo, serve_with, told, until_connected, watched};

#[tokio::test]
async fn text_and_binary_come_back_as_they_were() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;
    let mut builder = FrameBuilder::new(Role::Client);
    let binary = builder.binary(&[0, 255, 7]).unwrap().build();

    client.text("grüße").await;
    client.send(&binary).await;
    client.text("").await;

    assert_eq!(client.next().await, Seen::Text("grüße".into()));
    assert_eq!(client.next().await, Seen::Binary(vec![0, 255, 7]));
    assert_eq!(client.next().await, Seen::Text(String::new()));
}

#[tokio::test]
async fn many_messages_in_one_write_are_answered_in_order() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;
    let all: Vec<u8> = (0..5000).flat_map(|n| text(&n.to_string())).collect();

    client.send(&all).await;

    for number in 0..5000 {
        assert_eq!(client.next_text().await, number.to_string());
    }
}

#[tokio::test]
async fn a_message_may_come_byte_by_byte() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;
    client.stream.set_nodelay(true).unwrap();

    for byte in text("bit by bit") {
        client.send(&[byte]).await;
    }

    assert_eq!(client.next_text().await, "bit by bit");
}

#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_answered() {
    let server = echo().await;
    let mut bytes = upgrade("/", &[]).into_bytes();
    bytes.extend(text("early"));

    let mut client = Client::say(server.local_addr(), &bytes).await;

    assert_eq!(client.next_text().await, "early");
}

#[tokio::test]
async fn a_message_larger_than_every_buffer_comes_back_whole() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;
    let large = "ä".repeat(500_000);

    client.text(&large).await;

    assert!(client.next_text().await == large);
}

#[tokio::test]
async fn fragments_make_one_message_and_a_ping_may_come_between() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;
    let frames = b"\x01\x82\0\0\0\0He\x89\x81\0\0\0\0!\x80\x83\0\0\0\0llo";

    client.send(frames).await;

    assert_eq!(client.next().await, Seen::Pong(b"!".to_vec()));
    assert_eq!(client.next_text().await, "Hello");
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_and_the_server_ends_the_stream() {
    let (server, mut events) = watched().await;
    let mut client = Client::open(server.local_addr()).await;

    client.close(CloseCode::Other(4321), "bye").await;

    assert_eq!(client.rest().await, [Seen::Close(4321, String::new())]);
    assert_eq!(told(&mut events).await, "+/");
    assert_eq!(told(&mut events).await, "-/ 4321 bye");
    until_connected(&server, 0).await;
}

#[tokio::test]
async fn a_close_by_the_handler_follows_its_replies() {
    let (server, mut events) = watched().await;
    let mut client = Client::open(server.local_addr()).await;

    let all = [text("one"), text("close"), text("never read")].concat();
    client.send(&all).await;

    assert_eq!(client.next_text().await, "one");
    assert_eq!(
        client.next().await,
        Seen::Close(4100, "as you wish".to_owned())
    );
    client.close(CloseCode::Other(4100), "").await;
    assert_eq!(client.next().await, Seen::End);
    assert_eq!(told(&mut events).await, "+/");
    assert_eq!(told(&mut events).await, "-/ 4100 as you wish");
}

#[track_caller]
fn is_close(seen: &[Seen], expected: u16) {
    assert!(
        matches!(seen, [Seen::Close(code, _)] if *code == expected),
        "{seen:?} is not one close with {expected}"
    );
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_its_code() {
    let mut small = config();
    small.max_message_size = 100;
    let server = serve_with(small, sync_handler(|cx, message| cx.reply(message))).await;
    let cases: [(&[u8], u16); 8] = [
        (b"\x81\x05Hello", 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x80\x80\0\0\0\0", 1002),
        (b"\x88\x81\0\0\0\0\x03", 1002),
        (b"\x81\x82\0\0\0\0\xc0\x80", 1007),
        (b"\x82\xfe\x00\x80\0\0\0\0", 1009),
        (b"\x82\xff\0\0\0\x10\0\0\0\0\0\0\0\0", 1009),
    ];

    for (bytes, code) in cases {
        let mut client = Client::open(server.local_addr()).await;
        client.send(bytes).await;
        // Much more behind it is neither answered nor cut off by a reset, which could overtake the close.
        client.send(&vec![0x81; 4 << 20]).await;

        is_close(&client.rest().await, code);
    }
    until_connected(&server, 0).await;
}
