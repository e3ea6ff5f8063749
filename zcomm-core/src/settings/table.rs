//! All rows of a build, looked up by path and by variable. Holds no values.

use std::collections::HashSet;

use super::keys::Section;
use super::{Fault, Key, suggest};

/// The ending that turns a secret's name into the name of a file that holds it.
const FILE: &str = "_file";

/// A row that a name stands for.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) key: &'static Key,
    /// Whether the name gives a file that holds the value.
    pub(super) file: bool,
}

pub(super) struct Table(pub(super) Vec<&'static Key>);

impl Table {
    /// The rows whose path or variable another row has already taken.
    pub(super) fn ambiguous(&self) -> Vec<&'static str> {
        let mut seen = HashSet::new();
        self.0
            .iter()
            .flat_map(|key| [Some(key.path), key.env])
            .flatten()
            .filter(|name| !seen.insert(*name))
            .collect()
    }

    /// The row of a dotted path, or of a secret's path with `_file` behind it.
    pub(super) fn by_path(&self, path: &str) -> Option<Named> {
        let find = |path: &str| self.0.iter().copied().find(|key| key.path == path);
        if let Some(key) = find(path) {
            return Some(Named { key, file: false });
        }
        let key = find(path.strip_suffix(FILE)?).filter(|key| key.secret)?;
        Some(Named { key, file: true })
    }

    /// The row of a variable, or of a secret's variable with `_FILE` behind it.
    pub(super) fn by_variable(&self, name: &str) -> Option<Named> {
        let find = |name: &str| self.0.iter().copied().find(|key| key.env == Some(name));
        if let Some(key) = find(name) {
            return Some(Named { key, file: false });
        }
        let key = find(name.strip_suffix("_FILE")?).filter(|key| key.secret)?;
        Some(Named { key, file: true })
    }

    /// What to say of a path that has no row.
    pub(super) fn unknown(&self, path: &str) -> Fault {
        let section = path.split('.').next().unwrap_or(path);
        if self.0.iter().any(|key| key.section() == Some(path)) {
            return Fault::Section;
        }
        let here = self.0.iter().any(|key| key.section() == Some(section));
        match Section::named(section) {
            Some(missing) if !here => Fault::MissingFeature {
                section: missing.name,
                feature: missing.feature,
            },
            // Whoever writes a section that is there means that section.
            _ => Fault::UnknownKey {
                suggestion: suggest::path(path, self.paths(here.then_some(section)))
                    .map(Into::into),
            },
        }
    }

    /// All paths, or those of one section.
    fn paths<'a>(&'a self, section: Option<&'a str>) -> impl Iterator<Item = &'static str> + 'a {
        let of_section = move |key: &&&'static Key| section.is_none() || key.section() == section;
        self.0.iter().filter(of_section).map(|key| key.path)
    }

    /// The variable of ours that a foreign one is a slip of.
    pub(super) fn near_variable(&self, name: &str) -> Option<&'static str> {
        suggest::variable(name, self.0.iter().filter_map(|key| key.env))
    }
}
