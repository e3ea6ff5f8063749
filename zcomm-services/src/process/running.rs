//! A server that this program answers for, as long as it holds it. Starts none.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use tokio::process::Child;

use super::Guard;
use crate::record::Record;

/// A server that this program started. Dropping it has the guard, if there is one, stop the server.
#[derive(Debug)]
pub(crate) struct Running {
    /// Nothing where another program started the server, and was killed.
    child: Option<Child>,
    guard: Option<Guard>,
    record: PathBuf,
}

impl Running {
    /// A child of ours, and its guard unless it is detached.
    pub(crate) fn new(child: Child, guard: Option<Guard>, record: PathBuf) -> Self {
        Self {
            child: Some(child),
            guard,
            record,
        }
    }

    /// A server that is no child of ours, and its guard unless it is detached.
    pub(crate) fn elsewhere(guard: Option<Guard>, record: PathBuf) -> Self {
        Self {
            child: None,
            guard,
            record,
        }
    }

    /// Waits for the end of a server that is a child of ours.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped and called again.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        match &mut self.child {
            Some(child) => child.wait().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref()?.id()
    }

    /// Takes note of the server's end, if it came, so that nothing of it stays in the table of processes.
    pub(crate) fn reap(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.try_wait();
        }
    }

    /// Sends the guard away, after the server was stopped or is to outlive us.
    pub(crate) async fn release(mut self) {
        self.reap();
        if let Some(guard) = self.guard.take() {
            guard.dismiss().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.guard.is_none() {
            return;
        }
        // From here on the guard acts. Whoever reads the record meanwhile must not take the service for a living one.
        let given_up = Record::load(&self.record).ok().flatten().map(|mut record| {
            record.owner = None;
            record.save(&self.record)
        });
        if let Some(Err(error)) = given_up {
            tracing::warn!(%error, "a record could not be given up");
        }
    }
}
