//! The small process that ends a service when the program that started it is gone, however it went.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use zcomm_core::service::{ProcessRecipe, StopSignal};

use super::{ProcessId, signal};
use crate::container::Container;

const SCRIPT: &str = include_str!("guard.sh");
const CONTAINER_SCRIPT: &str = include_str!("guard-container.sh");
/// How long the guard may take to end once it is told to.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);
/// How long a container may take to stop before it is killed.
const CONTAINER_WITHIN: Duration = Duration::from_secs(30);

/// A guard that waits at the other end of a pipe. Dropping it closes the pipe, and the guard acts.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    pipe: ChildStdin,
    id: ProcessId,
}

/// What a guard is to do.
pub(crate) struct Duty<'a> {
    what: What<'a>,
    within: Duration,
    /// The folder that goes with the service.
    throw_away: Option<&'a Path>,
}

enum What<'a> {
    Process(&'a ProcessId, StopSignal),
    Container(&'a Container),
}

impl<'a> Duty<'a> {
    pub(crate) fn of(
        process: &'a ProcessId,
        recipe: &ProcessRecipe,
        throw_away: Option<&'a Path>,
    ) -> Self {
        Self {
            what: What::Process(process, recipe.stop),
            within: recipe.stop_within,
            throw_away,
        }
    }

    pub(crate) fn of_container(container: &'a Container, throw_away: Option<&'a Path>) -> Self {
        Self {
            what: What::Container(container),
            within: CONTAINER_WITHIN,
            throw_away,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        match self.what {
            What::Process(process, signal) => {
                let tenths = self.within.as_millis().div_ceil(100).to_string();
                command
                    .args(["-c", SCRIPT, "zcomm-guard"])
                    .args([&process.pid.to_string(), process.started()])
                    .args([signal::name(signal), &tenths])
                    .env_clear()
                    .env("PATH", "/usr/bin:/bin");
            }
            // Which daemon the engine talks to is in the environment.
            What::Container(container) => {
                let seconds = self.within.as_secs().to_string();
                command.args(["-c", CONTAINER_SCRIPT, "zcomm-guard"]).args([
                    container.engine.name(),
                    &container.name,
                    &seconds,
                ]);
            }
        }
        command.arg(self.throw_away.unwrap_or(Path::new("")));
        command
    }
}

impl Guard {
    pub(crate) fn post(duty: &Duty<'_>) -> io::Result<Self> {
        let mut child = duty
            .command()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl+C on the terminal is for the program, which then has its guard act by leaving.
            .process_group(0)
            .spawn()?;
        let gone = || io::Error::other("the guard ended at once");
        let pipe = child.stdin.take().ok_or_else(gone)?;
        let id = child.id().and_then(ProcessId::of).ok_or_else(gone)?;
        Ok(Self { child, pipe, id })
    }

    pub(crate) fn id(&self) -> &ProcessId {
        &self.id
    }

    /// Sends the guard away: the service has been stopped, or is to stay.
    pub(crate) async fn dismiss(mut self) {
        let told = self.pipe.write_all(b"done\n").await;
        drop(self.pipe);
        let left = tokio::time::timeout(LEAVE_WITHIN, self.child.wait()).await;
        if told.is_err() || left.is_err() {
            tracing::warn!(pid = self.id.pid, "a guard did not leave when told to");
        }
    }
}
