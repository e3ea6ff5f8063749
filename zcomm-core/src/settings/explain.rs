//! Where each value came from, for `zcomm config explain`. Shows no secrets.

use std::fmt;

use serde::Serialize;

use super::merged::{Assigned, Entry};
use super::{Key, Layer, Origin, Settings};

/// A setting, its value, and how it came by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// Its path.
    pub key: &'static str,
    /// The variable that sets it.
    pub env: Option<&'static str>,
    /// The name of its kind.
    pub kind: &'static str,
    /// Whether the values are hidden.
    pub secret: bool,
    /// The value in force as a user would write it, `***` for a secret; none if nobody has set one.
    pub value: Option<String>,
    /// The layer that set it.
    pub layer: Option<Layer>,
    /// The place in that layer.
    pub origin: Option<Origin>,
    /// The values that it overrides, the strongest first.
    pub shadowed: Vec<Shadowed>,
    /// What it is when nobody sets it.
    pub default: Option<&'static str>,
    /// What it is for.
    pub doc: &'static str,
}

impl Explained {
    /// Whether somebody set it; a default was set by nobody.
    pub fn is_set(&self) -> bool {
        self.layer.is_some_and(|layer| layer != Layer::Defaults)
    }
}

/// A value that a later one overrides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shadowed {
    /// The value, `***` for a secret.
    pub value: String,
    /// The layer that set it.
    pub layer: Layer,
    /// The place in that layer.
    pub origin: Origin,
}

impl Settings {
    /// Every setting with its provenance, in the order of the tables.
    pub fn explain(&self) -> Vec<Explained> {
        self.entries().iter().map(explained).collect()
    }

    /// One setting with its provenance.
    pub fn explain_key(&self, path: &str) -> Option<Explained> {
        self.entry(path).map(explained)
    }

    /// Whether somebody set it; a default was set by nobody.
    pub fn is_set(&self, path: &str) -> bool {
        self.explain_key(path).is_some_and(|found| found.is_set())
    }
}

fn explained(entry: &Entry) -> Explained {
    let key = entry.key;
    let last = entry.assigned.last();
    Explained {
        key: key.path,
        env: key.env,
        kind: key.kind.name(),
        secret: key.secret,
        value: last.map(|set| set.value.show(key.kind)),
        layer: last.map(|set| set.layer),
        origin: last.map(|set| set.origin.clone()),
        shadowed: entry
            .assigned
            .iter()
            .rev()
            .skip(1)
            .map(|set| shadowed(key, set))
            .collect(),
        default: key.default,
        doc: key.doc,
    }
}

fn shadowed(key: &Key, set: &Assigned) -> Shadowed {
    Shadowed {
        value: set.value.show(key.kind),
        layer: set.layer,
        origin: set.origin.clone(),
    }
}

/// The value on a line, and below it what it overrides.
impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.layer, &self.origin) {
            (Some(value), Some(layer), Some(origin)) => {
                write!(f, "{} = {value}  ({})", self.key, place(layer, origin))?;
            }
            _ => write!(f, "{} is not set", self.key)?,
        }
        for set in &self.shadowed {
            write!(
                f,
                "\n    instead of {}  ({})",
                set.value,
                place(set.layer, &set.origin)
            )?;
        }
        Ok(())
    }
}

fn place(layer: Layer, origin: &Origin) -> String {
    match origin {
        Origin::BuiltIn => "default".to_owned(),
        origin if origin.to_string() == layer.name() => layer.to_string(),
        origin => format!("{layer}, {origin}"),
    }
}
