//! One at a time: who starts or stops a service of a project holds its lock, in whichever program it runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::Error;

/// How long another program may take for its start or stop.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(5);

/// Holds the lock until it is dropped, by the end of the program at the latest.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Waits for the lock.
    pub(crate) async fn take(path: &Path, service: &'static str) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(path);
        let file = file.map_err(Error::io("open", path))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = start.elapsed();
            if waited > PATIENCE {
                return Err(Error::Busy { service, waited });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_ends_with_the_service_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::take(&path, "redis").await.unwrap();

        let error = Lock::take(&path, "redis").await.unwrap_err();

        assert_eq!(error.code(), "busy");
        drop(held);
        Lock::take(&path, "redis").await.unwrap();
    }
}
