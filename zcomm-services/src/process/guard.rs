//! The small process that ends a service when the program that started it is gone, however it went.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use zcomm_core::service::{ProcessRecipe, StopSignal};

use super::{ProcessId, signal};

const SCRIPT: &str = include_str!("guard.sh");
/// How long the guard may take to end once it is told to.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// A guard that waits at the other end of a pipe. Dropping it closes the pipe, and the guard acts.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    pipe: ChildStdin,
    id: ProcessId,
}

/// What a guard is to do.
pub(crate) struct Duty<'a> {
    process: &'a ProcessId,
    signal: StopSignal,
    within: Duration,
    /// The folder that goes with the service.
    throw_away: Option<&'a Path>,
}

impl<'a> Duty<'a> {
    pub(crate) fn of(
        process: &'a ProcessId,
        recipe: &ProcessRecipe,
        throw_away: Option<&'a Path>,
    ) -> Self {
        Self {
            process,
            signal: recipe.stop,
            within: recipe.stop_within,
            throw_away,
        }
    }
}

impl Guard {
    pub(crate) fn post(duty: &Duty<'_>) -> io::Result<Self> {
        let tenths = duty.within.as_millis().div_ceil(100).to_string();
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "zcomm-guard"])
            .args([&duty.process.pid.to_string(), duty.process.started()])
            .args([signal::name(duty.signal), &tenths])
            .arg(duty.throw_away.unwrap_or(Path::new("")))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
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
