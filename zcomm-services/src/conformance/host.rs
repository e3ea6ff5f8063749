//! The case of a program that is killed: the test runs itself once more as that program.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::project::{manager, until};
use super::{Project, Subject, scratch};

const ROLE: &str = "ZCOMM_CONFORMANCE_HOST";

/// A service ends with the program that started it, also when that is killed, and so does its throw-away data.
///
/// `test` is the path of the test that calls this, with its crate in front.
pub async fn a_killed_program_leaves_nothing_running<S: Subject>(test: &str) {
    if let Some(project) = std::env::var_os(ROLE) {
        return play::<S>(project.into()).await;
    }
    let project = Project::of::<S>();
    let (_, test) = test.split_once("::").expect("the path begins with a crate");
    let mut host = start(&project, test);
    let record = project.record().expect("a start is written down");
    let folder = PathBuf::from(record["folder"].as_str().unwrap_or_default());

    host.kill().expect("it is our child");
    host.wait().expect("it is our child");

    until(async || !Project::server_is_alive(&record)).await;
    until(async || !folder.exists()).await;
    let manager = project.manager_of::<S>();
    let status = manager.start(S::PLUGIN.name, scratch::<S>()).await;
    assert!(status.expect("it starts again").running);
    manager
        .stop(S::PLUGIN.name)
        .await
        .expect("it is ours to stop");
}

fn start(project: &Project, test: &str) -> Child {
    let program = std::env::current_exe().expect("the test knows its program");
    let mut child = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env(ROLE, project.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test can be run again");
    let output = BufReader::new(child.stdout.take().expect("its output is piped"));
    let mut lines = output.lines().map_while(Result::ok);
    let started = lines.any(|line| line.contains("the service runs"));
    assert!(started, "the host starts its service");
    child
}

async fn play<S: Subject>(project: PathBuf) {
    let manager = manager(S::PLUGIN, &project, S::settings());
    let status = manager.start(S::PLUGIN.name, scratch::<S>()).await;
    assert!(status.expect("it starts").running);
    println!("\nthe service runs");
    std::future::pending::<()>().await;
}
