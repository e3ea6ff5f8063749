//! In which order rows come. The primary key always decides last, so no two rows tie.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value as Json;

use super::error::DataError;
use super::field::Field;
use super::filter::Filter;
use super::lookup::Lookup;
use super::model::Model;
use super::value::Value;
use super::{Result, Row};

/// How many fields a caller may sort by.
const MOST_SORTS: usize = 8;

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// NULL first, then the least.
    Ascending,
    /// The greatest first, NULL last.
    Descending,
}

/// One field to sort by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sort {
    /// The field.
    pub field: Arc<Field>,
    /// Up or down.
    pub direction: Direction,
}

/// In which order rows come; it ends in the primary key.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    sorts: Vec<Sort>,
    asked: usize,
}

impl Order {
    /// By the primary key alone.
    pub fn by_key(model: &Model) -> Self {
        Self::ending_in_key(model, Vec::new())
    }

    /// Every field to sort by, most significant first.
    pub fn sorts(&self) -> &[Sort] {
        &self.sorts
    }

    /// The fields that the caller asked for by name.
    pub fn asked(&self) -> &[Sort] {
        &self.sorts[..self.asked]
    }

    /// Reads `"created_at DESC, id"`, `"-created_at"` or an array of such.
    pub(super) fn parse(model: &Model, json: &Json) -> Result<Self> {
        let wrong = || {
            DataError::bad_value(
                "order_by",
                format!(
                    "\"field\", \"-field\" or \"field DESC\", or an array of at most {MOST_SORTS}"
                ),
                json,
            )
        };
        let texts: Vec<&str> = match json {
            Json::String(text) => text.split(',').collect(),
            Json::Array(items) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(wrong))
                .collect::<Result<_>>()?,
            _ => return Err(wrong()),
        };
        if texts.is_empty() || texts.len() > MOST_SORTS {
            return Err(wrong());
        }
        let mut sorts: Vec<Sort> = Vec::with_capacity(texts.len() + 1);
        for text in texts {
            let (name, direction) = sort(text).ok_or_else(wrong)?;
            let field = model.known(name, "order_by")?;
            let twice = sorts.iter().any(|sort| sort.field.name == name);
            if twice || !field.kind.is_ordered() {
                let expected = format!("fields that can be sorted by, each once, unlike `{name}`");
                return Err(DataError::bad_value("order_by", expected, json));
            }
            let field = Arc::clone(field);
            sorts.push(Sort { field, direction });
        }
        Ok(Self::ending_in_key(model, sorts))
    }

    fn ending_in_key(model: &Model, mut sorts: Vec<Sort>) -> Self {
        let asked = sorts.len();
        if !sorts.iter().any(|sort| sort.field.primary_key) {
            sorts.push(Sort {
                field: Arc::clone(model.key()),
                direction: Direction::Ascending,
            });
        }
        Self { sorts, asked }
    }

    /// Which of two rows comes first.
    pub fn compare(&self, one: &Row, two: &Row) -> Ordering {
        self.compare_positions(&self.position(one), &self.position(two))
    }

    /// Which of two [positions](Self::position) comes first; whoever sorts many rows finds each position once.
    pub fn compare_positions(&self, one: &[Value], two: &[Value]) -> Ordering {
        let places = self.sorts.iter().zip(one.iter().zip(two));
        let mut orders = places.map(|(sort, (one, two))| match sort.direction {
            Direction::Ascending => one.total_cmp(two),
            Direction::Descending => two.total_cmp(one),
        });
        orders
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Where a row stands in the order.
    pub fn position(&self, row: &Row) -> Vec<Value> {
        self.sorts.iter().map(|sort| sort.of(row)).collect()
    }

    /// The rows that come after a position.
    pub fn after(&self, position: &[Value]) -> Filter {
        let places = self.sorts.iter().zip(position);
        let steps = places.clone().enumerate().map(|(place, (sort, value))| {
            let same = places
                .clone()
                .take(place)
                .map(|(sort, value)| Filter::test(&sort.field, Lookup::Exact(value.clone())));
            Filter::All(same.chain([sort.beyond(value)]).collect())
        });
        Filter::Any(steps.collect())
    }
}

impl Sort {
    fn of(&self, row: &Row) -> Value {
        row.get(&self.field.name)
            .and_then(|cell| Value::from_json(self.field.kind, cell))
            .unwrap_or(Value::Null)
    }

    fn beyond(&self, value: &Value) -> Filter {
        let test = |lookup| Filter::test(&self.field, lookup);
        match (self.direction, value) {
            (Direction::Ascending, Value::Null) => test(Lookup::IsNull(false)),
            (Direction::Ascending, value) => test(Lookup::Gt(value.clone())),
            (Direction::Descending, Value::Null) => Filter::none(),
            (Direction::Descending, value) => {
                let less = test(Lookup::Lt(value.clone()));
                if self.field.is_never_null() {
                    return less;
                }
                Filter::Any(vec![less, test(Lookup::IsNull(true))])
            }
        }
    }
}

/// A field's name and its direction: `name`, `-name`, `name DESC`.
fn sort(text: &str) -> Option<(&str, Direction)> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let word = words.next();
    if words.next().is_some() {
        return None;
    }
    match (name.strip_prefix('-'), word) {
        (Some(name), None) => Some((name, Direction::Descending)),
        (Some(_), Some(_)) => None,
        (None, None) => Some((name, Direction::Ascending)),
        (None, Some(word)) if word.eq_ignore_ascii_case("asc") => {
            Some((name, Direction::Ascending))
        }
        (None, Some(word)) if word.eq_ignore_ascii_case("desc") => {
            Some((name, Direction::Descending))
        }
        (None, Some(_)) => None,
    }
}
