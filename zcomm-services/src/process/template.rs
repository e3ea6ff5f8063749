//! Data folders that were made once and are copied from then on: kept in the user's cache, found by what made them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, lchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zcomm_core::Secret;
use zcomm_core::service::Template;

use super::{Launch, Unprivileged};
use crate::{Error, password};

/// As many are kept; the one that was used least lately goes.
const KEPT: usize = 6;
/// The file in which a blank stands is no longer than this.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A folder that is kept, or will be.
pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// The one that this program and these steps make for this account; nothing where there is no place for it.
    pub(super) fn of(launch: &Launch<'_>, program: &Path) -> Option<Self> {
        let cache = cache()?;
        let name = Secret::new(recipe(launch, program)?).digest().to_hex();
        let folder = cache.join(format!("{}-{}", launch.about.name, &name[..24]));
        Some(Self { folder })
    }

    /// Copies it, if it is there; whatever fails leaves the folder as empty as it was.
    pub(super) async fn copy_to(&self, launch: &Launch<'_>) -> bool {
        if !self.folder.is_dir() {
            return false;
        }
        let (from, to) = (self.folder.clone(), launch.plan.data_dir.clone());
        let (account, lasting) = (launch.account.clone(), launch.plan.persistent);
        let copied = tokio::task::spawn_blocking(move || {
            touch(&from);
            let copied = copy(&from, &to, account.as_ref());
            match copied {
                Ok(()) if lasting => sync(&to),
                Ok(()) => Ok(()),
                Err(error) => empty(&to).and(Err(error)),
            }
        });
        match copied.await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(folder = %self.folder.display(), %error, "it could not be copied");
                false
            }
            Err(_) => false,
        }
    }

    /// Keeps a copy of a folder that was just made. A start that cannot do that is no worse for it.
    pub(super) async fn keep(self, data_dir: &Path) {
        let from = data_dir.to_owned();
        let kept = tokio::task::spawn_blocking(move || self.save(&from));
        if let Ok(Err(error)) = kept.await {
            tracing::debug!(%error, "a new data folder could not be kept for the next time");
        }
    }

    fn save(&self, from: &Path) -> io::Result<()> {
        // Whoever comes second finds the name taken, and removes its own.
        let random = password::generate().map_err(io::Error::other)?;
        let fresh = self.folder.with_extension(&random.digest().to_hex()[..8]);
        let saved = fs::create_dir(&fresh)
            .and_then(|()| copy(from, &fresh, None))
            .and_then(|()| sync(&fresh))
            .and_then(|()| fs::rename(&fresh, &self.folder));
        if saved.is_err() {
            let _ = fs::remove_dir_all(&fresh);
        }
        self.forget_oldest();
        saved
    }

    fn forget_oldest(&self) {
        let Some(entries) = self
            .folder
            .parent()
            .and_then(|cache| fs::read_dir(cache).ok())
        else {
            return;
        };
        let used = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
        let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        all.sort_by_key(|path| std::cmp::Reverse(used(path)));
        for folder in all.into_iter().skip(KEPT) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Whether nothing is in the folder.
pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Puts what belongs there in the place of the blank, if that is still there.
pub(super) fn fill_in(data_dir: &Path, template: &Template) -> Result<(), Error> {
    let path = data_dir.join(&template.file);
    let fill = || -> io::Result<()> {
        let (blank, content) = (template.blank.as_bytes(), template.content.expose());
        let no_link = rustix::fs::OFlags::NOFOLLOW.bits();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            // The account that owns the folder could have put a link there.
            .custom_flags(no_link.cast_signed())
            .open(&path)?;
        let mut bytes = Vec::new();
        (&mut file).take(LONGEST).read_to_end(&mut bytes)?;
        let place = bytes.windows(blank.len()).position(|part| part == blank);
        let Some(place) = place else { return Ok(()) };
        if blank.len() != content.len() {
            return Err(io::Error::other("the blank is of another length"));
        }
        file.seek(SeekFrom::Start(place as u64))?;
        file.write_all(content.as_bytes())?;
        file.sync_data()
    };
    match fill() {
        // A server that has used the data since may have moved what was there to another file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        filled => filled.map_err(Error::io("complete", &path)),
    }
}

/// Everything that decides what a new folder looks like, without the paths of this one. A program that was replaced
/// has another time, and so another text.
fn recipe(launch: &Launch<'_>, program: &Path) -> Option<String> {
    let real = program.canonicalize().ok()?;
    let found = fs::metadata(&real).ok()?;
    let uid = launch.account.as_ref().map(|account| account.uid);
    let mut text = format!(
        "{}\0{}\0{}\0{uid:?}",
        real.display(),
        found.len(),
        found.mtime()
    );
    let data_dir = launch.plan.data_dir.to_string_lossy();
    let folder = launch.plan.folder.to_string_lossy();
    for step in &launch.recipe.init {
        let words = std::iter::once(&step.program.name).chain(&step.args);
        for word in words {
            text.push('\0');
            text.push_str(&word.replace(&*data_dir, "DATA").replace(&*folder, "FOLDER"));
        }
        text.push('\0');
        text.push_str(step.stdin.expose());
    }
    Some(text)
}

/// The user's cache, in a folder that nobody else may write to.
fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty());
    let base = base.map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME").filter(|path| !path.is_empty())?;
        Some(PathBuf::from(home).join(".cache"))
    })?;
    let cache = base.join("zcomm/templates");
    if !cache.is_dir() {
        fs::create_dir_all(&cache).ok()?;
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&cache, private).ok()?;
    }
    let found = fs::symlink_metadata(&cache).ok()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
    (found.is_dir() && ours).then_some(cache)
}

fn touch(folder: &Path) {
    if let Ok(opened) = File::open(folder) {
        let _ = opened.set_modified(SystemTime::now());
    }
}

/// Copies what is in a folder into one that is there. The standard library lets the kernel do it, which shares blocks
/// where the file system can.
fn copy(from: &Path, to: &Path, account: Option<&Unprivileged>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir(&target)?;
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
            copy(&entry.path(), &target, account)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        } else {
            return Err(io::Error::other("neither a file nor a folder"));
        }
        if let Some(account) = account {
            lchown(&target, Some(account.uid), Some(account.gid))?;
        }
    }
    Ok(())
}

/// Has the system write all of it, and whatever else waits there, to the disk.
#[cfg(target_os = "linux")]
fn sync(folder: &Path) -> io::Result<()> {
    rustix::fs::syncfs(File::open(folder)?).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_is_filled_in_once_and_only_by_something_as_long() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        fs::write(&file, "xx______yy").unwrap();

        let filled = fill_in(folder.path(), &Template::new("users", "______", "secret"));
        let again = fill_in(folder.path(), &Template::new("users", "______", "other!"));

        assert!(filled.is_ok() && again.is_ok());
        assert_eq!(fs::read_to_string(&file).unwrap(), "xxsecretyy");
        let wrong = Template::new("users", "secret", "longer secret");
        assert_eq!(fill_in(folder.path(), &wrong).unwrap_err().code(), "io");
        assert_eq!(fs::read_to_string(&file).unwrap(), "xxsecretyy");
    }

    #[test]
    fn a_file_that_a_server_has_replaced_since_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();

        let filled = fill_in(folder.path(), &Template::new("gone", "______", "secret"));

        assert!(filled.is_ok());
        assert!(is_empty(folder.path()));
    }

    #[test]
    fn a_copy_has_the_same_files_with_the_same_modes() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(from.path().join("base")).unwrap();
        fs::write(from.path().join("base/1"), "one").unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(from.path().join("base"), private).unwrap();

        copy(from.path(), to.path(), None).unwrap();

        assert_eq!(fs::read_to_string(to.path().join("base/1")).unwrap(), "one");
        assert_eq!(
            fs::metadata(to.path().join("base")).unwrap().mode() & 0o777,
            0o700
        );
        empty(to.path()).unwrap();
        assert!(is_empty(to.path()));
    }
}
