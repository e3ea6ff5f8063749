//! The five layers and the places in them where a value can stand. Holds no values.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Where a value comes from; a later layer wins over an earlier one.
///
/// `.zEnv` wins over the process environment, unlike in most `.env` loaders: what a project pins down
/// is not undone by what happens to be exported in a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The table's own defaults.
    Defaults,
    /// The machine file, in YAML.
    Machine,
    /// The environment of the process.
    Environment,
    /// The `.zEnv` file of the project.
    ZEnv,
    /// Values given in code, and the program's flags.
    ZSpark,
}

impl Layer {
    /// All layers, the weakest first.
    pub const ALL: [Self; 5] = [
        Self::Defaults,
        Self::Machine,
        Self::Environment,
        Self::ZEnv,
        Self::ZSpark,
    ];

    /// The name that people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Machine => "machine file",
            Self::Environment => "environment",
            Self::ZEnv => ".zEnv",
            Self::ZSpark => "zSpark",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Layer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The very place in a layer: a line of a file, a variable, a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The table of keys.
    BuiltIn,
    /// A line of a file, counted from 1.
    Line {
        /// The file's name, as the caller gave it.
        label: Arc<str>,
        /// The line.
        line: u64,
    },
    /// A variable of the environment.
    Variable {
        /// Its name.
        name: String,
    },
    /// Code or a flag of the command line.
    Code {
        /// What the caller called it: `zSpark`, `--set`.
        label: Arc<str>,
    },
    /// A file that holds a secret, and where its name was found.
    SecretFile {
        /// The file.
        path: String,
        /// Who named it.
        named_by: Box<Self>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Line { label, line } => write!(f, "{label}:{line}"),
            Self::Variable { name } => f.write_str(name),
            Self::Code { label } => f.write_str(label),
            Self::SecretFile { path, named_by } => write!(f, "{path}, named by {named_by}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
