//! The table that both sides read. Measures nothing.

use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, params};

/// How many different ages there are; a filter on one of them finds a thousand rows of a hundred thousand.
pub(crate) const AGES: i64 = 100;

/// Adds rows as they would look after writes through the store.
pub(crate) fn fill(path: &Path, ids: RangeInclusive<i64>) -> Result<()> {
    let mut connection = Connection::open(path)?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction
            .prepare("INSERT INTO users (id, name, email, age, at) VALUES (?, ?, ?, ?, ?)")?;
        for id in ids {
            // Later rows are of other ages, so that the filtered read stays what it is.
            let age = if id <= crate::ROWS { id % AGES } else { -1 };
            let (name, email) = (format!("Name {id}"), format!("user{id}@example.com"));
            insert.execute(params![id, name, email, age, "2026-01-31T12:00:00.000Z"])?;
        }
    }
    Ok(transaction.commit()?)
}
