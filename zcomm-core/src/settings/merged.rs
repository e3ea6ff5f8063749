//! The settings in force, and the typed readers of them. Where a value came from is `explain`'s.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::table::Table;
use super::value::Value;
use super::{Fault, Key, Layer, Loader, Origin};
use crate::Secret;

/// The settings in force; a clone is a pointer.
///
/// Readers take the path of a key. A path that no table has, or a reader of another kind than the
/// key's, is a mistake of the program and not of its user: debug builds stop with the path in the
/// message, release builds log an error and answer as for a key that nobody has set.
#[derive(Clone)]
pub struct Settings(Arc<Inner>);

struct Inner {
    entries: Vec<Entry>,
    index: HashMap<&'static str, usize>,
    variables: HashMap<String, String>,
    warnings: Vec<Warning>,
}

/// A key with all that the layers gave it, the weakest first.
pub(super) struct Entry {
    pub(super) key: &'static Key,
    pub(super) assigned: Vec<Assigned>,
}

/// A value, and where it is from.
pub(super) struct Assigned {
    pub(super) value: Value,
    pub(super) layer: Layer,
    pub(super) origin: Origin,
}

impl Entry {
    pub(super) fn new(key: &'static Key) -> Self {
        Self {
            key,
            assigned: Vec::new(),
        }
    }
}

/// Something in the settings that is allowed and yet probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A variable that is not ours looks like one of ours.
    NearMiss {
        /// The layer that it is in.
        layer: Layer,
        /// The place in the layer.
        origin: Origin,
        /// Its name.
        name: String,
        /// The variable of ours that was probably meant.
        meant: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NearMiss {
            layer,
            origin,
            name,
            meant,
        } = self;
        match origin {
            Origin::Variable { .. } => write!(f, "{layer}")?,
            place => write!(f, "{place}")?,
        }
        write!(f, ": {name} sets nothing; did you mean {meant}?")
    }
}

impl Settings {
    pub(super) fn merged(
        entries: Vec<Entry>,
        variables: HashMap<String, String>,
        warnings: Vec<Warning>,
    ) -> Self {
        let paths = entries.iter().map(|entry| entry.key.path);
        let index = paths.zip(0..).collect();
        Self(Arc::new(Inner {
            entries,
            index,
            variables,
            warnings,
        }))
    }

    /// The defaults alone, for tests and for programs that take no settings.
    ///
    /// # Panics
    ///
    /// If the table is wrong: two rows of one name, or a default that its own row refuses.
    pub fn defaults(keys: impl IntoIterator<Item = &'static Key>) -> Self {
        Loader::new(keys)
            .load()
            .unwrap_or_else(|error| panic!("the table of settings is wrong: {error}"))
    }

    /// What a person should look at.
    pub fn warnings(&self) -> &[Warning] {
        &self.0.warnings
    }

    /// The rows of all tables, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.0.entries.iter().map(|entry| entry.key)
    }

    /// Whether a table has this key, without a complaint if none has.
    pub fn knows(&self, path: &str) -> bool {
        self.0.index.contains_key(path)
    }

    /// What is wrong with a path that the table does not have: the section lacks its feature, or another was meant.
    pub fn unknown(&self, path: &str) -> Fault {
        let keys = self.entries().iter().map(|entry| entry.key).collect();
        Table(keys).unknown(path)
    }

    /// A text, an address or the word of a choice.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.typed(path, "text", |value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether a flag is on; one that nobody has set is off.
    pub fn flag(&self, path: &str) -> bool {
        let on = self.typed(path, "flag", |value| match value {
            Value::Flag(on) => Some(*on),
            _ => None,
        });
        on.unwrap_or(false)
    }

    /// A TCP port.
    pub fn port(&self, path: &str) -> Option<u16> {
        self.typed(path, "port", |value| match value {
            Value::Number(number) => u16::try_from(*number).ok(),
            _ => None,
        })
    }

    /// A whole number.
    pub fn count(&self, path: &str) -> Option<u64> {
        self.typed(path, "count", number)
    }

    /// A number of bytes.
    pub fn size(&self, path: &str) -> Option<u64> {
        self.typed(path, "size", number)
    }

    /// A time span.
    pub fn duration(&self, path: &str) -> Option<Duration> {
        self.typed(path, "duration", |value| match value {
            Value::Duration(span) => Some(*span),
            _ => None,
        })
    }

    /// A list; one that nobody has set is empty.
    pub fn list(&self, path: &str) -> &[String] {
        let items = self.typed(path, "list", |value| match value {
            Value::List(items) => Some(items.as_slice()),
            _ => None,
        });
        items.unwrap_or_default()
    }

    /// A file or folder, resolved against the folder of the file that set it.
    pub fn path(&self, path: &str) -> Option<&Path> {
        self.typed(path, "path", |value| match value {
            Value::Path(path) => Some(path.as_path()),
            _ => None,
        })
    }

    /// A secret.
    pub fn secret(&self, path: &str) -> Option<&Secret> {
        self.typed(path, "secret", |value| match value {
            Value::Secret(secret) => Some(secret),
            _ => None,
        })
    }

    /// Any variable, ours or not: from `.zEnv`, else from the environment.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.0.variables.get(name).map(String::as_str)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.0.entries
    }

    pub(super) fn entry(&self, path: &str) -> Option<&Entry> {
        let at = *self.0.index.get(path)?;
        self.0.entries.get(at)
    }

    fn typed<'s, T>(
        &'s self,
        path: &str,
        asked: &'static str,
        pick: impl FnOnce(&'s Value) -> Option<T>,
    ) -> Option<T> {
        let Some(entry) = self.entry(path) else {
            mistaken(path, asked, "no plugin of this build has this key");
            return None;
        };
        let value = &entry.assigned.last()?.value;
        let picked = pick(value);
        if picked.is_none() {
            mistaken(path, asked, "the key is of another kind");
        }
        picked
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

fn mistaken(path: &str, asked: &'static str, why: &'static str) {
    tracing::error!(key = path, asked, why, "setting cannot be read");
    debug_assert!(false, "cannot read the setting `{path}` as {asked}: {why}");
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables that are not ours may be secrets of somebody else: none is printed.
        let shown = self.0.entries.iter().filter_map(|entry| {
            let last = entry.assigned.last()?;
            Some((entry.key.path, last.value.show(entry.key.kind)))
        });
        f.debug_map().entries(shown).finish()
    }
}
