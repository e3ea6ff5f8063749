//! A server's life: made, started, asked, started again, stopped.

use std::os::unix::fs::PermissionsExt;

use zcomm_services::{Port, Source, StartOptions};

use crate::support::{Project, is_alive, kill, psql, scratch};

#[tokio::test]
async fn a_started_server_answers_and_a_stopped_one_leaves_nothing() {
    let project = Project::new();
    let manager = project.manager();

    let status = manager
        .start("pg", scratch().database("shop \"x\""))
        .await
        .unwrap();
    let data = status.data_dir.clone().unwrap();
    let info = manager.connection_info("pg").await.unwrap();
    let url = info.connection_string.expose();

    assert_eq!(
        (status.name, status.source),
        ("postgresql", Some(Source::Process))
    );
    assert!(status.running && status.ours && status.uptime.is_some());
    assert_eq!(
        psql(url, "SELECT current_database(), 1 + 1"),
        "shop \"x\"|2"
    );

    manager.stop("pg").await.unwrap();

    assert!(!is_alive(status.pid.unwrap().into()));
    assert!(!data.parent().unwrap().exists());
    assert_eq!(project.record(), None);
}

#[tokio::test]
async fn kept_data_and_its_password_are_there_at_the_next_start() {
    let project = Project::new();
    let manager = project.manager();
    let kept = || StartOptions::new().port(Port::AnyFree);
    let url = async || {
        manager
            .connection_info("pg")
            .await
            .unwrap()
            .connection_string
    };
    manager.start("pg", kept()).await.unwrap();
    psql(
        url().await.expose(),
        "CREATE TABLE colours AS SELECT 'green' AS name",
    );
    manager.stop("pg").await.unwrap();

    manager.start("pg", kept()).await.unwrap();

    assert_eq!(
        psql(url().await.expose(), "SELECT name FROM colours"),
        "green"
    );
    manager.stop("pg").await.unwrap();
}

#[tokio::test]
async fn data_survives_a_killed_server_and_its_stale_pid_file() {
    let project = Project::new();
    let manager = project.manager();
    let kept = || StartOptions::new().port(Port::AnyFree);
    let first = manager.start("pg", kept()).await.unwrap();
    let info = manager.connection_info("pg").await.unwrap();
    psql(
        info.connection_string.expose(),
        "CREATE TABLE colours AS SELECT 'green' AS name",
    );
    let pid = first.pid.unwrap().into();

    kill(pid);
    while is_alive(pid) {
        tokio::task::yield_now().await;
    }
    assert!(first.data_dir.unwrap().join("postmaster.pid").exists());
    manager.start("pg", kept()).await.unwrap();

    let info = manager.connection_info("pg").await.unwrap();
    assert_eq!(
        psql(info.connection_string.expose(), "SELECT name FROM colours"),
        "green"
    );
    manager.stop("pg").await.unwrap();
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_nor_to_the_socket() {
    let project = Project::new();
    let manager = project.manager();
    let status = manager.start("pg", scratch()).await.unwrap();
    let open = format!("postgresql://postgres@127.0.0.1:{}/zcomm", status.port);
    let wrong = format!(
        "postgresql://postgres:guess@127.0.0.1:{}/zcomm",
        status.port
    );
    let folder = status.data_dir.unwrap().parent().unwrap().to_owned();

    let sockets = std::fs::metadata(folder.join("sockets")).unwrap();

    assert!(
        psql(&format!("{open}?passfile=/dev/null"), "SELECT 1").contains("no password supplied")
    );
    assert!(psql(&wrong, "SELECT 1").contains("password authentication failed"));
    assert_eq!(sockets.permissions().mode() & 0o777, 0o700);
    assert!(
        folder
            .join(format!("sockets/.s.PGSQL.{}", status.port))
            .exists()
    );
    manager.stop("pg").await.unwrap();
}

#[tokio::test]
async fn data_of_another_version_is_named_and_never_touched() {
    let project = Project::new();
    let data = project.path().join("data");
    std::fs::create_dir(&data).unwrap();
    // Everybody may look, so that the account which the server gets under root may, too.
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(data.join("PG_VERSION"), "9.6\n").unwrap();
    let options = StartOptions::new().port(Port::AnyFree).data_dir(&data);

    let error = project.manager().start("pg", options).await.unwrap_err();

    assert_eq!(error.code(), "data_version");
    assert!(
        error
            .to_string()
            .contains("was made by version 9.6, and installed is 1"),
        "{error}"
    );
    let left: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["PG_VERSION"]);
}

#[tokio::test]
async fn a_folder_that_is_somebody_elses_is_named() {
    let project = Project::new();
    let data = project.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("precious"), "x").unwrap();
    let options = StartOptions::new().port(Port::AnyFree).data_dir(&data);
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700)).unwrap();

    let error = project.manager().start("pg", options).await.unwrap_err();

    // As root, the server's account cannot enter; else it is ours, and initdb refuses a folder with things in it.
    assert!(
        ["unreachable", "init_failed"].contains(&error.code()),
        "{error}"
    );
    assert!(data.join("precious").exists());
}

#[tokio::test]
async fn several_projects_start_at_once() {
    let (one, two) = (Project::new(), Project::new());
    let (first, second) = (one.manager(), two.manager());

    let (left, right) = tokio::join!(first.start("pg", scratch()), second.start("pg", scratch()));

    assert_ne!(left.unwrap().port, right.unwrap().port);
    let (left, right) = tokio::join!(first.stop("pg"), second.stop("pg"));
    assert!(!left.unwrap().running && !right.unwrap().running);
}

#[tokio::test]
async fn a_password_that_the_data_does_not_know_takes_no_kept_ones_place() {
    let project = Project::new();
    let kept = || StartOptions::new().port(Port::AnyFree);
    let manager = project.manager();
    manager.start("pg", kept()).await.unwrap();
    manager.stop("pg").await.unwrap();
    let file = project.path().join(".zcomm/services/postgresql/password");
    let before = std::fs::read_to_string(&file).unwrap();

    let other = project.manager_with("postgresql.password", "another one");
    let error = other.start("pg", kept()).await.unwrap_err();
    let after = std::fs::read_to_string(&file).unwrap();
    let again = manager.start("pg", kept()).await.unwrap();

    assert_eq!(error.code(), "password_differs");
    assert_eq!(before, after);
    assert!(again.running);
    manager.stop("pg").await.unwrap();
}
