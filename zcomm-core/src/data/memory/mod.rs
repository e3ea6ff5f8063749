//! Rows in memory, answered by the reference evaluator. For tests, trials and small data that may be lost.

mod answers;
mod table;
mod transaction;

use std::collections::HashMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use super::error::DataError;
use super::model::Model;
use super::permitted::Permitted;
use super::query::Query;
use super::rows::Rows;
use super::store::{ForeignChanges, Migration, Store};
use super::write::Write;
use super::written::Written;
use super::{Result, Row};
use answers::Answers;
use table::Table;
use transaction::Transaction;

/// A store in memory: nothing survives the process.
///
/// What it answers *is* the reference: its filters, orders and pages are the evaluator itself.
#[derive(Debug, Default)]
pub struct MemoryStore {
    contents: RwLock<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    tables: HashMap<String, Table>,
    answers: Answers,
}

impl MemoryStore {
    /// An empty store for these models.
    pub fn new(models: impl IntoIterator<Item = Arc<Model>>) -> Self {
        let tables = models
            .into_iter()
            .map(|model| (model.name().to_owned(), Table::new(model)));
        Self {
            contents: RwLock::new(Contents {
                tables: tables.collect(),
                answers: Answers::default(),
            }),
        }
    }

    // A transaction that panics half-way is not undone, so what a poisoned lock holds is no longer to be trusted.
    fn contents(&self) -> Result<RwLockReadGuard<'_, Contents>> {
        self.contents.read().map_err(|_| poisoned())
    }

    fn contents_mut(&self) -> Result<RwLockWriteGuard<'_, Contents>> {
        self.contents.write().map_err(|_| poisoned())
    }
}

fn poisoned() -> DataError {
    DataError::Store {
        store: "memory",
        rolled_back: false,
        source: "an earlier write panicked".into(),
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows> {
        let contents = self.contents()?;
        let table = contents.table(query.model.name())?;
        let limit = usize::try_from(query.limit()).unwrap_or(usize::MAX);
        let mut found = table.page(query, limit.saturating_add(1));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more);
        let next = next.map(|last| query.cursor_after(last));
        let rows: Vec<Row> = found.into_iter().map(|row| query.project(row)).collect();
        Ok(Rows::of(&rows, next))
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written> {
        let mut contents = self.contents_mut()?;
        let Contents { tables, answers } = &mut *contents;
        let mut transaction = Transaction::new(tables);
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            let outcome = match answers.earlier(write)? {
                Some(outcome) => outcome,
                None => transaction.run(write)?,
            };
            outcomes.push(outcome);
        }
        transaction.commit();
        for (write, outcome) in writes.iter().zip(&outcomes) {
            answers.keep(write, outcome);
        }
        Ok(Written::new(outcomes))
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>> {
        let contents = self.contents()?;
        let mut models: Vec<Arc<Model>> = contents.tables.values().map(Table::model).collect();
        models.sort_by(|one, two| one.name().cmp(two.name()));
        Ok(models)
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration> {
        let mut contents = self.contents_mut()?;
        let Some(table) = contents.tables.get_mut(model.name()) else {
            let table = Table::new(Arc::clone(model));
            contents.tables.insert(model.name().to_owned(), table);
            return Ok(Migration::between(None, model));
        };
        let migration = Migration::between(Some(&table.model()), model);
        table.become_model(model)?;
        Ok(migration)
    }

    fn changes(&self) -> Option<ForeignChanges> {
        None
    }
}

impl Contents {
    fn table(&self, name: &str) -> Result<&Table> {
        self.tables.get(name).ok_or_else(|| unknown(name))
    }
}

fn unknown(model: &str) -> DataError {
    DataError::UnknownModel {
        name: model.to_owned(),
    }
}
