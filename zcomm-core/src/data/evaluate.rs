//! What a filter says of a row: the reference that every store is compared with. Pure.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::Row;
use super::filter::{Condition, Filter};
use super::lookup::{Lookup, Part};
use super::value::{Value, lower};

impl Filter {
    /// Whether the row is one of those that are meant.
    ///
    /// There is no third truth value: a comparison with NULL is false, and `not` makes it true.
    pub fn matches(&self, row: &Row) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(row)),
            Self::Not(part) => !part.matches(row),
            Self::Test(condition) => condition.matches(row),
        }
    }
}

impl Condition {
    fn matches(&self, row: &Row) -> bool {
        let cell = row.get(&self.field.name).unwrap_or(&Json::Null);
        self.lookup.holds(cell)
    }
}

impl Lookup {
    fn holds(&self, cell: &Json) -> bool {
        let is =
            |value: &Value, test: fn(Ordering) -> bool| value.compare_cell(cell).is_some_and(test);
        match self {
            Self::Exact(value) => value.is_cell(cell),
            Self::Ne(value) => !value.is_cell(cell),
            Self::Gt(value) => is(value, Ordering::is_gt),
            Self::Gte(value) => is(value, Ordering::is_ge),
            Self::Lt(value) => is(value, Ordering::is_lt),
            Self::Lte(value) => is(value, Ordering::is_le),
            Self::In(values) => values.iter().any(|value| value.is_cell(cell)),
            Self::Nin(values) => !values.iter().any(|value| value.is_cell(cell)),
            Self::Range(from, to) => is(from, Ordering::is_ge) && is(to, Ordering::is_le),
            Self::IsNull(null) => cell.is_null() == *null,
            Self::Text { part, text, fold } => cell.as_str().is_some_and(|cell| match fold {
                true => part.is_of(text, &lower(cell)),
                false => part.is_of(text, cell),
            }),
        }
    }
}

impl Part {
    fn is_of(self, part: &str, whole: &str) -> bool {
        match self {
            Self::Whole => whole == part,
            Self::Anywhere => whole.contains(part),
            Self::Start => whole.starts_with(part),
            Self::End => whole.ends_with(part),
        }
    }
}
