//! Writes that happen all or not at all: each step remembers how it is undone.

use std::collections::HashMap;
use std::sync::Arc;

use super::table::{Key, Table};
use super::unknown;
use crate::data::change::ChangeKind;
use crate::data::error::DataError;
use crate::data::field::Field;
use crate::data::filter::Filter;
use crate::data::permitted::Permitted;
use crate::data::write::{Effect, Values, Write};
use crate::data::written::{Changed, Outcome};
use crate::data::{Result, Row};

/// Steps that are undone when this is dropped without a [`commit`](Self::commit).
pub(super) struct Transaction<'t> {
    tables: &'t mut HashMap<String, Table>,
    undo: Vec<Undo>,
}

/// The row that stood under a key before, and the number that the next new row would have got.
struct Undo {
    table: String,
    key: Key,
    before: Option<Row>,
    next: i64,
}

impl<'t> Transaction<'t> {
    pub(super) fn new(tables: &'t mut HashMap<String, Table>) -> Self {
        Self {
            tables,
            undo: Vec::new(),
        }
    }

    pub(super) fn commit(mut self) {
        self.undo.clear();
    }

    /// Does one write; a dry run is done and undone, so that it meets the same errors.
    pub(super) fn run(&mut self, write: &Permitted<Write>) -> Result<Outcome> {
        let start = self.undo.len();
        let changed = match &write.effect {
            Effect::Create { rows, .. } => {
                let created = rows.iter().map(|row| self.create(write, row));
                created.collect::<Result<Vec<_>>>()?
            }
            Effect::Update { filter, set } => self.update(write, filter, set)?,
            Effect::Delete { filter } => self.delete(write, filter)?,
            Effect::Upsert { row, set, conflict } => vec![self.upsert(write, row, set, conflict)?],
        };
        if write.dry_run {
            self.undo_to(start);
            return Ok(Outcome::counted(changed.len() as u64));
        }
        Ok(Outcome::of(changed))
    }

    fn create(&mut self, write: &Permitted<Write>, row: &Values) -> Result<Changed> {
        let row = row.to_row(&write.model);
        let table = self.table(write)?;
        let next = table.next();
        let key = table.insert(row)?;
        self.remember(write, &key, None, next);
        let after = self.table(write)?.get(&key).cloned();
        Ok(Changed::new(ChangeKind::Create, key.0, None, after))
    }

    fn update(
        &mut self,
        write: &Permitted<Write>,
        filter: &Filter,
        set: &Values,
    ) -> Result<Vec<Changed>> {
        let keys = self.table(write)?.keys(filter);
        if keys.is_empty() && write.key.is_some() {
            return Err(DataError::NotFound {
                model: write.model.name().to_owned(),
            });
        }
        let set: Vec<_> = set
            .iter()
            .map(|(field, value)| (field, value.to_json()))
            .collect();
        let change = |row: &mut Row| {
            for (field, cell) in &set {
                row.insert(field.name.clone(), cell.clone());
            }
        };
        keys.into_iter()
            .map(|key| self.change(write, key, change))
            .collect()
    }

    fn delete(&mut self, write: &Permitted<Write>, filter: &Filter) -> Result<Vec<Changed>> {
        let table = self.table(write)?;
        let mut changed = Vec::new();
        for key in table.keys(filter) {
            let table = self.table(write)?;
            let (row, next) = (table.remove(&key), table.next());
            let before = row.as_ref().map(|row| named(row, write.before()));
            self.remember(write, &key, row, next);
            changed.push(Changed::new(ChangeKind::Delete, key.0, before, None));
        }
        Ok(changed)
    }

    fn upsert(
        &mut self,
        write: &Permitted<Write>,
        row: &Values,
        set: &[Arc<Field>],
        conflict: &[Arc<Field>],
    ) -> Result<Changed> {
        let whole = row.to_row(&write.model);
        let table = self.table(write)?;
        let Some(key) = table.same(&whole, conflict) else {
            return self.create(write, row);
        };
        let rule = write.row_rule();
        if !table.get(&key).is_some_and(|row| rule.matches(row)) {
            return Err(DataError::HiddenConflict {
                model: write.model.name().to_owned(),
            });
        }
        let change = |row: &mut Row| {
            for field in set {
                row.insert(field.name.clone(), whole[&field.name].clone());
            }
        };
        self.change(write, key, change)
    }

    fn change(
        &mut self,
        write: &Permitted<Write>,
        key: Key,
        change: impl Fn(&mut Row),
    ) -> Result<Changed> {
        let table = self.table(write)?;
        let mut row = table.get(&key).cloned().unwrap_or_default();
        change(&mut row);
        let (old, next) = (table.replace(&key, row.clone())?, table.next());
        let before = Some(named(&old, write.before()));
        self.remember(write, &key, Some(old), next);
        Ok(Changed::new(ChangeKind::Update, key.0, before, Some(row)))
    }

    fn table(&mut self, write: &Permitted<Write>) -> Result<&mut Table> {
        let name = write.model.name();
        self.tables.get_mut(name).ok_or_else(|| unknown(name))
    }

    fn remember(&mut self, write: &Permitted<Write>, key: &Key, before: Option<Row>, next: i64) {
        self.undo.push(Undo {
            table: write.model.name().to_owned(),
            key: key.clone(),
            before,
            next,
        });
    }

    fn undo_to(&mut self, length: usize) {
        for step in self.undo.drain(length..).rev() {
            let table = self.tables.get_mut(&step.table);
            let table = table.expect("tables are never dropped within a transaction");
            table.remove(&step.key);
            table.rewind(step.next);
            if let Some(row) = step.before {
                table.put(step.key, row);
            }
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.undo_to(0);
    }
}

/// Some fields of a row.
fn named(row: &Row, fields: &[Arc<Field>]) -> Row {
    let cells = fields
        .iter()
        .filter_map(|field| row.get_key_value(&field.name));
    cells
        .map(|(name, cell)| (name.clone(), cell.clone()))
        .collect()
}
