//! Reads a filter from JSON. Everything that is not known is an error that says where it stands.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Filter;
use crate::data::Result;
use crate::data::error::{DataError, brief};
use crate::data::field::{Field, Reading};
use crate::data::lookup::{Lookup, Shape};
use crate::data::model::Model;
use crate::data::value::{Value, lower};

/// How deep `and`, `or` and `not` may nest.
const MOST_DEPTH: usize = 4;
/// How many comparisons there may be.
const MOST_CONDITIONS: usize = 50;
/// How many values `in` and `nin` take.
const MOST_VALUES: usize = 500;

/// Reads a filter: an object, or the primary key's value by itself.
pub(in crate::data) fn parse(model: &Model, json: &Json, reading: Reading) -> Result<Filter> {
    let mut parser = Parser {
        model,
        reading,
        conditions: 0,
    };
    match json {
        Json::Object(map) => parser.group(map, "where", 0),
        Json::Array(_) => Err(DataError::bad_value(
            "where",
            "an object or a primary key",
            json,
        )),
        scalar => {
            let value = model.key().operand(scalar, "where", reading)?;
            Ok(Filter::test(model.key(), Lookup::Exact(value)))
        }
    }
}

struct Parser<'a> {
    model: &'a Model,
    reading: Reading,
    conditions: usize,
}

impl Parser<'_> {
    fn group(&mut self, map: &Map<String, Json>, at: &str, depth: usize) -> Result<Filter> {
        let parts = map.iter().map(|(key, json)| {
            let at = format!("{at}.{}", brief(key));
            match key.as_str() {
                "and" => self.list(json, &at, depth).map(Filter::All),
                "or" => self.list(json, &at, depth).map(Filter::Any),
                "not" => self
                    .part(json, &at, depth)
                    .map(|part| Filter::Not(Box::new(part))),
                _ => self.condition(key, json, &at),
            }
        });
        let mut parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::All(parts),
        })
    }

    fn list(&mut self, json: &Json, at: &str, depth: usize) -> Result<Vec<Filter>> {
        let Some(items) = json.as_array().filter(|items| !items.is_empty()) else {
            return Err(DataError::bad_value(
                at,
                "an array of one or more filters",
                json,
            ));
        };
        let parts = items
            .iter()
            .enumerate()
            .map(|(place, item)| self.part(item, &format!("{at}[{place}]"), depth));
        parts.collect()
    }

    fn part(&mut self, json: &Json, at: &str, depth: usize) -> Result<Filter> {
        let Some(map) = json.as_object().filter(|map| !map.is_empty()) else {
            return Err(DataError::bad_value(
                at,
                "an object with one or more conditions",
                json,
            ));
        };
        if depth == MOST_DEPTH {
            let expected = format!("nested at most {MOST_DEPTH} deep");
            return Err(DataError::bad_value(at, expected, json));
        }
        self.group(map, at, depth + 1)
    }

    fn condition(&mut self, key: &str, json: &Json, at: &str) -> Result<Filter> {
        self.conditions += 1;
        if self.conditions > MOST_CONDITIONS {
            let expected = format!("a filter of at most {MOST_CONDITIONS} conditions");
            return Err(DataError::bad_value("where", expected, json));
        }
        // No field has two underscores in its name.
        let (name, lookup) = key.split_once("__").unwrap_or((key, "exact"));
        let field = self.model.known(name, at)?;
        let Some(shape) = Lookup::shape(field.kind, lookup) else {
            return Err(DataError::UnknownLookup {
                lookup: brief(lookup),
                at: at.to_owned(),
                kind: field.kind,
                allowed: Lookup::names(field.kind).collect(),
            });
        };
        let lookup = self.operand(field, shape, json, at)?;
        Ok(Filter::test(field, lookup))
    }

    fn operand(&self, field: &Arc<Field>, shape: Shape, json: &Json, at: &str) -> Result<Lookup> {
        match shape {
            Shape::OneOrNull(make) => self.value(field, json, at).map(make),
            Shape::One(make) => self.present(field, json, at).map(make),
            Shape::Many(make) => self.many(field, json, at).map(make),
            Shape::Two => {
                let Some([from, to]) = json.as_array().map(Vec::as_slice) else {
                    return Err(DataError::bad_value(at, "an array of two values", json));
                };
                let from = self.present(field, from, &format!("{at}[0]"))?;
                Ok(Lookup::Range(
                    from,
                    self.present(field, to, &format!("{at}[1]"))?,
                ))
            }
            Shape::Flag => match json.as_bool() {
                Some(null) => Ok(Lookup::IsNull(null)),
                None => Err(DataError::bad_value(at, "true or false", json)),
            },
            Shape::Text(part, fold) => match self.present(field, json, at)? {
                Value::Text(text) if fold => {
                    let text = lower(&text).into_owned();
                    Ok(Lookup::Text { part, text, fold })
                }
                Value::Text(text) => Ok(Lookup::Text { part, text, fold }),
                _ => Err(DataError::bad_value(at, field.kind.expectation(), json)),
            },
        }
    }

    fn many(&self, field: &Arc<Field>, json: &Json, at: &str) -> Result<Vec<Value>> {
        let Some(items) = json.as_array().filter(|items| items.len() <= MOST_VALUES) else {
            let expected = format!("an array of at most {MOST_VALUES} values");
            return Err(DataError::bad_value(at, expected, json));
        };
        let values = items
            .iter()
            .enumerate()
            .map(|(place, item)| self.value(field, item, &format!("{at}[{place}]")));
        values.collect()
    }

    fn value(&self, field: &Arc<Field>, json: &Json, at: &str) -> Result<Value> {
        field.operand(json, at, self.reading)
    }

    fn present(&self, field: &Arc<Field>, json: &Json, at: &str) -> Result<Value> {
        if json.is_null() {
            let expected = format!(
                "{} (null goes with exact, ne, in, nin)",
                field.kind.expectation()
            );
            return Err(DataError::bad_value(at, expected, json));
        }
        self.value(field, json, at)
    }
}
