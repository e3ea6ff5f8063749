//! A server's life: started, asked, started again, stopped.

use zcomm_core::service::ServiceState;
use zcomm_services::{Port, Source, StartOptions};

use crate::support::{Project, is_alive, say, scratch, until};

#[tokio::test]
async fn a_started_server_answers_and_a_stopped_one_leaves_nothing() {
    let project = Project::new();
    let manager = project.manager();

    let status = manager.start("redis", scratch()).await.unwrap();
    let data = status.data_dir.clone().unwrap();

    assert_eq!(
        (status.running, status.ours, status.source),
        (true, true, Some(Source::Process))
    );
    assert!(status.version.is_some() && data.is_dir());
    assert_eq!(say(&manager, "PING").await, "+PONG\r\n");

    let stopped = manager.stop("redis").await.unwrap();

    assert_eq!((stopped.running, stopped.source), (false, None));
    assert!(!is_alive(status.pid.unwrap().into()));
    assert!(!data.parent().unwrap().exists());
    assert_eq!(project.record(), None);
}

#[tokio::test]
async fn a_second_start_finds_the_first() {
    let project = Project::new();
    let (here, there) = (project.manager(), project.manager());

    let (one, two) = tokio::join!(
        here.start("redis", scratch()),
        there.start("redis", scratch())
    );
    let (one, two) = (one.unwrap(), two.unwrap());

    assert_eq!((one.pid, one.port), (two.pid, two.port));
    assert!(one.ours && two.ours);
}

#[tokio::test]
async fn a_restart_keeps_data_port_and_password() {
    let project = Project::new();
    let manager = project.manager();
    let before = manager
        .start("redis", StartOptions::new().port(Port::AnyFree))
        .await
        .unwrap();
    say(&manager, "SET colour green").await;

    let after = manager.restart("redis").await.unwrap();

    assert_eq!(before.port, after.port);
    assert_ne!(before.pid, after.pid);
    assert_eq!(say(&manager, "GET colour").await, "$5\r\ngreen\r\n");
    manager.stop("redis").await.unwrap();
}

#[tokio::test]
async fn data_that_is_kept_is_there_at_the_next_start() {
    let project = Project::new();
    let manager = project.manager();
    let kept = || StartOptions::new().port(Port::AnyFree);
    manager.start("redis", kept()).await.unwrap();
    say(&manager, "SET colour green").await;
    manager.stop("redis").await.unwrap();
    let log = manager.logs("redis", 100).await.unwrap();

    manager.start("redis", kept()).await.unwrap();

    assert!(
        log.iter()
            .any(|line| line.contains("Ready to accept connections")),
        "{log:?}"
    );

    assert_eq!(say(&manager, "GET colour").await, "$5\r\ngreen\r\n");
    manager.stop("redis").await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_killed_is_noticed_and_started_anew() {
    let project = Project::new();
    let manager = project.manager();
    let first = manager.start("redis", scratch()).await.unwrap();
    let pid = first.pid.unwrap().into();

    crate::support::kill(pid);
    until(async || !is_alive(pid)).await;
    let noticed = manager.status("redis").await.unwrap();
    let second = manager.start("redis", scratch()).await.unwrap();

    assert!(!noticed.running && !noticed.ours);
    assert_ne!(first.pid, second.pid);
    assert!(!first.data_dir.unwrap().exists());
    manager.stop("redis").await.unwrap();
}

#[tokio::test]
async fn a_server_ends_with_the_last_handle_unless_it_is_detached() {
    let (attached, detached) = (Project::new(), Project::new());
    let stays = detached
        .manager()
        .start("redis", scratch().detached())
        .await
        .unwrap();
    let manager = attached.manager();
    let goes = manager.start("redis", scratch()).await.unwrap();

    drop(manager);

    until(async || !is_alive(goes.pid.unwrap().into())).await;
    until(async || !goes.data_dir.as_ref().unwrap().exists()).await;
    assert!(is_alive(stays.pid.unwrap().into()));
    let stopped = detached.manager().stop("redis").await.unwrap();
    assert_eq!(stopped.state, ServiceState::Stopped);
    assert!(!is_alive(stays.pid.unwrap().into()));
}

#[tokio::test]
async fn a_server_that_is_detached_later_outlives_the_last_handle() {
    let project = Project::new();
    let manager = project.manager();
    let first = manager.start("redis", scratch()).await.unwrap();
    let guard = project.record().unwrap()["guard"]["pid"].as_u64().unwrap();

    manager.start("redis", scratch().detached()).await.unwrap();
    drop(manager);

    until(async || !is_alive(guard)).await;
    assert!(is_alive(first.pid.unwrap().into()));
    project.manager().stop("redis").await.unwrap();
}

#[tokio::test]
async fn a_server_of_the_wrong_version_is_not_left_running() {
    let project = Project::new();
    let manager = project.manager();

    let error = manager
        .start("redis", scratch().version("1"))
        .await
        .unwrap_err();

    assert_eq!(error.code(), "mismatch");
    assert_eq!(project.record(), None);
}

#[tokio::test]
async fn a_start_right_after_the_last_handle_went_gets_a_server_of_its_own() {
    let project = Project::new();
    let manager = project.manager();
    let first = manager.start("redis", scratch()).await.unwrap();
    drop(manager);

    let manager = project.manager();
    let second = manager.start("redis", scratch()).await.unwrap();

    assert_ne!(first.pid, second.pid);
    assert_eq!(say(&manager, "PING").await, "+PONG\r\n");
    manager.stop("redis").await.unwrap();
}

#[tokio::test]
async fn the_password_is_neither_seen_in_the_process_table_nor_in_the_status() {
    let project = Project::new();
    let manager = project.manager();
    let status = manager.start("redis", scratch()).await.unwrap();
    let info = manager.connection_info("redis").await.unwrap();
    let password = info.endpoint.password.as_ref().unwrap().expose().to_owned();

    let command_line = std::fs::read(format!("/proc/{}/cmdline", status.pid.unwrap())).unwrap();
    let shown = format!(
        "{} {status:?} {info:?}",
        serde_json::to_string(&status).unwrap()
    );

    assert_eq!(password.len(), 32);
    assert!(!String::from_utf8_lossy(&command_line).contains(&password));
    assert!(!shown.contains(&password));
    assert!(info.connection_string.expose().contains(&password));
    manager.stop("redis").await.unwrap();
}

#[tokio::test]
async fn the_copy_of_a_project_neither_has_nor_stops_the_servers_of_the_first() {
    let (project, copy) = (Project::new(), Project::new());
    let manager = project.manager();
    let kept = || StartOptions::new().port(Port::AnyFree);
    let first = manager.start("redis", kept().detached()).await.unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([project.path().join(".zcomm"), copy.path().to_owned()])
        .status()
        .unwrap();

    let there = copy.manager();
    let status = there.status("redis").await.unwrap();
    let second = there.start("redis", kept()).await.unwrap();
    there.purge("redis").await.unwrap();

    assert!(copied.success() && !status.ours);
    assert_ne!((first.pid, first.port), (second.pid, second.port));
    assert_eq!(say(&manager, "PING").await, "+PONG\r\n");
    manager.purge("redis").await.unwrap();
}

#[tokio::test]
async fn a_password_that_the_server_answers_to_is_kept_from_then_on() {
    let project = Project::new();
    let kept = || StartOptions::new().port(Port::AnyFree);
    let first = project.manager();
    first.start("redis", kept()).await.unwrap();
    first.stop("redis").await.unwrap();

    let second = project.manager_with("redis.password", "another one");
    second.start("redis", kept()).await.unwrap();
    second.stop("redis").await.unwrap();

    let file = project.path().join(".zcomm/services/redis/password");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "another one");
}
