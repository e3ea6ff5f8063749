//! Messages to many: broadcasts, topics, slow readers.

use zcomm_ws::hub::Encoded;
use zcomm_ws::server::{CloseReason, sync_handler};

use crate::peer::{Client, Seen, within};
use crate::serving::{config, echo, serve, serve_with, told, until_connected, watched};

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
