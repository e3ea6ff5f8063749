//! The answer to a read, written row by row as the bytes that go out. Never holds more than a page.

use std::sync::Arc;

use rusqlite::Row as Stored;
use zcomm_core::data::sql::{Sql, Statement};
use zcomm_core::data::{BigInts, Field, Permitted, Query, Row, Rows};

use crate::cell;
use crate::session::Session;

/// A read as a thread carries it out, without what only the caller knows.
#[derive(Debug)]
pub(crate) struct Reading {
    statement: Statement,
    columns: Vec<Arc<Field>>,
    shown: usize,
    limit: usize,
    big_ints: bool,
    /// Whether each row shows other columns, so that bytes cannot be written at once.
    by_row: bool,
}

/// What a thread found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    json: Vec<u8>,
    rows: Vec<Row>,
    count: usize,
    last: Option<Row>,
    more: bool,
}

impl Reading {
    pub(crate) fn of(sql: &Sql, query: &Permitted<Query>) -> Self {
        Self {
            statement: sql.select(query),
            columns: sql.columns(query),
            shown: query.columns().len(),
            limit: usize::try_from(query.limit()).unwrap_or(usize::MAX),
            big_ints: query.big_ints == BigInts::String,
            by_row: !query.is_uniform(),
        }
    }

    /// Reads the page; the row behind it only tells that there is one.
    pub(crate) fn carry_out(&self, session: &Session) -> rusqlite::Result<Found> {
        let mut statement = session.bind(&self.statement)?;
        let mut rows = statement.raw_query();
        let mut found = Found::default();
        found.json.push(b'[');
        while let Some(row) = rows.next()? {
            if found.count == self.limit {
                found.more = true;
                break;
            }
            found.count += 1;
            if self.by_row {
                found.rows.push(whole(&self.columns, row)?);
                continue;
            }
            if found.count == self.limit {
                found.last = Some(whole(&self.columns, row)?);
            }
            self.write(&mut found.json, row)?;
        }
        found.json.push(b']');
        Ok(found)
    }

    fn write(&self, out: &mut Vec<u8>, row: &Stored<'_>) -> rusqlite::Result<()> {
        out.extend_from_slice(if out.len() == 1 { b"{" } else { b",{" });
        for (place, field) in self.columns[..self.shown].iter().enumerate() {
            out.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\":");
            cell::write(out, field.kind, row.get_ref(place)?, self.big_ints);
        }
        out.push(b'}');
        Ok(())
    }
}

impl Found {
    /// The answer, once the caller's rights have been applied to each row that needs it.
    pub(crate) fn answer(self, query: &Permitted<Query>) -> Rows {
        let last = self.last.as_ref().or(self.rows.last());
        let next = last.filter(|_| self.more);
        let next = next.map(|last| query.cursor_after(last));
        if self.rows.is_empty() {
            return Rows::new(self.json, self.count, next);
        }
        let rows: Vec<Row> = self.rows.iter().map(|row| query.project(row)).collect();
        Rows::of(&rows, next)
    }
}

/// A row with all of these columns.
pub(crate) fn whole(columns: &[Arc<Field>], row: &Stored<'_>) -> rusqlite::Result<Row> {
    let cells = columns.iter().enumerate().map(|(place, field)| {
        let cell = cell::read(field.kind, row.get_ref(place)?);
        Ok((field.name.clone(), cell))
    });
    cells.collect()
}
