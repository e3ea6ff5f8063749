//! The cases of a life that goes well, or is cut short and goes on: start, adopt, restart, kill, keep, forget.

use futures_util::StreamExt;
use zcomm_core::service::{ConnectionInfo, Login, ServiceDriver, ServiceState};

use super::project::{manager, until};
use super::{Project, Subject, kept, scratch};
use crate::{Happened, Manager, Port, StartOptions, Supervision};

const NAME: &str = "the suite's driver has the name of its plugin";

async fn info<S: Subject>(manager: &Manager) -> ConnectionInfo {
    let info = manager.connection_info(S::PLUGIN.name).await;
    info.expect(NAME)
}

/// A throw-away one answers, is ours, works, and is gone after its stop with all that it wrote.
pub async fn it_starts_from_nothing_and_stops_without_a_trace<S: Subject>() {
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();
    let name = S::PLUGIN.name;

    let status = manager
        .start(name, scratch::<S>())
        .await
        .expect("it starts");
    let record = project.record().expect("a start is written down");
    let info = info::<S>(&manager).await;
    S::put(&info, "green").await;

    assert_eq!((status.running, status.ours), (true, true));
    assert_eq!(status.source, Some(S::SOURCE));
    assert!(status.version.is_some(), "{status:?}");
    assert_eq!(info.status, ServiceState::Running);
    assert_eq!(S::fetch(&info).await.as_deref(), Some("green"));
    let shown = format!("{status:?} {info:?}");
    if let Some(password) = &info.endpoint.password {
        assert!(!shown.contains(password.expose()), "{shown}");
    }

    let stopped = manager.stop(name).await.expect("it is ours to stop");

    assert_eq!((stopped.running, stopped.source), (false, None));
    assert!(!Project::server_is_alive(&record));
    let folder = record["folder"].as_str().expect("a folder is a text");
    assert!(!std::path::Path::new(folder).exists());
    assert_eq!(project.record(), None);
}

/// Asking about one that never ran makes nothing, and says where it would be.
pub async fn one_that_never_ran_is_stopped<S: Subject>() {
    let project = Project::of::<S>();
    let port = free_port();
    let settings = vec![(format!("{}.port", S::PLUGIN.name), port.to_string())];
    let manager = manager(S::PLUGIN, project.path(), settings);

    let status = manager.status(S::PLUGIN.name).await.expect(NAME);
    let info = info::<S>(&manager).await;

    assert_eq!(
        (status.running, status.state),
        (false, ServiceState::Stopped)
    );
    assert_eq!((status.port, info.endpoint.port), (port, port));
    assert_eq!(info.status, ServiceState::Stopped);
    assert!(!project.path().join(".zcomm").exists());
}

/// A project that knows the password uses another's server, and is not let stop it.
pub async fn a_running_one_is_adopted_and_not_stopped<S: Subject>() {
    let (theirs, ours) = (Project::of::<S>(), Project::of::<S>());
    let their_manager = theirs.manager_of::<S>();
    let name = S::PLUGIN.name;
    let running = their_manager.start(name, scratch::<S>()).await;
    let running = running.expect("it starts");
    let at = info::<S>(&their_manager).await.endpoint;
    let mut settings = S::settings();
    settings.push((format!("{name}.port"), running.port.to_string()));
    if let (Some(password), true) = (
        &at.password,
        S::Driver::default().about().login != Login::Open,
    ) {
        settings.push((format!("{name}.password"), password.expose().to_owned()));
    }
    let manager = manager(S::PLUGIN, ours.path(), settings);

    let adopted = manager.start(name, StartOptions::new()).await;
    let adopted = adopted.expect("what runs and lets us in is adopted");
    let refused = manager
        .stop(name)
        .await
        .expect_err("it is not ours to stop");

    assert_eq!((adopted.ours, adopted.running), (false, true));
    assert_eq!(adopted.version, running.version);
    assert_eq!(refused.code(), "not_ours");
    assert!(their_manager.status(name).await.expect(NAME).running);
    their_manager
        .stop(name)
        .await
        .expect("it is theirs to stop");
}

/// Data, port and password outlast a restart.
pub async fn a_restart_keeps_data_and_port<S: Subject>() {
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();
    let name = S::PLUGIN.name;
    let before = manager.start(name, kept::<S>()).await.expect("it starts");
    S::put(&info::<S>(&manager).await, "green").await;

    let after = manager.restart(name).await.expect("it starts again");

    assert_eq!(before.port, after.port);
    let value = S::fetch(&info::<S>(&manager).await).await;
    assert_eq!(value.as_deref(), Some("green"));
    manager.stop(name).await.expect("it is ours to stop");
}

/// Data outlasts a stop, its log can be read after it, and a purge removes all of it.
pub async fn kept_data_is_there_at_the_next_start_until_it_is_purged<S: Subject>() {
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();
    let name = S::PLUGIN.name;
    manager.start(name, kept::<S>()).await.expect("it starts");
    S::put(&info::<S>(&manager).await, "green").await;
    manager.stop(name).await.expect("it is ours to stop");
    let log = manager.logs(name, 1000).await.expect("it wrote a log");

    manager
        .start(name, kept::<S>())
        .await
        .expect("it starts again");
    let value = S::fetch(&info::<S>(&manager).await).await;
    let purged = manager.purge(name).await.expect("it is ours to purge");
    manager
        .start(name, kept::<S>())
        .await
        .expect("it starts anew");
    let anew = S::fetch(&info::<S>(&manager).await).await;

    assert!(!log.is_empty());
    assert_eq!(value.as_deref(), Some("green"));
    assert_eq!((purged.removed.is_empty(), purged.kept), (false, None));
    assert_eq!(anew, None);
    manager.purge(name).await.expect("it is ours to purge");
    assert!(!project.path().join(".zcomm/services").join(name).exists());
}

/// Of two programs that start it at once, one does, and both have it.
pub async fn two_programs_that_start_it_get_the_same<S: Subject>() {
    let project = Project::of::<S>();
    let (here, there) = (project.manager_of::<S>(), project.manager_of::<S>());
    let name = S::PLUGIN.name;

    let (one, two) = tokio::join!(
        here.start(name, scratch::<S>()),
        there.start(name, scratch::<S>())
    );
    let (one, two) = (one.expect("one starts it"), two.expect("the other joins"));

    assert_eq!((one.port, one.pid), (two.port, two.pid));
    assert!(one.ours && two.ours);
    here.stop(name).await.expect("it is ours to stop");
}

/// Killed from outside, it is noticed, told of and started again, with the data that it had on disk.
pub async fn a_killed_one_is_noticed_and_started_again<S: Subject>() {
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();
    let name = S::PLUGIN.name;
    let soon = std::time::Duration::from_millis(200);
    let rules = Supervision::new().every(soon).first_pause(soon / 10);
    let options = kept::<S>().supervised_by(rules);
    let first = manager.start(name, options).await.expect("it starts");
    S::put(&info::<S>(&manager).await, "green").await;
    let mut events = manager.events();

    project.kill_server();

    let mut told = Vec::new();
    while !matches!(told.last(), Some(Happened::Started { .. })) {
        let event = tokio::time::timeout(std::time::Duration::from_secs(180), events.next());
        let event = event
            .await
            .expect("something happens")
            .expect("the manager lives");
        told.push(event.what);
    }
    assert!(matches!(told[0], Happened::Failed { .. }), "{told:?}");
    assert!(
        matches!(told[1], Happened::Restarting { attempt: 1, .. }),
        "{told:?}"
    );
    let second = manager.status(name).await.expect(NAME);
    assert_eq!((second.running, second.port), (true, first.port));
    let value = S::fetch(&info::<S>(&manager).await).await;
    assert_eq!(value.as_deref(), Some("green"));
    manager.stop(name).await.expect("it is ours to stop");
    // A stop on purpose is no failure to be mended.
    until(async || project.record().is_none()).await;
    assert!(!manager.status(name).await.expect(NAME).running);
}

pub(super) fn free_port() -> u16 {
    let held = std::net::TcpListener::bind("127.0.0.1:0");
    let address = held.and_then(|held| held.local_addr());
    address.expect("a port is free").port()
}

/// The options by which a port is wished that somebody has.
pub(super) fn at(port: u16) -> StartOptions {
    StartOptions::new().port(Port::At(port))
}
