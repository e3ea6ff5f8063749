//! How connections and servers begin and end: hooks, panics, heartbeat, drain.

use std::time::Duration;

use tokio::sync::mpsc;
use zcomm_ws::frame::{CloseCode, FrameBuilder, Message, Role};
use zcomm_ws::server::{CloseReason, Connection, Handler, Server, async_handler, sync_handler};

use crate::peer::{Client, Seen, text, within};
use crate::serving::{config, echo, serve, serve_with, told, until_connected, watched};

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

#[tokio::test]
async fn a_future_that_panics_at_once_or_later_ends_one_connection_only() {
    let server = serve(async_handler(
        async |_connection: Connection, message: Message| {
            if message.as_text() == Some("later") {
                tokio::task::yield_now().await;
            }
            assert_eq!(message.as_text(), Some("fine"), "asked for by the test");
            message
        },
    ))
    .await;
    let mut bystander = Client::open(server.local_addr()).await;

    for which in ["now", "later"] {
        let mut client = Client::open(server.local_addr()).await;
        client.text(which).await;
        assert_eq!(client.rest().await, [Seen::Close(1011, String::new())]);
    }

    bystander.text("fine").await;
    assert_eq!(bystander.next_text().await, "fine");
}

#[tokio::test]
async fn whoever_asks_a_second_time_stops_the_server_at_once() {
    let mut patient = config();
    patient.close_timeout = Duration::from_secs(60);
    patient.drain_timeout = Duration::from_secs(60);
    let server = serve_with(patient, sync_handler(|_, _| {})).await;
    let mut client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;
    let stopper = server.stopper();

    stopper.stop();
    assert!(matches!(client.next().await, Seen::Close(1001, _)));
    stopper.stop();

    let drained = within(server.wait()).await;
    assert_eq!((drained.closed, drained.cut), (0, 1));
}

#[tokio::test]
async fn a_server_ends_with_its_handle_and_its_handler_hears_of_it() {
    let (server, mut events) = watched().await;
    let mut client = Client::open(server.local_addr()).await;
    until_connected(&server, 1).await;

    drop(server);

    assert_eq!(client.next().await, Seen::End);
    assert_eq!(told(&mut events).await, "+/");
    assert_eq!(told(&mut events).await, "-/ 1006");
}

#[tokio::test]
async fn a_connection_keeps_values_of_the_applications_own() {
    let server = serve(sync_handler(|cx, _| {
        let count = cx.connection().extensions(|all| {
            let count = all.get_or_insert_default::<u64>();
            *count += 1;
            *count
        });
        cx.reply(count.to_string().as_str());
    }))
    .await;
    let (mut one, mut two) = (
        Client::open(server.local_addr()).await,
        Client::open(server.local_addr()).await,
    );

    for (client, expected) in [(&mut one, ["1", "2"]), (&mut two, ["1", "2"])] {
        for expected in expected {
            client.text("count").await;
            assert_eq!(client.next_text().await, expected);
        }
    }
}
