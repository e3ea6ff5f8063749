//! A token file on its disk: read only if it is private, written whole or not at all, changed by one at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::TokenFileError;

/// More than ten thousand tokens; what is larger is some other file.
const LIMIT: u64 = 4 * 1024 * 1024;

const LOCK_DEADLINE: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    #[cfg(unix)]
    node: (u64, u64),
    #[cfg(unix)]
    changed: [(i64, i64); 2],
    #[cfg(not(unix))]
    changed: Option<std::time::SystemTime>,
}

#[cfg(unix)]
impl Stamp {
    fn of(meta: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            length: meta.len(),
            node: (meta.dev(), meta.ino()),
            // The second one also moves when only the mode or the owner changes.
            changed: [
                (meta.mtime(), meta.mtime_nsec()),
                (meta.ctime(), meta.ctime_nsec()),
            ],
        }
    }
}

#[cfg(not(unix))]
impl Stamp {
    fn of(meta: &fs::Metadata) -> Self {
        Self {
            length: meta.len(),
            changed: meta.modified().ok(),
        }
    }
}

/// The stamp of the file as it is now; none if it is not there.
pub(super) fn stamp(path: &Path) -> Result<Option<Stamp>, TokenFileError> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(Stamp::of(&meta))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path)(error)),
    }
}

/// Reads a file that only its owner can reach, and that is ours.
pub(super) fn read(path: &Path) -> Result<String, TokenFileError> {
    // Before it is opened, as opening a pipe would wait for whoever writes into it.
    let meta = fs::metadata(path).map_err(failed("look at", path))?;
    if !meta.is_file() {
        let path = path.to_owned();
        return Err(TokenFileError::NotAFile { path });
    }
    let file = File::open(path).map_err(failed("open", path))?;
    // Of the open file, as another one may have taken its place in the meantime.
    let meta = file.metadata().map_err(failed("look at", path))?;
    check_access(path, &meta)?;
    let mut text = String::new();
    file.take(LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(failed("read", path))?;
    if text.len() as u64 > LIMIT {
        let (path, limit) = (path.to_owned(), LIMIT);
        return Err(TokenFileError::TooLarge { path, limit });
    }
    Ok(text)
}

#[cfg(unix)]
fn check_access(path: &Path, meta: &fs::Metadata) -> Result<(), TokenFileError> {
    use std::os::unix::fs::MetadataExt;
    let runs_as = rustix::process::geteuid().as_raw();
    judge_access(path, meta.mode() & 0o7777, meta.uid(), runs_as)
}

#[cfg(not(unix))]
fn check_access(_path: &Path, _meta: &fs::Metadata) -> Result<(), TokenFileError> {
    Ok(())
}

/// 0600 or less: a file that its owner cannot write either, as read-only mounts have it, is as private.
#[cfg(unix)]
fn judge_access(path: &Path, mode: u32, owner: u32, runs_as: u32) -> Result<(), TokenFileError> {
    let path = path.to_owned();
    if mode & !0o600 != 0 {
        return Err(TokenFileError::NotPrivate { path, mode });
    }
    if owner != runs_as {
        return Err(TokenFileError::NotOurs {
            path,
            owner,
            runs_as,
        });
    }
    Ok(())
}

/// Puts a private file with this text in the place of the old one, in one step.
pub(super) fn write(path: &Path, text: &str) -> Result<(), TokenFileError> {
    let random = getrandom::u64().map_err(|source| TokenFileError::Random { source })?;
    let new = beside(path, &format!(".{random:016x}.new"));
    let written = create_private(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            // Before the new name, else a crash could leave an empty file under it.
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if let Err(error) = written {
        // What matters is the first error; a file that could not be made is not there to be removed either.
        let _ = fs::remove_file(&new);
        return Err(failed("write", path)(error));
    }
    keep(path);
    Ok(())
}

/// Asks the disk to keep the new name through a power cut, so that a revoked token does not come back. The change is
/// made by now, so a disk that cannot promise that is no error.
fn keep(path: &Path) {
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
}

/// The right to change the file; it ends when this is dropped, and with the process.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Waits for the right to change the file, but not for ever.
pub(super) fn lock(path: &Path) -> Result<Lock, TokenFileError> {
    lock_within(path, LOCK_DEADLINE)
}

pub(super) fn lock_within(path: &Path, deadline: Duration) -> Result<Lock, TokenFileError> {
    // A file of its own that stays: the token file is replaced by each change, and a lock with it.
    let path = beside(path, ".lock");
    let mut options = private();
    let opened = options.create(true).truncate(false).open(&path);
    let file = opened.map_err(failed("open", &path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            Err(TryLockError::WouldBlock) if start.elapsed() >= deadline => {
                let waited = deadline;
                return Err(TokenFileError::Locked { path, waited });
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_RETRY),
        }
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    private().create_new(true).open(path)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// The same path with something behind its name: only within one folder does a rename replace in one step.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TokenFileError {
    let path = path.to_owned();
    move |source| TokenFileError::Io {
        doing,
        path,
        source,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_a_private_file_of_our_own_is_taken() {
        let path = Path::new("/etc/tokens.json");
        let judge = |mode, owner, runs_as| {
            judge_access(path, mode, owner, runs_as).map_err(|error| error.to_string())
        };

        assert_eq!(judge(0o600, 1000, 1000), Ok(()));
        assert_eq!(judge(0o400, 0, 0), Ok(()));
        for mode in [0o640, 0o604, 0o660, 0o644, 0o610, 0o700, 0o4600, 0o1600] {
            let error = judge(mode, 0, 0).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "`/etc/tokens.json` has mode {mode:04o}, and must be for its owner alone; \
                     run `chmod 600 /etc/tokens.json`"
                )
            );
        }
        assert_eq!(
            judge(0o600, 1000, 0).unwrap_err(),
            "`/etc/tokens.json` belongs to the user with the number 1000, and this program runs as 0; \
             run it as the owner, or `chown 0 /etc/tokens.json`"
        );
    }
}
