//! Lives that go wrong around `zcomm serve`: killed, out of descriptors, stormed. Other lines of that list are in zcomm-ws.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::run::Project;
use crate::serve::peer::{Client, within};
use crate::serve::{Serving, until_connected};

async fn is_served(address: SocketAddr) {
    let mut client = Client::open(address).await;
    client.text("still here").await;
    assert_eq!(client.next_text().await, "still here");
}

#[cfg(unix)]
#[tokio::test]
async fn after_a_sigkill_the_next_server_has_the_same_port() {
    let project = Project::new();
    let server = Serving::start(&project, &["--handler", "echo"]);
    let address = server.address;
    let mut client = Client::open(address).await;
    client.text("before").await;
    assert_eq!(client.next_text().await, "before");

    // With a connection open: its side of the port lives on in the system.
    drop(server);

    let port = address.port().to_string();
    let next = Serving::start(&project, &["--handler", "echo", "--port", &port]);
    assert_eq!(next.address, address);
    is_served(address).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_descriptors_it_waits_and_serves_again_when_there_are_some() {
    let project = Project::new();
    let server = Serving::start_limited(&project, 40, &["--handler", "echo"]);
    let mut early = Client::open(server.address).await;

    // More than it can have; the system accepts them for it.
    let mut streams = Vec::new();
    for _ in 0..60 {
        streams.push(within(TcpStream::connect(server.address)).await.unwrap());
    }
    early.text("meanwhile").await;
    assert_eq!(early.next_text().await, "meanwhile");
    drop(streams);

    is_served(server.address).await;
}

#[tokio::test]
async fn a_storm_of_clients_that_come_back_at_once_is_weathered() {
    let project = Project::new();
    let server = Serving::start(&project, &["--handler", "echo"]);

    for _ in 0..3 {
        let mut storm = JoinSet::new();
        for _ in 0..150 {
            storm.spawn(is_served(server.address));
        }
        assert_eq!(storm.join_all().await.len(), 150);
    }

    within(until_connected(server.address, 0)).await;
    is_served(server.address).await;
}
