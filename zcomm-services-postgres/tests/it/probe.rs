//! What a probe makes of servers that are not ready, not open, or not PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zcomm_core::service::{Endpoint, Probe, ServiceDriver, ServiceState};
use zcomm_core::{Registry, Settings};
use zcomm_services::{Port, StartOptions};

use crate::support::{Project, scratch};

fn driver() -> Arc<dyn ServiceDriver> {
    let registry = Registry::of([zcomm_services_postgres::PLUGIN]).unwrap();
    registry
        .driver("postgres", &Settings::defaults(registry.keys()))
        .unwrap()
}

/// What is found at a server that hears one message, says `words` and holds the line.
async fn probe_of(words: &'static [u8]) -> Probe {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at =
        Endpoint::local(listener.local_addr().unwrap().port()).within(Duration::from_millis(200));
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 256]).await.unwrap(), 0);
        stream.write_all(words).await.unwrap();
        std::future::pending::<()>().await;
    };
    let driver = driver();
    tokio::select! {
        probe = driver.probe(&at) => probe,
        () = answering => unreachable!("it holds the line"),
    }
}

#[tokio::test]
async fn a_server_that_starts_is_told_from_one_that_runs() {
    let probe = probe_of(b"E\0\0\0\x24SFATAL\0C57P03\0Mstarting up now.\0\0").await;

    assert_eq!(probe.state, ServiceState::Starting);
    assert_eq!(probe.detail.as_deref(), Some("starting up now."));
}

#[tokio::test]
async fn a_stranger_is_not_taken_for_postgresql() {
    let probe = probe_of(b"-ERR unknown command\r\n").await;

    assert_eq!(probe.state, ServiceState::Error);
    assert_eq!(
        probe.detail.as_deref(),
        Some("what listens there is not PostgreSQL: it says `-ERR unknown command`")
    );
}

#[tokio::test]
async fn a_silent_port_is_not_taken_for_postgresql() {
    assert_eq!(probe_of(b"").await.state, ServiceState::Unknown);
}

#[tokio::test]
async fn a_server_that_lets_us_in_unproved_while_we_prove_ourselves_is_an_impostor() {
    // AuthenticationSASL with the mechanism, then AuthenticationOk.
    let words = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0R\0\0\0\x08\0\0\0\0";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = Endpoint::local(listener.local_addr().unwrap().port()).as_user("me", "hunter2");
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(words).await.unwrap();
        std::future::pending::<()>().await;
    };
    let driver = driver();

    let probe = tokio::select! {
        probe = driver.probe(&at) => probe,
        () = answering => unreachable!("it holds the line"),
    };

    assert_eq!(probe.state, ServiceState::Error);
    assert_eq!(
        probe.detail.as_deref(),
        Some("what listens there does not know the password itself")
    );
}

#[tokio::test]
async fn a_server_that_is_not_ours_runs_and_is_not_adopted() {
    let (theirs, ours) = (Project::new(), Project::new());
    let their_manager = theirs.manager();
    let running = their_manager.start("pg", scratch()).await.unwrap();

    let probe = driver().probe(&Endpoint::local(running.port)).await;
    let options = StartOptions::new().port(Port::At(running.port));
    let error = ours.manager().start("pg", options).await.unwrap_err();

    assert!(probe.is_running() && !probe.is_open());
    assert_eq!(error.code(), "port_taken");
    assert!(
        error
            .to_string()
            .ends_with("it asks for a password, and none is known"),
        "{error}"
    );
    their_manager.stop("pg").await.unwrap();
}
