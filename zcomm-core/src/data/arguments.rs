//! The arguments of a command, by name: what each operation takes, and nothing else. Knows no envelope.

use serde_json::{Map, Value as Json};

use super::Result;
use super::error::{DataError, brief};
use super::field::Reading;
use super::query::BigInts;
use crate::action::Operation;

/// Every argument that some operation takes, under all of its names.
pub const ARGUMENTS: [&str; 14] = [
    "data",
    "values",
    "where",
    "filters",
    "fields",
    "order_by",
    "limit",
    "offset",
    "after",
    "conflict_fields",
    "idempotency_key",
    "all",
    "dry_run",
    "big_ints",
];

/// The arguments of one command, checked to be ones that the operation takes. `null` is absent, except in `where`.
pub(super) struct Arguments<'a> {
    operation: Operation,
    map: &'a Map<String, Json>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(operation: Operation, map: &'a Map<String, Json>) -> Result<Self> {
        let allowed = allowed(operation);
        match map.keys().find(|key| !allowed.contains(&key.as_str())) {
            None => Ok(Self { operation, map }),
            Some(name) => Err(DataError::UnknownArgument {
                operation,
                name: brief(name),
                allowed: allowed.to_vec(),
            }),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&'a Json> {
        self.map.get(name).filter(|json| !json.is_null())
    }

    /// The filter as it was given: here null is not the same as absent.
    pub(super) fn filter(&self) -> Result<Option<&'a Json>> {
        self.either("where", "filters")
    }

    pub(super) fn data(&self) -> Result<&'a Json> {
        self.either("data", "values")?
            .ok_or(DataError::MissingArgument {
                operation: self.operation,
                name: "data",
            })
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.find(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(other) => Err(DataError::bad_value(name, "true or false", other)),
        }
    }

    pub(super) fn big_ints(&self) -> Result<BigInts> {
        match self.find("big_ints") {
            None => Ok(BigInts::Number),
            Some(Json::String(form)) if form == "string" => Ok(BigInts::String),
            Some(Json::String(form)) if form == "number" => Ok(BigInts::Number),
            Some(other) => Err(DataError::bad_value(
                "big_ints",
                "\"string\" or \"number\"",
                other,
            )),
        }
    }

    fn either(&self, first: &'static str, second: &'static str) -> Result<Option<&'a Json>> {
        match (self.map.get(first), self.map.get(second)) {
            (Some(_), Some(_)) => Err(DataError::DuplicateArgument { first, second }),
            (one, two) => Ok(one.or(two)),
        }
    }
}

impl BigInts {
    pub(super) fn reading(self) -> Reading {
        Reading {
            digit_strings: self == Self::String,
        }
    }
}

const fn allowed(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::Read => &[
            "where", "filters", "fields", "order_by", "limit", "offset", "after", "big_ints",
        ],
        Operation::Create => &["data", "values", "idempotency_key", "dry_run", "big_ints"],
        Operation::Update => &[
            "data", "values", "where", "filters", "all", "dry_run", "big_ints",
        ],
        Operation::Delete => &["where", "filters", "all", "dry_run", "big_ints"],
        Operation::Upsert => &["data", "values", "conflict_fields", "dry_run", "big_ints"],
    }
}
