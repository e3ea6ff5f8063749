//! Every line of the hostile frames in `docs/security.md`, on a socket: the code of the close, and what it must not cost.

use std::time::Duration;

use zcomm_ws::frame::{CloseCode, FrameBuilder, Role};
use zcomm_ws::server::sync_handler;

use crate::peer::{Client, Seen, text, within};
use crate::serving::{config, echo, serve_with, until_connected};
use crate::stream::frame;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// A frame whose header bits are not as they should be.
fn with_bits(bits: u8, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[0] |= bits;
    bytes
}

/// A masked frame that announces a length in the form given.
fn announced(opcode: u8, form: u8, length: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode, 0x80 | form];
    bytes.extend_from_slice(length);
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

fn close(code: u16) -> Vec<u8> {
    frame(CLOSE, true, &code.to_be_bytes())
}

#[tokio::test]
async fn what_breaks_a_rule_is_closed_with_the_code_for_it() {
    let server = echo().await;
    let x = frame(TEXT, true, b"x");
    let mut cases: Vec<(Vec<u8>, u16)> = vec![
        (b"\x81\x01x".to_vec(), 1002),
        (frame(PING, true, &[b'p'; 126]), 1002),
        (frame(PONG, true, &[b'p'; 126]), 1002),
        (frame(CLOSE, true, &[3; 126]), 1002),
        (frame(PING, false, b""), 1002),
        (frame(CLOSE, false, b""), 1002),
        (frame(CONTINUATION, true, b"x"), 1002),
        (frame(CONTINUATION, false, b"x"), 1002),
        ([frame(TEXT, false, b"a"), x.clone()].concat(), 1002),
        (
            [frame(TEXT, false, b"a"), frame(BINARY, false, b"b")].concat(),
            1002,
        ),
        (announced(BINARY, 126, &[0, 125]), 1002),
        (announced(BINARY, 127, &[0, 0, 0, 0, 0, 0, 255, 255]), 1002),
        (announced(BINARY, 127, &[0x80, 0, 0, 0, 0, 0, 0, 0]), 1002),
        (announced(BINARY, 127, &[0xff; 8]), 1002),
        (
            announced(BINARY, 127, &[0x7f, 255, 255, 255, 255, 255, 255, 255]),
            1009,
        ),
        // Ten gigabytes.
        (
            announced(BINARY, 127, &[0, 0, 0, 2, 0x54, 0x0b, 0xe4, 0]),
            1009,
        ),
        (frame(CLOSE, true, b"\x03"), 1002),
        (frame(CLOSE, true, b"\x03\xe8\xff"), 1007),
        (frame(TEXT, true, b"\xc3"), 1007),
        (frame(TEXT, true, b"\xed\xa0\x80"), 1007),
        (
            [
                frame(TEXT, false, b"\xe2\x82"),
                frame(CONTINUATION, true, b""),
            ]
            .concat(),
            1007,
        ),
    ];
    cases.extend([0x10, 0x20, 0x40, 0x70].map(|bits| (with_bits(bits, &x), 1002)));
    let opcodes = (0x3..=0x7).chain(0xB..=0xF);
    cases.extend(opcodes.map(|opcode| (frame(opcode, true, b""), 1002)));
    let codes = [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535,
    ];
    cases.extend(codes.map(|code| (close(code), 1002)));

    for (bytes, code) in cases {
        let mut client = Client::open(server.local_addr()).await;
        client.send(&bytes).await;

        let seen = client.rest().await;
        assert!(
            matches!(&seen[..], [Seen::Close(sent, _)] if *sent == code),
            "{:02x?}… got {seen:?} and not {code}",
            &bytes[..bytes.len().min(16)]
        );
    }
    until_connected(&server, 0).await;
}

#[tokio::test]
async fn what_looks_odd_and_is_legal_is_answered() {
    let server = echo().await;
    let echoed = |code: u16| Seen::Close(code, String::new());

    for (bytes, expected) in [
        (frame(CLOSE, true, b""), echoed(1005)),
        (close(1000), echoed(1000)),
        (close(3000), echoed(3000)),
        (close(4999), echoed(4999)),
        (frame(PING, true, &[7; 125]), Seen::Pong(vec![7; 125])),
        (
            [frame(PONG, true, b"never asked for"), text("x")].concat(),
            Seen::Text("x".into()),
        ),
        (
            [frame(TEXT, false, b""), frame(CONTINUATION, true, b"")].concat(),
            Seen::Text(String::new()),
        ),
    ] {
        let mut client = Client::open(server.local_addr()).await;
        client.send(&bytes).await;

        assert_eq!(client.next().await, expected);
    }
}

#[tokio::test]
async fn nothing_that_follows_a_close_is_answered() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;

    client
        .send(
            &[
                text("before"),
                close(1000),
                text("after"),
                frame(PING, true, b"?"),
            ]
            .concat(),
        )
        .await;

    let seen = client.rest().await;
    assert_eq!(
        seen,
        [
            Seen::Text("before".into()),
            Seen::Close(1000, String::new())
        ]
    );
}

#[tokio::test]
async fn floods_of_tiny_fragments_end_at_a_bound() {
    let server = echo().await;

    for piece in [&b""[..], b"x"] {
        let mut client = Client::open(server.local_addr()).await;
        let flood = [
            frame(TEXT, false, piece),
            frame(CONTINUATION, false, piece).repeat(5000),
        ]
        .concat();
        client.send(&flood).await;

        assert!(matches!(client.next().await, Seen::Close(1009, _)));
    }
}

#[tokio::test]
async fn an_announced_message_that_never_comes_costs_what_came_of_it() {
    let mut small = config();
    small.ping_interval = Duration::from_millis(100);
    small.pong_timeout = Duration::from_millis(100);
    let server = serve_with(small, sync_handler(|cx, message| cx.reply(message))).await;
    let mut client = Client::open(server.local_addr()).await;

    // Just below the limit: then silence, which the heartbeat ends.
    client
        .send(&announced(BINARY, 127, &[0, 0, 0, 0, 0, 0x0f, 0xff, 0x00]))
        .await;
    client.send(b"only this").await;

    assert_eq!(client.next().await, Seen::Ping);
    assert_eq!(client.next().await, Seen::Close(4003, String::new()));
}

#[tokio::test]
async fn a_flood_of_pings_that_is_never_read_stays_bounded_and_holds_up_nobody() {
    let server = echo().await;
    let mut flooding = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;
    let pings = frame(PING, true, &[b'p'; 125]).repeat(2000);
    let mut written = 0;

    // Until every buffer between the two is full, or for good: pongs replace each other, so the server may read on.
    while written < 64 << 20 {
        let write = tokio::io::AsyncWriteExt::write(&mut flooding.stream, &pings);
        match tokio::time::timeout(Duration::from_millis(500), write).await {
            Ok(count) => written += count.unwrap(),
            Err(_) => break,
        }
    }
    let mut other = Client::open(server.local_addr()).await;
    other.text("meanwhile").await;
    assert_eq!(other.next_text().await, "meanwhile");
    let metrics = Client::say(
        server.local_addr(),
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    let text = String::from_utf8(metrics.remaining().await).unwrap();
    let waiting: f64 = text
        .lines()
        .filter(|line| line.contains("queue") && line.contains("bytes") && !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse().ok())
        .fold(0.0, f64::max);
    assert!(waiting < 256.0 * 1024.0, "{waiting} bytes wait: {text}");

    // What the peer reads in the end is the protocol still.
    drop(pings);
    assert_eq!(flooding.next().await, Seen::Pong(vec![b'p'; 125]));
}

#[tokio::test]
async fn a_broken_text_is_closed_before_the_rest_of_it_comes() {
    let server = echo().await;
    let mut client = Client::open(server.local_addr()).await;

    client.send(&frame(TEXT, false, b"\xff")).await;

    assert!(matches!(client.next().await, Seen::Close(1007, _)));
}

#[tokio::test]
async fn a_client_that_answers_no_close_is_left_after_its_time() {
    let mut short = config();
    short.close_timeout = Duration::from_millis(100);
    let server = serve_with(short, sync_handler(|_, _| {})).await;
    let mut client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;

    let id = server.hub().connections()[0].id();
    assert!(server.hub().disconnect(id, CloseCode::Normal.into()));

    assert_eq!(client.next().await, Seen::Close(1000, String::new()));
    // Data instead of the answer does not keep it alive.
    let more = FrameBuilder::new(Role::Client)
        .text("still")
        .unwrap()
        .build();
    client.send(&more).await;
    within(async { while client.next().await != Seen::End {} }).await;
    until_connected(&server, 0).await;
}
