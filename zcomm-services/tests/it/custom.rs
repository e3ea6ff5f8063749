//! A driver in a few lines, whose server is a shell script or is not there at all.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tempfile::TempDir;
use zcomm_core::service::{
    ConnectionInfo, DriverInfo, Endpoint, InitStep, InstallHint, Os, Probe, ProcessRecipe, Program,
    Recipes, ServiceDriver, StartPlan,
};
use zcomm_core::{Error, Plugin, Registry, Settings};
use zcomm_services::{Manager, Port, Source, StartOptions};

const ABOUT: DriverInfo = DriverInfo::new("naps", "Naps", 0).with_install(&[
    InstallHint::new(Os::Linux, "apt-get install naps"),
    InstallHint::new(Os::Macos, "brew install naps"),
]);

/// A service whose program the first extra argument names; the others are its arguments. It never answers.
struct Naps;

#[async_trait]
impl ServiceDriver for Naps {
    fn about(&self) -> &DriverInfo {
        &ABOUT
    }

    fn recipes(&self, plan: &StartPlan) -> Recipes {
        let program = |index: usize| Program::new(plan.extra_args[index].clone());
        let mut recipe = ProcessRecipe::new(program(0));
        if plan.extra_args.len() > 1 {
            let marker = plan.data_dir.join("made");
            recipe = recipe.init(InitStep::new(
                program(0),
                ["-c", &plan.extra_args[1]],
                marker,
            ));
        }
        Recipes::none().with_process(recipe)
    }

    async fn probe(&self, _: &Endpoint) -> Probe {
        Probe::stopped()
    }

    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
        ConnectionInfo::new(probe.state, at.clone(), "")
    }
}

fn make(_: &Settings) -> Result<Arc<dyn ServiceDriver>, Error> {
    Ok(Arc::new(Naps))
}

pub(crate) fn project() -> (TempDir, Manager) {
    let folder = tempfile::tempdir().unwrap();
    // Under root the server runs as another account, which has to get through.
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let registry = Registry::of([Plugin::new("naps", "made-up").driver(make)]).unwrap();
    let manager = Manager::new(Arc::new(registry), Settings::defaults([]), folder.path());
    (folder, manager)
}

async fn failure(arguments: &[&str]) -> zcomm_services::Error {
    let (folder, manager) = project();
    let options = StartOptions::new().port(Port::AnyFree).throw_away();
    let options = arguments
        .iter()
        .fold(options, |options, argument| options.arg(*argument));

    let error = manager.start("naps", options).await.unwrap_err();

    assert!(!folder.path().join(".zcomm/run/naps.json").exists());
    error
}

#[tokio::test]
async fn a_missing_program_is_named_with_what_installs_it() {
    let error = failure(&["zcomm-no-such-server"]).await;

    assert_eq!(error.code(), "not_installed");
    let hint = ABOUT.install_hint().unwrap();
    assert_eq!(
        error.to_string(),
        format!("naps is not installed: no `zcomm-no-such-server` on PATH; install it: {hint}")
    );
}

#[tokio::test]
async fn a_server_that_ends_is_not_waited_for() {
    let start = Instant::now();

    let error = failure(&["false"]).await;

    assert_eq!(error.code(), "ended");
    assert_eq!(
        error.to_string(),
        "naps ended while it started (exit status: 1), and wrote nothing"
    );
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_failing_preparation_shows_its_last_lines() {
    let error = failure(&["sh", "echo no room left >&2; exit 3"]).await;

    assert_eq!(error.code(), "init_failed");
    assert_eq!(
        error.to_string(),
        "`sh` could not prepare the data of naps (exit status: 3); its last lines:\n  no room left"
    );
}

#[tokio::test]
async fn a_source_that_the_driver_does_not_know_is_named() {
    let (_folder, manager) = project();
    let options = StartOptions::new()
        .port(Port::AnyFree)
        .source(Source::Container)
        .arg("true");

    let error = manager.start("naps", options).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "naps cannot be started from the source `container`"
    );
}

#[tokio::test]
async fn asking_changes_nothing() {
    let (folder, manager) = project();

    let status = manager.status("naps").await.unwrap();
    let stopped = manager.stop("naps").await.unwrap();

    assert!(!status.running && !stopped.running);
    assert!(!folder.path().join(".zcomm").exists());
}

#[tokio::test]
async fn a_service_that_was_never_started_has_no_log() {
    let (_folder, manager) = project();

    assert_eq!(manager.logs("naps", 1).await.unwrap_err().code(), "no_log");
}
