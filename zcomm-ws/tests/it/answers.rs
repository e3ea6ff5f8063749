//! How handlers answer: at once, later, side by side, in order, to slow readers.

use std::sync::Arc;

use tokio::sync::Notify;
use zcomm_ws::frame::Message;
use zcomm_ws::server::{Connection, async_handler, sync_handler};

use crate::peer::{Client, text, within};
use crate::serving::{config, echo, serve, serve_with};

#[tokio::test]
async fn an_async_handler_takes_messages_one_after_the_other() {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let handler = async_handler(move |_connection: Connection, message: Message| {
        let gate = Arc::clone(&opened);
        async move {
            if message.as_text() == Some("wait") {
                gate.notified().await;
            }
            message
        }
    });
    let mut few = config();
    few.max_in_flight = 2;
    let server = serve_with(few, handler).await;
    let mut client = Client::open(server.local_addr()).await;

    let all = ["first", "wait", "b", "c", "d", "e"];
    client.send(&all.map(text).concat()).await;
    assert_eq!(client.next_text().await, "first");
    gate.notify_one();

    for expected in &all[1..] {
        assert_eq!(client.next_text().await, *expected);
    }
}

#[tokio::test]
async fn an_async_handler_that_sends_by_itself_keeps_its_order() {
    let server = serve(async_handler(
        async |connection: Connection, message: Message| {
            connection.send(&message).await.unwrap();
            tokio::task::yield_now().await;
            Some(format!("after {}", message.as_text().unwrap()))
        },
    ))
    .await;
    let mut client = Client::open(server.local_addr()).await;

    client.send(&[text("a"), text("b")].concat()).await;

    for expected in ["a", "after a", "b", "after b"] {
        assert_eq!(client.next_text().await, expected);
    }
}

#[tokio::test]
async fn futures_run_side_by_side_up_to_the_limit() {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let mut few = config();
    few.max_in_flight = 2;
    let server = serve_with(
        few,
        sync_handler(move |cx, message| {
            let (gate, text) = (
                Arc::clone(&opened),
                message.as_text().unwrap_or("").to_owned(),
            );
            let run = cx.run(async move {
                if text.starts_with("slow") {
                    gate.notified().await;
                }
                text
            });
            if run.is_err() {
                cx.reply("too many");
            }
        }),
    )
    .await;
    let mut client = Client::open(server.local_addr()).await;

    let all = ["slow 1", "fast", "slow 2", "slow 3"].map(text).concat();
    client.send(&all).await;

    assert_eq!(client.next_text().await, "fast");
    assert_eq!(client.next_text().await, "too many");
    gate.notify_waiters();
    let mut both = [client.next_text().await, client.next_text().await];
    both.sort_unstable();
    assert_eq!(both, ["slow 1", "slow 2"]);
}

#[tokio::test]
async fn replies_and_pushes_leave_in_the_order_of_the_calls() {
    let server = serve(sync_handler(|cx, _| {
        cx.reply("1");
        cx.connection().try_send("2").unwrap();
        cx.reply("3");
        cx.connection().hub().broadcast("4", None);
        cx.reply("5");
    }))
    .await;
    let mut client = Client::open(server.local_addr()).await;

    client.text("go").await;

    for expected in ["1", "2", "3", "4", "5"] {
        assert_eq!(client.next_text().await, expected);
    }
}

#[tokio::test]
async fn an_own_send_waits_for_a_slow_reader_and_loses_nothing() {
    let mut limited = config();
    limited.outbox_size = 64 * 1024;
    let server = serve_with(
        limited,
        async_handler(async |connection: Connection, _message: Message| {
            for number in 0..200 {
                let message = format!("{number:0>32768}");
                connection.send(message).await.unwrap();
            }
        }),
    )
    .await;
    let mut client = Client::open(server.local_addr()).await;

    client.text("go").await;

    for number in 0..200 {
        assert_eq!(client.next_text().await, format!("{number:0>32768}"));
    }
}

#[tokio::test]
async fn a_client_that_writes_much_before_it_reads_is_answered_in_full() {
    let server = echo().await;
    let client = Client::open(server.local_addr()).await;
    let Client { mut stream, .. } = client;
    let (mut reader, mut writer) = stream.split();
    let frame = text(&"y".repeat(10_000));
    let total = 1000 * (frame.len() - 4);

    let write = async {
        for _ in 0..1000 {
            tokio::io::AsyncWriteExt::write_all(&mut writer, &frame)
                .await
                .unwrap();
        }
    };
    let read = async {
        let mut buffer = vec![0; 8192];
        let mut received = 0;
        while received < total {
            let count = tokio::io::AsyncReadExt::read(&mut reader, &mut buffer)
                .await
                .unwrap();
            assert_ne!(count, 0, "ended after {received} of {total} bytes");
            received += count;
        }
        received
    };

    let ((), received) = within(async { tokio::join!(write, read) }).await;
    assert_eq!(received, total);
}
