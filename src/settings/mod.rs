//! Reads what settings are made of: machine file, environment, `.zEnv`. Merging them is core's.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zcomm_core::settings::{Key, Loader};

mod file;
mod place;

#[cfg(test)]
mod tests;

use file::TextFile;
use place::Place;

/// The name of a project's own file.
pub const ZENV: &str = ".zEnv";

/// The texts and variables of the layers below zSpark, as they were when they were read.
///
/// The environment of the process is copied once and never changed: a `.zEnv` value is seen through
/// [`Settings::var`](zcomm_core::settings::Settings::var), not through [`std::env::var`].
///
/// ```no_run
/// # use zcomm::settings::Sources;
/// use zcomm_core::settings::KEYS;
///
/// let sources = Sources::read(".".as_ref())?;
/// let settings = sources.loader(KEYS).set("--set", [("title", "shop")]).load()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sources {
    machine: Option<TextFile>,
    zenv: Option<TextFile>,
    variables: Vec<(String, String)>,
    warnings: Vec<OpenFile>,
}

impl Sources {
    /// Reads the files for a project's folder, and the environment of this process.
    ///
    /// The machine file is the one that `$ZCOMM_CONFIG` names, else `zcomm/machine.yaml` in the
    /// system's configuration folder, else `/etc/zcomm/machine.yaml`. That there is none, or no
    /// `.zEnv`, is no error.
    ///
    /// # Errors
    ///
    /// A file that is there and cannot be read, and a `$ZCOMM_CONFIG` that names no file: going on
    /// without it could drop a setting that protects something.
    pub fn read(project: &Path) -> Result<Self, Unreadable> {
        Self::read_with(project, environment())
    }

    /// The same with variables of the caller's choice instead of those of the process.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_with(project: &Path, variables: Vec<(String, String)>) -> Result<Self, Unreadable> {
        let zenv = TextFile::find(&project.join(ZENV))?;
        let warnings = zenv.iter().filter_map(|file| OpenFile::check(&file.path));
        Ok(Self {
            machine: machine_file(&variables)?,
            warnings: warnings.collect(),
            zenv,
            variables,
        })
    }

    /// Starts a loader that has these layers; add zSpark to it.
    pub fn loader(&self, keys: impl IntoIterator<Item = &'static Key>) -> Loader<'static> {
        let mut loader = Loader::new(keys)
            .environment(self.variables.iter().cloned())
            .files(&|path| fs::read_to_string(path));
        if let Some(file) = &self.machine {
            loader = loader.machine(file.label(), file.folder(), file.text.as_str());
        }
        if let Some(file) = &self.zenv {
            loader = loader.zenv(file.label(), file.folder(), file.text.as_str());
        }
        loader
    }

    /// The machine file in use.
    pub fn machine_file(&self) -> Option<&Path> {
        self.machine.as_ref().map(|file| file.path.as_path())
    }

    /// The project's `.zEnv`, if it has one.
    pub fn zenv_file(&self) -> Option<&Path> {
        self.zenv.as_ref().map(|file| file.path.as_path())
    }

    /// Files that hold secrets and that others may read.
    pub fn warnings(&self) -> &[OpenFile] {
        &self.warnings
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither texts nor variables: any of them may be a secret.
        f.debug_struct("Sources")
            .field("machine", &self.machine_file())
            .field("zenv", &self.zenv_file())
            .finish_non_exhaustive()
    }
}

/// Settings that are there and cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// `$ZCOMM_CONFIG` names no file.
    #[error("ZCOMM_CONFIG names `{}`, which does not exist", .path.display())]
    NoMachineFile {
        /// What it names.
        path: PathBuf,
    },
    /// A file is there and cannot be read.
    #[error("cannot read `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
}

impl Unreadable {
    /// The stable name of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoMachineFile { .. } => "no_machine_file",
            Self::File { .. } => "unreadable_settings",
        }
    }

    /// Whether trying again could help: never, somebody has to mend the file.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// A file that holds secrets and that more people than its owner may read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenFile {
    /// The file.
    pub path: PathBuf,
    /// Its mode.
    pub mode: u32,
}

impl OpenFile {
    fn check(path: &Path) -> Option<Self> {
        let path = path.to_owned();
        file::open_mode(&path).map(|mode| Self { path, mode })
    }
}

impl fmt::Display for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let mode = self.mode;
        write!(
            f,
            "{path} may be read by others (mode {mode:03o}): chmod 600 {path}"
        )
    }
}

fn machine_file(variables: &[(String, String)]) -> Result<Option<TextFile>, Unreadable> {
    let variable = |name: &str| {
        let found = variables.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    match Place::of(variable, std::env::consts::OS) {
        Place::Named(path) => match TextFile::find(&path)? {
            Some(file) => Ok(Some(file)),
            None => Err(Unreadable::NoMachineFile { path }),
        },
        Place::AnyOf(paths) => first_of(&paths),
    }
}

fn first_of(paths: &[PathBuf]) -> Result<Option<TextFile>, Unreadable> {
    for path in paths {
        if let Some(file) = TextFile::find(path)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// The variables of this process. A value that is not UTF-8 keeps its readable part: a token or path
/// of ours would then be refused where it is used, which is better than to run without it.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect()
}
