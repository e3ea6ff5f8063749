//! One field of a model: its type, what it asks of its values, what it holds where none is given.

use serde_json::Value as Json;

use super::Result;
use super::error::{DataError, Given};
use super::kind::Kind;
use super::rules::Rules;
use super::value::{Date, Instant, Uuid, Value};

/// A field of a [`Model`](super::Model).
///
/// ```
/// use zcomm_core::data::{DefaultValue, Field, Kind};
///
/// let created = Field::new("created_at", Kind::DateTime).default(DefaultValue::Now);
/// assert!(!created.required);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether NULL is no value for it.
    pub required: bool,
    /// Whether no two rows have the same value; NULL is never the same.
    pub unique: bool,
    /// Whether it names the row.
    pub primary_key: bool,
    /// Whether the store numbers it.
    pub auto_increment: bool,
    /// What it holds where a create names nothing.
    pub default: Option<DefaultValue>,
    /// What its values must satisfy.
    pub rules: Rules,
    /// The field of another model whose values it holds.
    pub relation: Option<Relation>,
}

impl Field {
    /// A field that may be NULL.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            required: false,
            unique: false,
            primary_key: false,
            auto_increment: false,
            default: None,
            rules: Rules::default(),
            relation: None,
        }
    }

    /// The same, never NULL.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, with no value twice.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The same as its model's primary key: never NULL, no value twice.
    #[must_use]
    pub fn primary_key(mut self) -> Self {
        self.primary_key = true;
        self
    }

    /// The same, numbered by the store.
    #[must_use]
    pub fn auto_increment(mut self) -> Self {
        self.auto_increment = true;
        self
    }

    /// The same, with what it holds where a create names nothing.
    #[must_use]
    pub fn default(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }

    /// The same, with what its values must satisfy.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The same, holding the values of another model's field.
    #[must_use]
    pub fn relation(mut self, model: impl Into<String>, field: impl Into<String>) -> Self {
        self.relation = Some(Relation {
            model: model.into(),
            field: field.into(),
        });
        self
    }

    /// Whether a stored row always has a value here.
    pub fn is_never_null(&self) -> bool {
        self.required || self.primary_key
    }

    /// Takes JSON as a value to compare with.
    pub(super) fn operand(&self, json: &Json, at: &str, reading: Reading) -> Result<Value> {
        let digits = || match json {
            Json::String(text) if reading.digit_strings => Value::from_text(self.kind, text),
            _ => None,
        };
        let value = Value::from_json(self.kind, json);
        let value = match self.kind {
            Kind::Int => value.or_else(digits),
            _ => value,
        };
        value.ok_or_else(|| DataError::bad_value(at, self.kind.expectation(), json))
    }

    /// Takes JSON as a value to keep, which has to satisfy the rules.
    pub(super) fn value(&self, json: &Json, at: &str, reading: Reading) -> Result<Value> {
        let value = self.operand(json, at, reading)?;
        match self.rules.broken_by(&value) {
            None => Ok(value),
            Some(expected) => Err(DataError::bad_value(at, expected, json)),
        }
    }

    /// What stands here in a new row that names nothing for it; an absent value is the store's to number.
    pub(super) fn filled(&self) -> Result<Option<Value>> {
        match &self.default {
            _ if self.auto_increment => Ok(None),
            Some(default) => Ok(Some(default.value(self.kind))),
            None if self.is_never_null() => Err(DataError::BadValue {
                at: format!("data.{}", self.name),
                expected: "given".to_owned(),
                given: Given::Absent,
            }),
            None => Ok(Some(Value::Null)),
        }
    }
}

/// How JSON is read, as far as a command can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// Whether strings of digits are taken for int fields.
    pub(super) digit_strings: bool,
}

/// What a field holds where a create names nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DefaultValue {
    /// The time of the create.
    Now,
    /// A random UUID.
    Uuid,
    /// Always the same.
    Literal(Value),
}

impl DefaultValue {
    /// Whether fields of this type can hold it.
    pub fn suits(&self, kind: Kind) -> bool {
        match self {
            Self::Now => matches!(kind, Kind::DateTime | Kind::Date | Kind::Text),
            Self::Uuid => matches!(kind, Kind::Uuid | Kind::Text),
            Self::Literal(value) => {
                value.is_null() || Value::from_json(kind, &value.to_json()).as_ref() == Some(value)
            }
        }
    }

    fn value(&self, kind: Kind) -> Value {
        match (self, kind) {
            (Self::Literal(value), _) => value.clone(),
            (Self::Uuid, Kind::Uuid) => Value::Uuid(Uuid::random()),
            (Self::Uuid, _) => Value::Text(Uuid::random().to_string()),
            (Self::Now, Kind::DateTime) => Value::DateTime(Instant::now()),
            (Self::Now, Kind::Date) => Value::Date(Date::of(Instant::now())),
            (Self::Now, _) => Value::Text(Instant::now().to_string()),
        }
    }
}

/// Says that a field holds the values of another model's field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relation {
    /// The other model.
    pub model: String,
    /// Its field.
    pub field: String,
}
