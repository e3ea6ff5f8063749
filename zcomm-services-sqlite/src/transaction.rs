//! Writes that happen all or not at all, and what they did. Runs on the thread that writes.

use std::sync::Arc;
use std::time::Duration;

use zcomm_core::data::sql::{Sql, Statement};
use zcomm_core::data::{
    ChangeKind, Changed, DataError, Effect, Field, Filter, Lookup, Model, Outcome, Permitted, Row,
    Value, Values, Write, Written,
};

use crate::answers;
use crate::error::Error;
use crate::page::whole;
use crate::session::Session;

/// One more than an outcome tells of, so that it is known to be too many.
const MOST: usize = Outcome::MOST_ROWS + 1;

/// What every step of a transaction needs.
#[derive(Clone, Copy)]
pub(crate) struct Transaction<'t> {
    pub(crate) session: &'t Session,
    pub(crate) sql: &'t Sql,
    pub(crate) limit: Duration,
}

impl Transaction<'_> {
    /// Does all of these writes, or none.
    pub(crate) fn write(&self, writes: &[Permitted<Write>]) -> Result<Written, DataError> {
        self.whole(|| {
            let outcomes = writes.iter().map(|write| self.once(write));
            outcomes.collect::<Result<_, _>>().map(Written::new)
        })
    }

    /// Does something within one transaction, which is undone if it fails or if its time is up.
    pub(crate) fn whole<T>(
        &self,
        work: impl FnOnce() -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        // At once, or two who read before they write would wait for each other.
        self.word("BEGIN IMMEDIATE")?;
        let worked = work().and_then(|done| match self.session.is_over() {
            false => Ok(done),
            true => Err(DataError::Timeout { limit: self.limit }),
        });
        self.session.end();
        match worked {
            Ok(done) => match self.word("COMMIT") {
                Ok(()) => Ok(done),
                Err(error) => Err(self.undone(error)),
            },
            Err(error) => Err(self.undone(error)),
        }
    }

    fn undone(&self, error: DataError) -> DataError {
        // SQLite may have rolled back by itself already; then there is nothing left to undo.
        if self.session.connection().is_autocommit() || self.word("ROLLBACK").is_ok() {
            return error;
        }
        DataError::Store {
            store: "sqlite",
            rolled_back: false,
            source: Box::new(error),
        }
    }

    /// Does a write, unless its idempotency key says that it was done.
    fn once(&self, write: &Permitted<Write>) -> Result<Outcome, DataError> {
        let key = write.idempotency();
        if let Some(key) = key
            && let Some(outcome) = answers::earlier(self, &write.model, key)?
        {
            return Ok(outcome);
        }
        let outcome = self.run(write)?;
        if let Some(key) = key.filter(|_| !write.dry_run) {
            answers::keep(self, key, &outcome)?;
        }
        Ok(outcome)
    }

    /// Does one write; a dry run is done and undone, so that it meets the same errors.
    fn run(&self, write: &Permitted<Write>) -> Result<Outcome, DataError> {
        if !write.dry_run {
            return self.carry_out(write);
        }
        self.word("SAVEPOINT dry_run")?;
        let outcome = self.carry_out(write)?;
        self.word("ROLLBACK TO dry_run")?;
        self.word("RELEASE dry_run")?;
        Ok(Outcome::counted(outcome.count))
    }

    fn carry_out(&self, write: &Permitted<Write>) -> Result<Outcome, DataError> {
        match &write.effect {
            Effect::Create { rows, .. } => {
                let mut found = Touched::default();
                for row in rows {
                    found.push(|| self.create(&write.model, row))?;
                }
                Ok(found.outcome())
            }
            Effect::Update { filter, set } => self.update(write, filter, set),
            Effect::Delete { filter } => self.delete(write, filter),
            Effect::Upsert { row, set, conflict } => {
                let changed = self.upsert(write, row, set, conflict)?;
                Ok(Outcome::of(vec![changed]))
            }
            _ => Err(DataError::Store {
                store: "sqlite",
                rolled_back: true,
                source: "a kind of write that this store does not know".into(),
            }),
        }
    }

    fn create(&self, model: &Arc<Model>, row: &Values) -> Result<Changed, DataError> {
        let rows = self.rows(model, &self.sql.insert(model, row), model.fields())?;
        let row = rows.kept.into_iter().next().unwrap_or_default();
        let id = id(model, &row);
        Ok(Changed::new(ChangeKind::Create, id, None, Some(row)))
    }

    fn update(
        &self,
        write: &Permitted<Write>,
        filter: &Filter,
        set: &Values,
    ) -> Result<Outcome, DataError> {
        let model = &write.model;
        let before = self.before(write, filter)?;
        let set: Vec<_> = set.iter().collect();
        let statement = self.sql.update(model, filter, &set, model.fields());
        let mut rows = self.rows(model, &statement, model.fields())?;
        if rows.count == 0 && write.key.is_some() {
            return Err(DataError::NotFound {
                model: model.name().to_owned(),
            });
        }
        if rows.is_too_many() {
            return Ok(Outcome::counted(rows.count));
        }
        sort(model, &mut rows.kept);
        // Both are the rows of the filter in the order of their keys.
        let mut before = before.into_iter();
        let changed = rows.kept.into_iter().map(|row| {
            let before = Some(before.next().unwrap_or_default());
            Changed::new(ChangeKind::Update, id(model, &row), before, Some(row))
        });
        Ok(Outcome::of(changed.collect()))
    }

    /// The values before of the fields that the write names, where it touches few enough rows to tell of them.
    fn before(&self, write: &Permitted<Write>, filter: &Filter) -> Result<Vec<Row>, DataError> {
        if write.before().is_empty() {
            return Ok(Vec::new());
        }
        let (model, columns) = (&write.model, write.before());
        let statement = self.sql.find(model, filter, columns, MOST as u64);
        Ok(self.rows(model, &statement, columns)?.kept)
    }

    fn delete(&self, write: &Permitted<Write>, filter: &Filter) -> Result<Outcome, DataError> {
        let (model, key) = (&write.model, write.model.key());
        let mut columns = write.before().to_vec();
        let keyed = columns.iter().any(|field| field.name == key.name);
        if !keyed {
            columns.push(Arc::clone(key));
        }
        let statement = self.sql.delete(model, filter, &columns);
        let mut rows = self.rows(model, &statement, &columns)?;
        if rows.is_too_many() {
            return Ok(Outcome::counted(rows.count));
        }
        sort(model, &mut rows.kept);
        let changed = rows.kept.into_iter().map(|mut row| {
            let id = id(model, &row);
            if !keyed {
                row.shift_remove(&key.name);
            }
            Changed::new(ChangeKind::Delete, id, Some(row), None)
        });
        Ok(Outcome::of(changed.collect()))
    }

    /// Nobody else writes between looking and changing, so no upsert can lose a race.
    fn upsert(
        &self,
        write: &Permitted<Write>,
        row: &Values,
        set: &[Arc<Field>],
        conflict: &[Arc<Field>],
    ) -> Result<Changed, DataError> {
        let model = &write.model;
        let same = conflict.iter().map(|field| {
            let value = row.value(&field.name).cloned().unwrap_or(Value::Null);
            Filter::test(field, Lookup::Exact(value))
        });
        let same = Filter::All(same.collect());
        let find = self.sql.find(model, &same, model.fields(), 1);
        let Some(old) = self.rows(model, &find, model.fields())?.kept.pop() else {
            return self.create(model, row);
        };
        if !write.row_rule().matches(&old) {
            return Err(DataError::HiddenConflict {
                model: model.name().to_owned(),
            });
        }
        let id = id(model, &old);
        let named = write.before().iter();
        let named = named.filter_map(|field| old.get_key_value(&field.name));
        let before = named.map(|(name, cell)| (name.clone(), cell.clone()));
        let before = Some(before.collect());
        let null = Value::Null;
        let set: Vec<(&Arc<Field>, &Value)> = set
            .iter()
            .map(|field| (field, row.value(&field.name).unwrap_or(&null)))
            .collect();
        let after = match set.is_empty() {
            true => old,
            false => {
                let by_key = Filter::test(model.key(), Lookup::Exact(id.clone()));
                let update = self.sql.update(model, &by_key, &set, model.fields());
                let rows = self.rows(model, &update, model.fields())?;
                rows.kept.into_iter().next().unwrap_or_default()
            }
        };
        Ok(Changed::new(ChangeKind::Update, id, before, Some(after)))
    }

    /// The rows that a statement gives; beyond a thousand, only their number.
    fn rows(
        &self,
        model: &Model,
        statement: &Statement,
        columns: &[Arc<Field>],
    ) -> Result<Counted, DataError> {
        let run = || -> rusqlite::Result<Counted> {
            let mut prepared = self.session.bind(statement)?;
            let mut rows = prepared.raw_query();
            let mut counted = Counted::default();
            while let Some(row) = rows.next()? {
                counted.count += 1;
                if counted.kept.len() < MOST {
                    counted.kept.push(whole(columns, row)?);
                }
            }
            Ok(counted)
        };
        run().map_err(|error| Error::from(error).into_data(Some(model), self.limit))
    }

    /// Runs a statement without values.
    pub(crate) fn word(&self, text: &str) -> Result<(), DataError> {
        let run = || -> rusqlite::Result<()> {
            let mut statement = self.session.connection().prepare_cached(text)?;
            statement.raw_execute().map(drop)
        };
        run().map_err(|error| self.failed(error))
    }

    pub(crate) fn failed(&self, error: rusqlite::Error) -> DataError {
        Error::from(error).into_data(None, self.limit)
    }
}

/// Rows that a statement gave, as many as an outcome can tell of.
#[derive(Debug, Default)]
struct Counted {
    count: u64,
    kept: Vec<Row>,
}

impl Counted {
    fn is_too_many(&self) -> bool {
        self.count > Outcome::MOST_ROWS as u64
    }
}

/// Rows that were added one by one, as many as an outcome can tell of.
#[derive(Default)]
struct Touched {
    count: u64,
    changed: Vec<Changed>,
}

impl Touched {
    fn push(&mut self, add: impl FnOnce() -> Result<Changed, DataError>) -> Result<(), DataError> {
        let changed = add()?;
        self.count += 1;
        if self.changed.len() < MOST {
            self.changed.push(changed);
        }
        Ok(())
    }

    fn outcome(self) -> Outcome {
        match self.changed.len() < MOST {
            true => Outcome::of(self.changed),
            false => Outcome::counted(self.count),
        }
    }
}

fn id(model: &Model, row: &Row) -> Value {
    let key = model.key();
    row.get(&key.name)
        .and_then(|cell| Value::from_json(key.kind, cell))
        .unwrap_or(Value::Null)
}

/// SQLite gives changed rows in whatever order it met them.
fn sort(model: &Model, rows: &mut [Row]) {
    let order = zcomm_core::data::Order::by_key(model);
    rows.sort_by(|one, two| order.compare(one, two));
}
