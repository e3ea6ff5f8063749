//! One text file of the settings: read whole, with its folder and a look at who else may read it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Unreadable;

/// A settings file that was found.
pub(super) struct TextFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl TextFile {
    /// Reads a file; one that is not there is `None`, one that cannot be read is an error.
    pub(super) fn find(path: &Path) -> Result<Option<Self>, Unreadable> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self {
                path: path.to_owned(),
                text,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Unreadable::File {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    /// How errors call it.
    pub(super) fn label(&self) -> String {
        let plain = self.path.strip_prefix(".").unwrap_or(&self.path);
        plain.display().to_string()
    }

    /// Where its relative paths begin.
    pub(super) fn folder(&self) -> PathBuf {
        self.path.parent().map(Path::to_owned).unwrap_or_default()
    }
}

/// The mode of a file that its group or anybody else may read.
#[cfg(unix)]
pub(super) fn open_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;

    const GROUP_OR_OTHERS_READ: u32 = 0o044;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    (mode & GROUP_OR_OTHERS_READ != 0).then_some(mode)
}

/// Elsewhere a file has no mode; the folder's own rules hold.
#[cfg(not(unix))]
pub(super) fn open_mode(_: &Path) -> Option<u32> {
    None
}
