//! Puts the five layers together. Reads no files by itself: texts and values are handed in.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::gathering::Gathering;
use super::table::Table;
use super::{Invalid, Key, Settings};

/// Reads a file that holds a secret.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Collects the layers, then merges and checks them all at once.
///
/// The order of the calls does not matter, except among [`spark`](Self::spark) and [`set`](Self::set),
/// where the later call wins.
///
/// ```
/// use zcomm_core::settings::{KEYS, Layer, Loader, WEBSOCKET_KEYS};
///
/// let settings = Loader::new(KEYS.iter().chain(WEBSOCKET_KEYS))
///     .machine("machine.yaml", "/etc/zcomm", "websocket:\n  port: 9000\n")
///     .environment([("WEBSOCKET_PORT", "9001")])
///     .zenv(".zEnv", "/srv/shop", "WEBSOCKET_PORT=9002\n")
///     .spark(serde_json::json!({"websocket": {"require_auth": true}}))
///     .load()?;
///
/// assert_eq!(settings.port("websocket.port"), Some(9002));
/// assert!(settings.flag("websocket.require_auth"));
/// # Ok::<(), zcomm_core::settings::Invalid>(())
/// ```
#[must_use = "nothing is read before `load`"]
pub struct Loader<'a> {
    keys: Vec<&'static Key>,
    pub(super) machine: Option<Text>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) zenv: Option<Text>,
    pub(super) spark: Vec<Spark>,
    pub(super) read_file: Option<ReadFile<'a>>,
}

/// A file that somebody else has read.
pub(super) struct Text {
    pub(super) label: String,
    pub(super) folder: PathBuf,
    pub(super) text: String,
}

/// Values given in code, or by a flag.
pub(super) enum Spark {
    Tree(Json),
    Pairs(String, Vec<(String, String)>),
}

impl<'a> Loader<'a> {
    /// Starts with the rows of everything that is compiled in.
    pub fn new(keys: impl IntoIterator<Item = &'static Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            machine: None,
            environment: Vec::new(),
            zenv: None,
            spark: Vec::new(),
            read_file: None,
        }
    }

    /// Adds the machine file: how errors call it, the folder of its relative paths, its YAML.
    pub fn machine(
        mut self,
        label: impl Into<String>,
        folder: impl Into<PathBuf>,
        yaml: impl Into<String>,
    ) -> Self {
        self.machine = Some(Text::new(label, folder, yaml));
        self
    }

    /// Adds the variables of the process.
    pub fn environment<N: Into<String>, V: Into<String>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        self.environment.extend(pairs);
        self
    }

    /// Adds the `.zEnv` file: how errors call it, the folder of its relative paths, its lines.
    pub fn zenv(
        mut self,
        label: impl Into<String>,
        folder: impl Into<PathBuf>,
        lines: impl Into<String>,
    ) -> Self {
        self.zenv = Some(Text::new(label, folder, lines));
        self
    }

    /// Adds values given in code, nested as the guides write them; `null` gives nothing.
    pub fn spark(mut self, tree: Json) -> Self {
        self.spark.push(Spark::Tree(tree));
        self
    }

    /// Adds dotted `key=value` pairs to zSpark; the label (`--set`, `--port`) says where they are from.
    pub fn set<K: Into<String>, V: Into<String>>(
        mut self,
        label: impl Into<String>,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let pairs = pairs
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        self.spark.push(Spark::Pairs(label.into(), pairs.collect()));
        self
    }

    /// Says how to read a file that holds a secret (`WEBSOCKET_TOKEN_FILE`).
    pub fn files(mut self, read: ReadFile<'a>) -> Self {
        self.read_file = Some(read);
        self
    }

    /// Merges the layers.
    ///
    /// # Errors
    ///
    /// [`Invalid`] lists everything that is wrong in all layers, values that a later layer overrides
    /// included: what is hidden today is in force when that layer goes away.
    pub fn load(self) -> Result<Settings, Invalid> {
        match self.load_rest() {
            (settings, None) => Ok(settings),
            (_, Some(faults)) => Err(faults),
        }
    }

    /// Merges what is right in the layers, and says what is not: to show it, never to run by it.
    pub fn load_rest(mut self) -> (Settings, Option<Invalid>) {
        let table = Table(std::mem::take(&mut self.keys));
        Gathering::new(table, self.read_file).gather(&self)
    }
}

impl Text {
    fn new(label: impl Into<String>, folder: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            folder: folder.into(),
            text: text.into(),
        }
    }
}

impl fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts and variables hold secrets that are not known as such yet.
        f.debug_struct("Loader")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
