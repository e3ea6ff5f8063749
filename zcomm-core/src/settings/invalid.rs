//! Everything that is wrong with the settings, at once. Never holds the value of a secret.

use std::fmt;
use std::sync::Arc;

use super::{Layer, Origin};

/// The settings cannot be used; lists every fault, not only the first.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Invalid {
    problems: Vec<Problem>,
}

impl Invalid {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        debug_assert!(!problems.is_empty(), "an error without a fault");
        Self { problems }
    }

    /// The faults, in the order of the layers.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The stable name of this error.
    pub const fn code(&self) -> &'static str {
        "invalid_settings"
    }

    /// Whether trying again could help: never, somebody has to mend the settings.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the settings have a fault:")?,
            count => write!(f, "the settings have {count} faults:")?,
        }
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// One fault: where it is and what it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Problem {
    /// The layer that it is in.
    pub layer: Layer,
    /// The place in the layer.
    pub origin: Origin,
    /// The key or variable, as it was written there.
    pub name: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Variable { .. } => write!(f, "{}", self.layer)?,
            origin => write!(f, "{origin}")?,
        }
        if let Some(name) = &self.name {
            write!(f, ": {name}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

/// What can be wrong with a setting.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such key.
    #[error("there is no such key{}", did_you_mean(.suggestion.as_deref()))]
    UnknownKey {
        /// The key that was probably meant.
        suggestion: Option<String>,
    },
    /// The key belongs to a part of zcomm that this build does not have.
    #[error(
        "the section `{section}` needs the Cargo feature `{feature}`, which this build does not have"
    )]
    MissingFeature {
        /// The first part of the key.
        section: &'static str,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// The name of a section was given a value.
    #[error("is a section; its keys are written below it")]
    Section,
    /// The value is not what the key takes.
    #[error("{}expected {expected}", not_fitting(.given.as_deref()))]
    Value {
        /// The value, unless it is secret or has no short form.
        given: Option<String>,
        /// What would be right.
        expected: String,
    },
    /// A secret is given both as it is and as a file.
    #[error("is given as well as {other}: leave one of the two")]
    Twice {
        /// The other name.
        other: String,
    },
    /// The file that holds a secret cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        cause: Arc<std::io::Error>,
    },
    /// Nobody gave the loader a way to read files.
    #[error("secrets in files are not supported here; give the value itself")]
    NoFiles,
    /// The machine file is not YAML.
    #[error("{message}")]
    Yaml {
        /// What the parser says, without quoting the text: there may be a secret in it.
        message: String,
    },
    /// A line of `.zEnv` sets nothing. It is not quoted: there may be a secret in it.
    #[error("expected NAME=value; a value with spaces, quotes or $ goes in single quotes")]
    NotAVariable,
    /// Values given in code have no keys.
    #[error("expected an object of keys and values")]
    NotAnObject,
    /// Two rows of the tables have the same name.
    #[error("two plugins bring a setting of this name")]
    Ambiguous,
}

fn not_fitting(given: Option<&str>) -> String {
    given.map_or_else(String::new, |text| format!("`{text}` does not fit: "))
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
