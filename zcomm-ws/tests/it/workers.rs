//! A server on several threads: one port, one hub, one end.

use std::collections::HashSet;
use std::num::NonZeroU16;

use zcomm_ws::Error;
use zcomm_ws::server::{Handler, Server, ServerHandle, sync_handler};

use crate::peer::{Client, Seen};
use crate::serving::{config, echo, until_connected};

async fn two(handler: impl Handler) -> ServerHandle {
    let workers = NonZeroU16::new(2).unwrap();
    let server = Server::builder().config(config()).handler(handler);
    server.bind_workers(workers).await.unwrap()
}

/// Tells a client which thread serves it.
async fn telling() -> ServerHandle {
    two(sync_handler(|cx, _| {
        let thread = std::thread::current();
        cx.reply(thread.name().unwrap_or_default());
    }))
    .await
}

async fn clients(server: &ServerHandle, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::open(server.local_addr()).await);
    }
    until_connected(server, count).await;
    clients
}

#[tokio::test]
async fn connections_are_shared_out_and_a_broadcast_reaches_them_all() {
    let server = telling().await;
    // That all of them find the same worker has a chance of one in 2^39.
    let mut clients = clients(&server, 40).await;

    let mut threads = HashSet::new();
    for client in &mut clients {
        client.text("who?").await;
        threads.insert(client.next_text().await);
    }
    assert_eq!(server.hub().broadcast("all", None), 40);

    let expected = ["zcomm-worker-0", "zcomm-worker-1"].map(str::to_owned);
    assert_eq!(threads, HashSet::from(expected));
    for client in &mut clients {
        assert_eq!(client.next_text().await, "all");
    }
}

#[tokio::test]
async fn all_clients_are_let_go_and_the_port_is_free() {
    let server = telling().await;
    let address = server.local_addr();
    let mut clients = clients(&server, 20).await;

    server.shutdown();
    let drained = tokio::spawn(server.wait());
    for client in &mut clients {
        let seen = client.next().await;
        assert!(matches!(&seen, Seen::Close(1001, _)), "{seen:?}");
        client
            .close(zcomm_ws::frame::CloseCode::GoingAway, "")
            .await;
        assert_eq!(client.next().await, Seen::End);
    }

    let drained = drained.await.unwrap();
    assert_eq!((drained.closed, drained.cut), (20, 0));
    let mut again = config();
    again.port = address.port();
    assert!(Server::builder().config(again).bind().await.is_ok());
}

#[tokio::test]
async fn a_second_word_cuts_those_who_do_not_go() {
    let server = telling().await;
    let clients = clients(&server, 10).await;
    let stopper = server.stopper();

    stopper.stop();
    stopper.stop();
    let drained = server.wait().await;

    assert_eq!(drained.closed + drained.cut, 10);
    drop(clients);
}

#[tokio::test]
async fn a_dropped_handle_ends_the_workers_even_if_somebody_could_stop_them() {
    let server = telling().await;
    let mut clients = clients(&server, 10).await;
    let _stopper = server.stopper();

    drop(server);

    for client in &mut clients {
        assert_eq!(client.rest().await, []);
    }
}

#[tokio::test]
async fn a_port_is_not_shared_with_another_server() {
    for other in [telling().await, echo().await] {
        let mut config = config();
        config.port = other.local_addr().port();
        let workers = NonZeroU16::new(2).unwrap();

        let bound = Server::builder().config(config).bind_workers(workers).await;

        let error = bound.map(|_| ()).unwrap_err();
        let pid = format!("{}", std::process::id());
        assert!(matches!(error, Error::Bind { .. }), "{error:?}");
        assert!(error.to_string().contains(&pid), "{error}");
    }
}
