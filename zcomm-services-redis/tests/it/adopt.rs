//! Servers that somebody else started: found, used, never stopped.

use zcomm_services::{Port, Source, StartOptions};

use crate::support::{Foreign, Project, scratch};

#[tokio::test]
async fn a_running_server_is_adopted_and_not_stopped() {
    let mut foreign = Foreign::start().await;
    let project = Project::new();
    let manager = project.manager();

    let status = manager
        .start("redis", StartOptions::new().port(Port::At(foreign.port)))
        .await
        .unwrap();

    assert_eq!((status.source, status.ours), (Some(Source::Adopted), false));
    assert_eq!(status.pid, Some(foreign.pid()));
    assert!(foreign.is_alive());
    assert_eq!(project.record(), None);
}

#[tokio::test]
async fn a_version_that_was_not_asked_for_is_not_adopted() {
    let foreign = Foreign::start().await;
    let project = Project::new();
    let options = StartOptions::new()
        .port(Port::At(foreign.port))
        .version("1");

    let error = project.manager().start("redis", options).await.unwrap_err();

    assert_eq!(error.code(), "mismatch");
    assert!(
        error.to_string().ends_with("and 1 was asked for"),
        "{error}"
    );
}

#[tokio::test]
async fn throw_away_data_does_not_go_to_somebody_elses_server() {
    let foreign = Foreign::start().await;
    let project = Project::new();

    let error = project
        .manager()
        .start("redis", scratch().port(Port::At(foreign.port)))
        .await
        .unwrap_err();

    assert_eq!(error.code(), "port_taken");
    assert!(
        error
            .to_string()
            .contains(&format!("redis-server (pid {})", foreign.pid())),
        "{error}"
    );
}

#[tokio::test]
async fn another_projects_server_is_not_connected_to() {
    let (theirs, ours) = (Project::new(), Project::new());
    let their_manager = theirs.manager();
    let running = their_manager.start("redis", scratch()).await.unwrap();

    let error = ours
        .manager()
        .start("redis", StartOptions::new().port(Port::At(running.port)))
        .await
        .unwrap_err();

    assert_eq!(error.code(), "port_taken");
    assert!(error.to_string().contains("NOAUTH"), "{error}");
    their_manager.stop("redis").await.unwrap();
}

#[tokio::test]
async fn nothing_is_started_where_only_adopting_was_asked_for() {
    let project = Project::new();
    let options = StartOptions::new()
        .port(Port::AnyFree)
        .source(Source::Adopted);

    let error = project.manager().start("redis", options).await.unwrap_err();

    assert_eq!(error.code(), "nothing_to_adopt");
}
