//! What becomes of servers whose program is killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use zcomm_services::{Source, StartOptions};

use crate::support::{Project, is_alive, kill, manager, say, scratch, until};

const ROLE: &str = "ZCOMM_TEST_HOST";

/// This test binary, run once more as a program that starts a server and never gets to stop it.
fn host(project: &Project, test: &str) -> (Child, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("host::{test}"), "--nocapture"])
        .env(ROLE, project.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let pid = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("server=")?.1.parse().ok())
        .expect("the host starts its server");
    (child, pid)
}

/// Plays the host, if this process is to be one.
async fn plays_host(options: StartOptions) -> bool {
    let Some(project) = std::env::var_os(ROLE) else {
        return false;
    };
    let manager = manager(&PathBuf::from(project));
    let status = manager.start("redis", options).await.unwrap();
    println!("\nserver={}", status.pid.unwrap());
    std::future::pending::<()>().await;
    true
}

#[tokio::test]
async fn a_server_ends_with_a_killed_program() {
    if plays_host(scratch()).await {
        return;
    }
    let project = Project::new();
    let (mut host, server) = host(&project, "a_server_ends_with_a_killed_program");
    let folder = PathBuf::from(project.record().unwrap()["folder"].as_str().unwrap());

    host.kill().unwrap();
    host.wait().unwrap();

    until(async || !is_alive(server)).await;
    until(async || !folder.exists()).await;
    let status = project.manager().start("redis", scratch()).await.unwrap();
    assert_ne!(status.pid, u32::try_from(server).ok());
}

#[tokio::test]
async fn a_detached_server_outlives_a_killed_program_and_is_still_ours() {
    if plays_host(scratch().detached()).await {
        return;
    }
    let project = Project::new();
    let (mut host, server) = host(
        &project,
        "a_detached_server_outlives_a_killed_program_and_is_still_ours",
    );
    host.kill().unwrap();
    host.wait().unwrap();

    let manager = project.manager();
    let status = manager.start("redis", scratch()).await.unwrap();

    assert_eq!(status.pid, u32::try_from(server).ok());
    assert_eq!((status.ours, status.source), (true, Some(Source::Process)));
    manager.stop("redis").await.unwrap();
    assert!(!is_alive(server));
}

#[tokio::test]
async fn a_server_that_lost_program_and_guard_is_taken_over() {
    if plays_host(scratch()).await {
        return;
    }
    let project = Project::new();
    let (mut host, server) = host(
        &project,
        "a_server_that_lost_program_and_guard_is_taken_over",
    );
    kill(project.record().unwrap()["guard"]["pid"].as_u64().unwrap());
    host.kill().unwrap();
    host.wait().unwrap();

    let manager = project.manager();
    let status = manager.start("redis", scratch()).await.unwrap();
    assert_eq!(status.pid, u32::try_from(server).ok());
    assert_eq!(say(&manager, "PING").await, "+PONG\r\n");

    drop(manager);
    until(async || !is_alive(server)).await;
}

#[tokio::test]
async fn a_server_that_lives_with_another_program_is_that_programs_to_stop() {
    if plays_host(scratch()).await {
        return;
    }
    let project = Project::new();
    let (mut host, server) = host(
        &project,
        "a_server_that_lives_with_another_program_is_that_programs_to_stop",
    );

    let error = project.manager().stop("redis").await.unwrap_err();

    assert_eq!(error.code(), "not_ours");
    assert!(
        error
            .to_string()
            .ends_with(&format!("stop it with `kill {}`", host.id())),
        "{error}"
    );
    assert!(is_alive(server));
    host.kill().unwrap();
    host.wait().unwrap();
    until(async || !is_alive(server)).await;
}
