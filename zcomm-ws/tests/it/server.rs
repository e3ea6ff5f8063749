//! The server on real sockets: messages, closing, the hub, the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use zcomm_ws::frame::{CloseCode, FrameBuilder, Message, MessageRef, Role};
use zcomm_ws::hub::Encoded;
use zcomm_ws::server::{
    CloseReason, Connection, Cx, Handler, Server, ServerConfig, ServerHandle, async_handler,
    sync_handler,
};

use crate::peer::{Client, Seen, text, upgrade, within};

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.port = 0;
    config.refusal_delay = Duration::ZERO;
    config
}

async fn serve(handler: impl Handler) -> ServerHandle {
    serve_with(config(), handler).await
}

async fn serve_with(config: ServerConfig, handler: impl Handler) -> ServerHandle {
    let builder = Server::builder().config(config).handler(handler);
    builder.bind().await.expect("a free port")
}

async fn echo() -> ServerHandle {
    serve(sync_handler(|cx, message| cx.reply(message))).await
}

/// Waits until a server has that many connections.
async fn until_connected(server: &ServerHandle, count: usize) {
    within(async {
        while server.hub().len() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Tells of every connection that came and went.
struct Watched(mpsc::UnboundedSender<String>);

impl Handler for Watched {
    type Session = ();

    fn connect(&self, cx: &mut Cx<'_>) -> Result<(), CloseReason> {
        let _ = self.0.send(format!("+{}", cx.connection().path()));
        match cx.connection().path() {
            "/refused" => Err(CloseReason::policy("not here")),
            "/panic" => panic!("asked for by the test"),
            _ => Ok(()),
        }
    }

    fn message(&self, (): &mut (), cx: &mut Cx<'_>, message: MessageRef<'_>) {
        match message.as_text() {
            Some("panic") => panic!("asked for by the test"),
            Some("close") => cx.close(CloseReason::new(CloseCode::Other(4100), "as you wish")),
            _ => cx.reply(message),
        }
    }

    fn disconnect(&self, (): (), connection: &Connection, ended: &CloseReason) {
        let _ = self.0.send(format!("-{} {ended}", connection.path()));
    }
}

async fn watched() -> (ServerHandle, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (serve(Watched(sender)).await, receiver)
}

async fn told(receiver: &mut mpsc::UnboundedReceiver<String>) -> String {
    within(receiver.recv()).await.expect("the handler lives")
}

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

#[tokio::test]
async fn a_stream_that_breaks_off_is_reported_as_1006() {
    let (server, mut events) = watched().await;
    let client = Client::open(server.local_addr()).await;

    drop(client);

    assert_eq!(told(&mut events).await, "+/");
    assert_eq!(told(&mut events).await, "-/ 1006");
}

#[tokio::test]
async fn a_handler_may_refuse_a_connection_and_hears_no_more_of_it() {
    let (server, mut events) = watched().await;
    let mut client = Client::open_as(server.local_addr(), "/refused", &[]).await;

    assert_eq!(client.next().await, Seen::Close(1008, "not here".into()));
    drop(client);
    until_connected(&server, 0).await;

    assert_eq!(told(&mut events).await, "+/refused");
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_panic_of_the_handler_ends_one_connection_only() {
    let (server, mut events) = watched().await;
    let mut bystander = Client::open(server.local_addr()).await;
    let mut client = Client::open_as(server.local_addr(), "/x", &[]).await;

    client.send(&[text("before"), text("panic")].concat()).await;

    let seen = client.rest().await;
    assert_eq!(
        seen,
        [
            Seen::Text("before".into()),
            Seen::Close(1011, String::new())
        ]
    );
    drop(client);
    for expected in ["+/", "+/x", "-/x 1011"] {
        assert_eq!(told(&mut events).await, expected);
    }
    bystander.text("still here").await;
    assert_eq!(bystander.next_text().await, "still here");
}

#[tokio::test]
async fn a_panic_while_connecting_closes_with_1011() {
    let (server, _events) = watched().await;
    let mut client = Client::open_as(server.local_addr(), "/panic", &[]).await;

    assert_eq!(client.next().await, Seen::Close(1011, String::new()));
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
        // More behind it must neither be answered nor turn the close into a reset.
        client.send(&text("and on")).await;

        is_close(&client.rest().await, code);
    }
    until_connected(&server, 0).await;
}

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
async fn a_broadcast_reaches_all_but_its_sender_and_counts_them() {
    let server = serve(sync_handler(|cx, message| {
        let connection = cx.connection().clone();
        let count = connection.hub().broadcast(message, Some(connection.id()));
        cx.reply(count.to_string().as_str());
    }))
    .await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(Client::open(server.local_addr()).await);
    }
    until_connected(&server, 5).await;

    clients[2].text("news").await;

    assert_eq!(clients[2].next_text().await, "4");
    for index in [0, 1, 3, 4] {
        assert_eq!(clients[index].next_text().await, "news");
    }
}

#[tokio::test]
async fn topics_reach_those_who_joined_until_they_leave_or_go() {
    let server = serve(sync_handler(|cx, message| {
        let connection = cx.connection().clone();
        let done = match message.as_text() {
            Some("join") => connection.hub().join(&connection, "news"),
            Some("leave") => connection.hub().leave(&connection, "news"),
            _ => false,
        };
        cx.reply(done.to_string().as_str());
    }))
    .await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::open(server.local_addr()).await;
        client.text("join").await;
        assert_eq!(client.next_text().await, "true");
        clients.push(client);
    }

    clients[0].text("join").await;
    assert_eq!(clients[0].next_text().await, "false");
    clients[0].text("leave").await;
    assert_eq!(clients[0].next_text().await, "true");
    drop(clients.pop());
    until_connected(&server, 2).await;

    assert_eq!(server.hub().topic_len("news"), 1);
    assert_eq!(server.hub().publish("news", "extra", None), 1);
    assert_eq!(clients[1].next_text().await, "extra");
}

#[tokio::test]
async fn a_slow_reader_is_cut_with_4002_while_others_get_everything() {
    let mut limited = config();
    limited.outbox_size = 256 * 1024;
    let server = serve_with(limited, sync_handler(|_, _| {})).await;
    let mut slow = Client::open(server.local_addr()).await;
    let mut quick = Client::open(server.local_addr()).await;
    until_connected(&server, 2).await;
    let message = Encoded::from("x".repeat(64 * 1024));

    // Sent in step with the quick reader, until the slow one's socket and outbox are full.
    let mut sent = 0;
    while server.hub().broadcast(&message, None) == 2 {
        sent += 1;
        assert_eq!(quick.next_text().await.len(), 64 * 1024);
        assert!(sent < 2000, "the slow reader is never cut");
    }

    assert_eq!(quick.next_text().await.len(), 64 * 1024);
    let seen = slow.rest().await;
    let (last, before) = seen.split_last().unwrap();
    assert_eq!(*last, Seen::Close(4002, String::new()));
    assert!(before.len() < sent);
    until_connected(&server, 1).await;
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

#[tokio::test]
async fn a_silent_client_is_pinged_and_closed_with_4003() {
    let mut hasty = config();
    hasty.ping_interval = Duration::from_millis(80);
    hasty.pong_timeout = Duration::from_millis(80);
    let server = serve_with(hasty, sync_handler(|cx, message| cx.reply(message))).await;
    let mut client = Client::open(server.local_addr()).await;

    assert_eq!(client.next().await, Seen::Ping);
    let pong = FrameBuilder::new(Role::Client).pong("").unwrap().build();
    client.send(&pong).await;
    assert_eq!(client.next().await, Seen::Ping);

    assert_eq!(client.next().await, Seen::Close(4003, String::new()));
}

#[tokio::test]
async fn an_armed_deadline_closes_unless_it_is_lifted() {
    let server = serve(sync_handler(|cx, message| match message.as_text() {
        Some("lift") => cx.disarm(),
        _ => cx.arm(
            Duration::from_millis(50),
            CloseReason::from(CloseCode::AuthTimeout),
        ),
    }))
    .await;
    let mut lifted = Client::open(server.local_addr()).await;
    let mut client = Client::open(server.local_addr()).await;

    lifted.send(&[text("arm"), text("lift")].concat()).await;
    client.text("arm").await;

    assert_eq!(client.next().await, Seen::Close(4005, String::new()));
    assert_eq!(server.hub().len(), 2);
    lifted.close(CloseCode::Normal, "").await;
    assert_eq!(lifted.next().await, Seen::Close(1000, String::new()));
}

#[tokio::test]
async fn a_stopping_server_says_so_closes_with_1001_and_frees_its_port() {
    let builder = Server::builder()
        .config(config())
        .handler(sync_handler(|_, _| {}));
    let server = builder.farewell("goodbye").bind().await.unwrap();
    let address = server.local_addr();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Client::open(address).await);
    }
    until_connected(&server, 3).await;

    server.shutdown();
    let waiting = tokio::spawn(server.wait());

    for client in &mut clients {
        assert_eq!(client.next_text().await, "goodbye");
        assert!(matches!(client.next().await, Seen::Close(1001, _)));
        client.close(CloseCode::GoingAway, "").await;
        assert_eq!(client.next().await, Seen::End);
    }
    let drained = within(waiting).await.unwrap();
    assert_eq!((drained.closed, drained.cut), (3, 0));
    let mut again = config();
    again.port = address.port();
    let next = serve_with(again, sync_handler(|_, _| {})).await;
    assert_eq!(next.local_addr(), address);
}

#[tokio::test]
async fn clients_that_do_not_answer_are_cut_when_the_drain_is_over() {
    let mut patient = config();
    patient.close_timeout = Duration::from_secs(60);
    patient.drain_timeout = Duration::from_millis(100);
    let server = serve_with(patient, sync_handler(|_, _| {})).await;
    let _client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;

    server.shutdown();

    let drained = within(server.wait()).await;
    assert_eq!((drained.closed, drained.cut), (0, 1));
}

#[tokio::test]
async fn five_hundred_connections_come_and_go_and_none_is_left() {
    let server = echo().await;

    for _ in 0..2 {
        let mut clients = Vec::new();
        for _ in 0..250 {
            clients.push(Client::open(server.local_addr()).await);
        }
        until_connected(&server, 250).await;
        drop(clients);
        until_connected(&server, 0).await;
    }

    assert!(server.hub().connections().is_empty());
}

#[tokio::test]
async fn a_hub_closes_whom_it_is_told_to() {
    let (server, mut events) = watched().await;
    let mut client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;
    let id = server.hub().connections()[0].id();

    assert!(server.hub().send_to(id, "only you"));
    assert!(server.hub().disconnect(id, CloseReason::policy("out")));
    assert!(!server.hub().disconnect(id, CloseReason::normal()));

    assert_eq!(client.next_text().await, "only you");
    assert_eq!(client.next().await, Seen::Close(1008, "out".into()));
    drop(client);
    assert_eq!(told(&mut events).await, "+/");
    assert_eq!(told(&mut events).await, "-/ 1008 out");
}

#[tokio::test]
async fn a_handle_that_outlives_its_connection_sends_nothing() {
    let server = echo().await;
    let client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;
    let connection = server.hub().connections().remove(0);

    drop(client);
    until_connected(&server, 0).await;

    assert_eq!(connection.try_send("x").unwrap_err().code(), "closed");
    assert_eq!(connection.send("x").await.unwrap_err().code(), "closed");
    assert!(!connection.is_open());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_broadcasts_from_all_sides_nothing_is_lost_doubled_or_reordered() {
    const CLIENTS: usize = 8;
    const MESSAGES: usize = 200;
    let mut roomy = config();
    roomy.outbox_messages = CLIENTS * MESSAGES;
    let handler = sync_handler(|cx, message| {
        let sent = cx.connection().hub().broadcast(message, None);
        assert_eq!(sent, CLIENTS);
    });
    let server = serve_with(roomy, handler).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::open(server.local_addr()).await);
    }
    until_connected(&server, CLIENTS).await;

    let mut running = tokio::task::JoinSet::new();
    for (name, mut client) in clients.into_iter().enumerate() {
        running.spawn(async move {
            let mut next = [0; CLIENTS];
            for number in 0..MESSAGES {
                client.text(&format!("{name} {number}")).await;
            }
            while next != [MESSAGES; CLIENTS] {
                let text = client.next_text().await;
                let (from, number) = text.split_once(' ').expect("a name and a number");
                let from: usize = from.parse().expect("a name");
                assert_eq!(number, next[from].to_string(), "of {from}");
                next[from] += 1;
            }
            client
        });
    }

    // Nobody hangs up before all are done, or the counts would differ.
    let done = within(running.join_all()).await;
    assert_eq!(done.len(), CLIENTS);
}

#[tokio::test]
async fn hooks_around_a_handler_see_beginning_and_end() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let ended = sender.clone();
    let handler = sync_handler(|cx, message| cx.reply(message))
        .on_connect(move |cx| {
            cx.reply("welcome");
            let _ = sender.send("taken".to_owned());
            Ok(())
        })
        .on_disconnect(move |_, reason| {
            let _ = ended.send(reason.to_string());
        });
    let server = serve(handler).await;
    let mut client = Client::open(server.local_addr()).await;

    assert_eq!(client.next_text().await, "welcome");
    client.close(CloseCode::Normal, "done").await;

    assert_eq!(told(&mut events).await, "taken");
    assert_eq!(told(&mut events).await, "1000 done");
}
