//! What can be wrong with a schema, and where.

use std::fmt;

use crate::data::kind::Kind;

/// Everything that is wrong with a schema, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    problems: Vec<Problem>,
}

impl SchemaError {
    pub(in crate::data) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Each problem, in the order of the files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            let gap = if place == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SchemaError {}

/// One thing that is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, where one is known.
    pub line: Option<u64>,
    /// The model; empty where it is not about one.
    pub model: String,
    /// The field or section, where it is about one.
    pub field: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        match (&*self.model, &self.field) {
            ("", _) => {}
            (model, None) => write!(f, "`{model}` ")?,
            (model, Some(field)) => write!(f, "`{model}.{field}` ")?,
        }
        self.fault.fmt(f)
    }
}

/// What is wrong. Each reads on after the name of what it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text is not YAML.
    #[error("is not YAML: {message}")]
    Syntax {
        /// What the parser said.
        message: String,
    },
    /// A key that means nothing here.
    #[error("has an unknown key `{key}`; allowed are {allowed}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What may stand here.
        allowed: &'static str,
    },
    /// A value of the wrong shape.
    #[error("needs {expected} for `{key}`")]
    Expected {
        /// The key.
        key: String,
        /// What may stand there.
        expected: String,
    },
    /// No type has the name.
    #[error("has the unknown type `{name}`; there are {}", kinds())]
    UnknownType {
        /// The name.
        name: String,
    },
    /// The name cannot be that of a table or column everywhere.
    #[error(
        "needs a name of at most 63 letters, digits and underscores that starts with no digit; `__` is for lookups"
    )]
    BadName,
    /// The name means something already.
    #[error("has a name that is reserved")]
    ReservedName,
    /// The name is taken, where case does not matter.
    #[error("is there twice")]
    DuplicateName,
    /// There is not exactly one primary key.
    #[error("needs exactly one field with `pk: true`, and has {found}")]
    PrimaryKeys {
        /// How many there are.
        found: usize,
    },
    /// A section names a field that is not there.
    #[error("names the field `{name}`, which is not there")]
    NoSuchField {
        /// The name.
        name: String,
    },
    /// A relation leads nowhere.
    #[error("refers to `{model}.{field}`, which is not there")]
    NoSuchTarget {
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// Values of the type have no order, so they cannot be keys.
    #[error("cannot be a key or unique: {kind} values are not compared")]
    NotAKey {
        /// The type.
        kind: Kind,
    },
    /// Only an int that is the primary key is numbered.
    #[error("can have `auto_increment` only as an int primary key")]
    AutoIncrement,
    /// The default is none of the field's values.
    #[error("has a default that is no {kind} or breaks the field's rules")]
    DefaultMisfit {
        /// The type.
        kind: Kind,
    },
    /// Something of the older system that does not exist here.
    #[error("uses {what}, which is not supported; {instead}")]
    Unsupported {
        /// What it is.
        what: String,
        /// What to write instead.
        instead: &'static str,
    },
}

fn kinds() -> String {
    Kind::ALL.map(Kind::as_str).join(", ")
}
