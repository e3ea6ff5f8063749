//! Everything that can be wrong with a command on data or keep a store from answering. Never carries a row's values.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::schema::SchemaError;
use crate::action::Operation;
use crate::code::Code;
use crate::error::{BoxError, Error};

/// What is wrong with a command, or what kept a store from answering it.
///
/// Values that a caller sent are never repeated: they may be somebody's secrets, and errors end up in logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The command has an argument that the operation does not take.
    #[error("{operation} takes no argument `{name}`; it takes {}", allowed.join(", "))]
    UnknownArgument {
        /// What was to be done.
        operation: Operation,
        /// The argument.
        name: String,
        /// What the operation takes.
        allowed: Vec<&'static str>,
    },
    /// Two arguments that mean the same are given.
    #[error("`{first}` and `{second}` mean the same; give one of them")]
    DuplicateArgument {
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// An argument that the operation needs is missing.
    #[error("{operation} needs the argument `{name}`")]
    MissingArgument {
        /// What was to be done.
        operation: Operation,
        /// The argument.
        name: &'static str,
    },
    /// No model has the name.
    #[error("no model is called `{name}`")]
    UnknownModel {
        /// The name.
        name: String,
    },
    /// The model has no such field.
    #[error("`{model}` has no field `{field}` (in `{at}`)")]
    UnknownField {
        /// The model.
        model: String,
        /// The name that is not one of its fields.
        field: String,
        /// Where it stands.
        at: String,
    },
    /// There is no such lookup, or not for fields of this type.
    #[error("no lookup `{lookup}` (in `{at}`); {kind} fields take {}", allowed.join(", "))]
    UnknownLookup {
        /// The lookup.
        lookup: String,
        /// Where it stands.
        at: String,
        /// The field's type.
        kind: Kind,
        /// The lookups that there are for it.
        allowed: Vec<&'static str>,
    },
    /// A value is of the wrong type, out of its range or against a rule of its field.
    #[error("`{at}` must be {expected}, not {given}")]
    BadValue {
        /// Where it stands.
        at: String,
        /// What would be right.
        expected: String,
        /// What was there, by its type.
        given: Given,
    },
    /// An update or a delete would touch every row, without saying so.
    #[error(
        "this {operation} has a filter that admits every row; say `\"all\": true` if that is meant"
    )]
    Unfiltered {
        /// What was to be done.
        operation: Operation,
    },
    /// A cursor is not one of ours, or belongs to another query or caller.
    #[error("`after` is no cursor of this query; start again without it")]
    BadCursor,
    /// There is no such row, or none that the caller may see.
    #[error("`{model}` has no such row")]
    NotFound {
        /// The model.
        model: String,
    },
    /// Another row has the same values already.
    #[error("another row of `{model}` has the same {}", fields.join(", "))]
    Conflict {
        /// The model.
        model: String,
        /// The fields that must differ.
        fields: Vec<String>,
    },
    /// The row an upsert would change is not the caller's to change.
    #[error("this upsert meets a row of `{model}` that may not be changed")]
    HiddenConflict {
        /// The model.
        model: String,
    },
    /// An idempotency key came back with another command.
    #[error("this `idempotency_key` was used with another command")]
    KeyReused,
    /// The caller may not do this to the model at all.
    #[error("{who} may not {operation} `{model}`")]
    Forbidden {
        /// The user's name, or `a guest`.
        who: String,
        /// What was to be done.
        operation: Operation,
        /// The model.
        model: String,
    },
    /// The caller may not read or write this field.
    #[error("{who} may not {operation} `{model}` by way of its field `{field}`")]
    ForbiddenField {
        /// The user's name, or `a guest`.
        who: String,
        /// What was to be done.
        operation: Operation,
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// A row's owner can only be the caller.
    #[error("`{field}` of `{model}` is the row's owner: it can only be yourself and never changes")]
    ForbiddenOwner {
        /// The model.
        model: String,
        /// The field that holds the owner.
        field: String,
    },
    /// The model says nothing of who may use it.
    #[error(
        "`{model}` has no access rules: add an `access` section to {source_file}, or set `default_access = \"authenticated\"`"
    )]
    NoRules {
        /// The model.
        model: String,
        /// The schema file.
        source_file: String,
    },
    /// Writes are switched off.
    #[error("writes are switched off")]
    ReadOnly,
    /// The store did not answer in time.
    #[error("the store did not answer within {} ms", limit.as_millis())]
    Timeout {
        /// The time it had.
        limit: Duration,
    },
    /// The store cannot be reached now.
    #[error("the store `{store}` is unavailable")]
    Unavailable {
        /// The store's name.
        store: &'static str,
        /// Whether it is certain that nothing was written.
        rolled_back: bool,
        /// What the driver said.
        #[source]
        source: BoxError,
    },
    /// The store failed in a way that is nobody's fault but its own.
    #[error("the store `{store}` failed")]
    Store {
        /// The store's name.
        store: &'static str,
        /// Whether it is certain that nothing was written.
        rolled_back: bool,
        /// What the driver said.
        #[source]
        source: BoxError,
    },
    /// A schema is wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl DataError {
    /// The stable code that goes over the wire.
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownArgument { .. }
            | Self::DuplicateArgument { .. }
            | Self::MissingArgument { .. } => Code::BadRequest,
            Self::UnknownModel { .. } => Code::UnknownModel,
            Self::UnknownField { .. } => Code::UnknownField,
            Self::UnknownLookup { .. } => Code::UnknownLookup,
            Self::BadValue { .. } | Self::Unfiltered { .. } | Self::BadCursor => Code::BadValue,
            Self::NotFound { .. } => Code::NotFound,
            Self::Conflict { .. } | Self::HiddenConflict { .. } | Self::KeyReused => Code::Conflict,
            Self::Forbidden { .. }
            | Self::ForbiddenField { .. }
            | Self::ForbiddenOwner { .. }
            | Self::NoRules { .. } => Code::Forbidden,
            Self::ReadOnly => Code::ReadOnly,
            Self::Timeout { .. } => Code::Timeout,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::Store { .. } | Self::Schema(_) => Code::Internal,
        }
    }

    /// Whether the command itself is wrong, so that no store would take it.
    pub fn is_about_the_command(&self) -> bool {
        matches!(
            self.code(),
            Code::BadRequest
                | Code::BadValue
                | Code::UnknownModel
                | Code::UnknownField
                | Code::UnknownLookup
        )
    }

    /// Whether the same command may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    /// Whether it is certain that nothing was written.
    ///
    /// Whatever was refused before or by the transaction left no trace; a store that fell silent may have committed.
    pub fn is_rolled_back(&self) -> bool {
        match self {
            Self::Timeout { .. } => false,
            Self::Unavailable { rolled_back, .. } | Self::Store { rolled_back, .. } => *rolled_back,
            _ => true,
        }
    }

    /// What a program can read of it: the `details` of an error reply.
    pub fn details(&self) -> Map<String, Json> {
        let details = match self {
            Self::UnknownArgument { name, allowed, .. } => {
                json!({"argument": name, "allowed": allowed})
            }
            Self::DuplicateArgument { first, second } => json!({"arguments": [first, second]}),
            Self::MissingArgument { name, .. } => json!({"argument": name}),
            Self::UnknownModel { name } => json!({"model": name}),
            Self::UnknownField { model, field, at } => {
                json!({"model": model, "field": field, "at": at})
            }
            Self::UnknownLookup {
                lookup,
                at,
                kind,
                allowed,
            } => json!({"lookup": lookup, "at": at, "type": kind.as_str(), "allowed": allowed}),
            Self::BadValue { at, expected, .. } => json!({"at": at, "expected": expected}),
            Self::Unfiltered { .. } => json!({"at": "where"}),
            Self::BadCursor => json!({"at": "after"}),
            Self::NotFound { model }
            | Self::HiddenConflict { model }
            | Self::NoRules { model, .. } => json!({"model": model}),
            Self::Conflict { model, fields } => json!({"model": model, "fields": fields}),
            Self::KeyReused => json!({"at": "idempotency_key"}),
            Self::Forbidden {
                operation, model, ..
            } => json!({"model": model, "operation": operation.as_str()}),
            Self::ForbiddenField {
                operation,
                model,
                field,
                ..
            } => json!({"model": model, "operation": operation.as_str(), "field": field}),
            Self::ForbiddenOwner { model, field } => json!({"model": model, "field": field}),
            Self::ReadOnly
            | Self::Timeout { .. }
            | Self::Unavailable { .. }
            | Self::Store { .. }
            | Self::Schema(_) => json!({}),
        };
        match details {
            Json::Object(map) => map,
            _ => Map::new(),
        }
    }

    pub(super) fn bad_value(
        at: impl Into<String>,
        expected: impl Into<String>,
        given: &Json,
    ) -> Self {
        Self::BadValue {
            at: at.into(),
            expected: expected.into(),
            given: Given::of(given),
        }
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        let details = Json::Object(error.details());
        Self::other_with(error.code(), error, details)
    }
}

/// A name as errors repeat it: whoever sends a megabyte does not get it back.
pub(super) fn brief(name: &str) -> String {
    const LONGEST: usize = 64;
    match name.char_indices().nth(LONGEST) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// What kind of JSON was given, without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Given {
    /// Nothing at all.
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array of so many items.
    Array(usize),
    /// An object of so many keys.
    Object(usize),
}

impl Given {
    pub(super) fn of(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Bool,
            Json::Number(_) => Self::Number,
            Json::String(_) => Self::String,
            Json::Array(items) => Self::Array(items.len()),
            Json::Object(keys) => Self::Object(keys.len()),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("missing"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("that boolean"),
            Self::Number => f.write_str("that number"),
            Self::String => f.write_str("that string"),
            Self::Array(len) => write!(f, "an array of {len}"),
            Self::Object(len) => write!(f, "an object of {len}"),
        }
    }
}
