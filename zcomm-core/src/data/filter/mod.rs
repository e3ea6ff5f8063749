//! Which rows are meant: a tree of conditions. Parsing is in `parse`, evaluating in `evaluate`.

mod parse;

use std::sync::Arc;

use super::field::Field;
use super::lookup::{Lookup, Part};
use super::value::Value;

pub(super) use parse::parse;

/// Which rows are meant.
///
/// ```
/// use serde_json::json;
/// use zcomm_core::data::{Field, Kind, Model, Query};
///
/// let users = Model::builder("users")
///     .field(Field::new("id", Kind::Int).primary_key())
///     .field(Field::new("age", Kind::Int))
///     .build()
///     .unwrap();
/// let adults = json!({"where": {"not": {"age__lt": 18}}});
/// let filter = Query::parse(&users, adults.as_object().unwrap()).unwrap().filter;
///
/// // A comparison with NULL is false, so its negation is true.
/// assert!(filter.matches(json!({"id": 1, "age": null}).as_object().unwrap()));
/// assert!(!filter.matches(json!({"id": 2, "age": 17}).as_object().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// Rows that satisfy all of these; all rows if there are none.
    All(Vec<Self>),
    /// Rows that satisfy one of these; no row if there are none.
    Any(Vec<Self>),
    /// Rows that do not satisfy this.
    Not(Box<Self>),
    /// Rows that satisfy one condition.
    Test(Condition),
}

/// One comparison of one field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The field; one of the model's.
    pub field: Arc<Field>,
    /// How it is compared, with values of the field's type.
    pub lookup: Lookup,
}

impl Filter {
    /// Every row.
    pub const fn all() -> Self {
        Self::All(Vec::new())
    }

    /// No row.
    pub const fn none() -> Self {
        Self::Any(Vec::new())
    }

    /// One comparison.
    pub fn test(field: &Arc<Field>, lookup: Lookup) -> Self {
        Self::Test(Condition {
            field: Arc::clone(field),
            lookup,
        })
    }

    /// The rows that both filters admit.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All(mut parts), Self::All(more)) => {
                parts.extend(more);
                Self::All(parts)
            }
            (Self::All(parts), only) | (only, Self::All(parts)) if parts.is_empty() => only,
            (Self::All(mut parts), one) => {
                parts.push(one);
                Self::All(parts)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }

    /// Every field that is compared, each as often as it is.
    pub fn fields(&self) -> Vec<&Arc<Field>> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(part) => part.fields(),
            Self::Test(condition) => vec![&condition.field],
        }
    }

    /// The primary key's value, if the filter is nothing but that.
    pub fn lone_key(&self) -> Option<&Value> {
        match self {
            Self::All(parts) => match parts.as_slice() {
                [only] => only.lone_key(),
                _ => None,
            },
            Self::Test(Condition {
                field,
                lookup: Lookup::Exact(value),
            }) if field.primary_key && !value.is_null() => Some(value),
            _ => None,
        }
    }

    /// Whether the filter can be seen to admit every row, whatever is stored.
    pub fn is_trivial(&self) -> bool {
        self.constant() == Some(true)
    }

    /// What the filter says of every row, where that does not depend on the row.
    fn constant(&self) -> Option<bool> {
        match self {
            Self::All(parts) => fold(parts, false),
            Self::Any(parts) if opposes(parts) => Some(true),
            Self::Any(parts) => fold(parts, true),
            Self::Not(part) => part.constant().map(|holds| !holds),
            Self::Test(condition) => condition.constant(),
        }
    }
}

/// What parts come to, where one part that is `decides` settles it.
fn fold(parts: &[Filter], decides: bool) -> Option<bool> {
    let mut certain = true;
    for part in parts {
        match part.constant() {
            Some(holds) if holds == decides => return Some(decides),
            Some(_) => {}
            None => certain = false,
        }
    }
    certain.then_some(!decides)
}

/// Whether one part is plainly the negation of another, so that every row satisfies one of the two.
fn opposes(parts: &[Filter]) -> bool {
    parts.iter().enumerate().any(|(place, part)| {
        let negation = part.negation();
        parts[..place].contains(&negation)
    })
}

impl Filter {
    fn negation(&self) -> Self {
        let lookup = match self {
            Self::Not(part) => return (**part).clone(),
            Self::Test(Condition { lookup, .. }) => lookup,
            _ => return Self::Not(Box::new(self.clone())),
        };
        let lookup = match lookup.clone() {
            Lookup::Exact(value) => Lookup::Ne(value),
            Lookup::Ne(value) => Lookup::Exact(value),
            Lookup::In(values) => Lookup::Nin(values),
            Lookup::Nin(values) => Lookup::In(values),
            Lookup::IsNull(null) => Lookup::IsNull(!null),
            _ => return Self::Not(Box::new(self.clone())),
        };
        match self {
            Self::Test(condition) => Self::test(&condition.field, lookup),
            _ => Self::Not(Box::new(self.clone())),
        }
    }
}

impl Condition {
    fn constant(&self) -> Option<bool> {
        let has_value = self.field.is_never_null();
        match &self.lookup {
            Lookup::In(values) if values.is_empty() => Some(false),
            Lookup::Nin(values) if values.is_empty() => Some(true),
            Lookup::IsNull(null) if has_value => Some(!null),
            Lookup::Exact(Value::Null) if has_value => Some(false),
            Lookup::Ne(Value::Null) if has_value => Some(true),
            Lookup::Nin(values) if has_value && values.iter().all(Value::is_null) => Some(true),
            // Every text has the empty text in it; NULL has not.
            Lookup::Text {
                text,
                part: Part::Anywhere | Part::Start | Part::End,
                ..
            } if has_value && text.is_empty() => Some(true),
            _ => None,
        }
    }
}
