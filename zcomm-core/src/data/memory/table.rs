//! The rows of one model, by primary key, with an index for each set of fields that must differ.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::data::error::DataError;
use crate::data::field::{DefaultValue, Field};
use crate::data::filter::{Condition, Filter};
use crate::data::lookup::Lookup;
use crate::data::model::Model;
use crate::data::order::Direction;
use crate::data::permitted::Permitted;
use crate::data::query::Query;
use crate::data::value::Value;
use crate::data::{Result, Row};

/// A value in the order of its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key(pub(super) Value);

impl Eq for Key {}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Debug)]
pub(super) struct Table {
    model: Arc<Model>,
    rows: BTreeMap<Key, Row>,
    unique: Vec<Unique>,
    next: i64,
}

/// A set of fields in which no two rows agree.
#[derive(Debug)]
struct Unique {
    fields: Vec<Arc<Field>>,
    rows: BTreeMap<Vec<Key>, Key>,
}

impl Unique {
    /// The row's values; none if one of them is NULL, which is never the same as another.
    fn of(&self, row: &Row) -> Option<Vec<Key>> {
        let values = self.fields.iter().map(|field| cell(field, row));
        values
            .map(|value| (!value.is_null()).then_some(Key(value)))
            .collect()
    }
}

impl Table {
    pub(super) fn new(model: Arc<Model>) -> Self {
        let sets = model.unique_sets().skip(1);
        let unique = sets.map(|set| Unique {
            fields: set.into_iter().cloned().collect(),
            rows: BTreeMap::new(),
        });
        Self {
            unique: unique.collect(),
            model,
            rows: BTreeMap::new(),
            next: 1,
        }
    }

    pub(super) fn model(&self) -> Arc<Model> {
        Arc::clone(&self.model)
    }

    /// Takes a model that has more fields; rows get their defaults.
    pub(super) fn become_model(&mut self, model: &Arc<Model>) -> Result<()> {
        let mut table = Self::new(Arc::clone(model));
        table.next = self.next;
        for row in self.rows.values() {
            let cells = model.fields().iter().map(|field| {
                let cell = row.get(&field.name).cloned();
                (field.name.clone(), cell.unwrap_or_else(|| backfill(field)))
            });
            table.insert(cells.collect())?;
        }
        *self = table;
        Ok(())
    }

    /// The number that the next row gets.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Gives numbers again whose rows were undone.
    pub(super) fn rewind(&mut self, next: i64) {
        self.next = next;
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key)
    }

    /// The first rows of a query's page, in order. An order of one field is that of the primary key.
    pub(super) fn page<'t>(&'t self, query: &'t Permitted<Query>, most: usize) -> Vec<&'t Row> {
        let offset = usize::try_from(query.offset()).unwrap_or(usize::MAX);
        let found = self.matching(&query.filter);
        let order = &query.order;
        if let [sort] = order.sorts()
            && sort.direction == Direction::Ascending
        {
            return found.skip(offset).take(most).collect();
        }
        let mut all: Vec<_> = found.map(|row| (order.position(row), row)).collect();
        all.sort_by(|(one, _), (two, _)| order.compare_positions(one, two));
        all.into_iter()
            .map(|(_, row)| row)
            .skip(offset)
            .take(most)
            .collect()
    }

    /// The keys of the rows that a filter admits, in their order.
    pub(super) fn keys(&self, filter: &Filter) -> Vec<Key> {
        let key = self.model.key();
        self.matching(filter)
            .map(|row| Key(cell(key, row)))
            .collect()
    }

    /// The key of the row that agrees with this one in these fields.
    pub(super) fn same(&self, row: &Row, fields: &[Arc<Field>]) -> Option<Key> {
        if let [only] = fields
            && only.primary_key
        {
            let key = Key(cell(only, row));
            return self.rows.contains_key(&key).then_some(key);
        }
        let named = |unique: &&Unique| {
            let mut all = unique.fields.iter();
            unique.fields.len() == fields.len() && all.all(|field| fields.contains(field))
        };
        let unique = self.unique.iter().find(named)?;
        unique.rows.get(&unique.of(row)?).cloned()
    }

    /// Adds a row, numbering it where it has no key yet.
    pub(super) fn insert(&mut self, mut row: Row) -> Result<Key> {
        let field = Arc::clone(self.model.key());
        if field.auto_increment && row.get(&field.name).is_none_or(Json::is_null) {
            let number = self.next;
            row.insert(field.name.clone(), Json::from(number));
        }
        let key = Key(cell(&field, &row));
        if self.rows.contains_key(&key) {
            return Err(self.conflict(std::slice::from_ref(&field)));
        }
        self.check(&row, None)?;
        if let Value::Int(number) = key.0 {
            self.next = self.next.max(number.saturating_add(1));
        }
        self.put(key.clone(), row);
        Ok(key)
    }

    /// Puts another row in the place of one that is there.
    pub(super) fn replace(&mut self, key: &Key, row: Row) -> Result<Row> {
        self.check(&row, Some(key))?;
        let before = self.remove(key);
        self.put(key.clone(), row);
        before.ok_or_else(|| super::unknown(self.model.name()))
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Row> {
        let row = self.rows.remove(key)?;
        for unique in &mut self.unique {
            if let Some(values) = unique.of(&row) {
                unique.rows.remove(&values);
            }
        }
        Some(row)
    }

    /// Puts a row in without asking; what it must differ from was checked before.
    pub(super) fn put(&mut self, key: Key, row: Row) {
        for unique in &mut self.unique {
            if let Some(values) = unique.of(&row) {
                unique.rows.insert(values, key.clone());
            }
        }
        self.rows.insert(key, row);
    }

    fn check(&self, row: &Row, own: Option<&Key>) -> Result<()> {
        let taken = |unique: &&Unique| {
            let holder = unique.of(row).and_then(|values| unique.rows.get(&values));
            holder.is_some_and(|holder| Some(holder) != own)
        };
        match self.unique.iter().find(taken) {
            None => Ok(()),
            Some(unique) => Err(self.conflict(&unique.fields)),
        }
    }

    fn conflict(&self, fields: &[Arc<Field>]) -> DataError {
        DataError::Conflict {
            model: self.model.name().to_owned(),
            fields: fields.iter().map(|field| field.name.clone()).collect(),
        }
    }

    /// The rows that a filter admits, in the order of their keys.
    fn matching<'t>(&'t self, filter: &'t Filter) -> Box<dyn Iterator<Item = &'t Row> + 't> {
        match fixed_key(filter) {
            Some(value) => {
                let row = self.rows.get(&Key(value.clone()));
                Box::new(row.into_iter().filter(|row| filter.matches(row)))
            }
            None => Box::new(self.rows.values().filter(|row| filter.matches(row))),
        }
    }
}

/// The primary key that every admitted row must have, if the filter says so.
fn fixed_key(filter: &Filter) -> Option<&Value> {
    match filter {
        Filter::All(parts) => parts.iter().find_map(fixed_key),
        Filter::Test(Condition {
            field,
            lookup: Lookup::Exact(value),
        }) if field.primary_key => Some(value),
        _ => None,
    }
}

fn cell(field: &Field, row: &Row) -> Value {
    row.get(&field.name)
        .and_then(|cell| Value::from_json(field.kind, cell))
        .unwrap_or(Value::Null)
}

/// What rows that were there before a field get in it.
fn backfill(field: &Field) -> Json {
    match &field.default {
        Some(DefaultValue::Literal(value)) => value.to_json(),
        _ => Json::Null,
    }
}
