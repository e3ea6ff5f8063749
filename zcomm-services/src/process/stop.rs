//! Ends a process: asks it, waits, kills it. Removes nothing it leaves behind.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use zcomm_core::service::StopSignal;

use super::{ProcessId, signal};
use crate::Error;

/// How long a killed process may take to be gone; only one that hangs in the kernel takes any time.
const KILLED_WITHIN: Duration = Duration::from_secs(5);

/// The longest pause between two looks at a process; a look costs some microseconds.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// Ends the process: by `signal`, and by SIGKILL if it is still there after `within`.
pub(crate) async fn end(
    process: &ProcessId,
    signal: StopSignal,
    within: Duration,
    service: &'static str,
) -> Result<(), Error> {
    let send = |signal| {
        let path = Path::new("/proc").join(process.pid.to_string());
        signal::send(process, signal).map_err(Error::io("signal", &path))
    };
    send(signal)?;
    if gone(process, within).await {
        return Ok(());
    }
    tracing::warn!(
        service,
        pid = process.pid,
        ?within,
        "it did not stop when asked to, and is killed"
    );
    send(StopSignal::Kill)?;
    if gone(process, KILLED_WITHIN).await {
        return Ok(());
    }
    let (pid, waited) = (process.pid, KILLED_WITHIN);
    Err(Error::Unstoppable {
        service,
        pid,
        waited,
    })
}

/// Waits for the end of a process, which need not be a child of ours; says whether it came.
pub(crate) async fn gone(process: &ProcessId, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    let mut pause = Duration::from_millis(1);
    while process.is_alive() {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    true
}
