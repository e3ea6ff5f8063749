//! What is no Redis, and starts that cannot succeed.

use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use zcomm_core::Registry;
use zcomm_core::service::{Endpoint, ServiceDriver, ServiceState};
use zcomm_services::{Port, StartOptions};

use crate::support::{Project, SOON, scratch};

fn driver() -> std::sync::Arc<dyn ServiceDriver> {
    let registry = Registry::of([zcomm_services_redis::PLUGIN]).unwrap();
    let settings = zcomm_core::Settings::defaults(registry.keys());
    registry.driver("redis", &settings).unwrap()
}

/// A server that says `words` to whoever comes, and then holds the line.
async fn stranger(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(words).await;
            held.push(stream);
        }
    });
    port
}

#[tokio::test]
async fn a_stranger_is_not_taken_for_redis() {
    let port = stranger(b"SSH-2.0-OpenSSH_9.2\r\n").await;

    let probe = driver().probe(&Endpoint::local(port)).await;

    assert_eq!(probe.state, ServiceState::Error);
    assert_eq!(
        probe.detail.as_deref(),
        Some("what listens there is not Redis: it says `SSH-2.0-OpenSSH_9.2`")
    );
}

#[tokio::test]
async fn a_silent_port_is_not_taken_for_redis() {
    let port = stranger(b"").await;
    let at = Endpoint::local(port).within(std::time::Duration::from_millis(50));

    let probe = driver().probe(&at).await;

    assert_eq!(probe.state, ServiceState::Unknown);
}

#[tokio::test]
async fn a_taken_port_is_named_with_who_has_it() {
    let port = stranger(b"220 mail ready\r\n").await;
    let project = Project::new();

    let error = project
        .manager()
        .start("redis", StartOptions::new().port(Port::At(port)))
        .await
        .unwrap_err();

    let text = error.to_string();
    assert_eq!(error.code(), "port_taken");
    assert!(
        text.contains(&format!("(pid {})", std::process::id())),
        "{text}"
    );
    assert!(text.ends_with("it says `220 mail ready`"), "{text}");
}

#[tokio::test]
async fn a_failing_start_ends_at_once_with_the_last_lines() {
    let project = Project::new();
    let start = Instant::now();

    let error = project
        .manager()
        .start("redis", scratch().arg("--maxmemory").arg("plenty"))
        .await
        .unwrap_err();

    let text = error.to_string();
    assert_eq!(error.code(), "ended");
    assert!(text.contains("argument must be a memory value"), "{text}");
    assert!(start.elapsed() < SOON / 2);
    assert_eq!(project.record(), None);
}
