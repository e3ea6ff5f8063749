//! What was answered under idempotency keys, for ten minutes, in the transaction of the write itself.

use std::time::{Duration, SystemTime};

use rusqlite::params;
use rusqlite::{OptionalExtension, Result};
use serde_json::Value as Json;
use zcomm_core::data::{DataError, IdempotencyKey, Model, Outcome};

use crate::transaction::Transaction;

const KEPT_FOR: Duration = Duration::from_secs(600);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS zcomm_answers (\
    key BLOB PRIMARY KEY, command BLOB NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL) WITHOUT ROWID";
const INDEX: &str = "CREATE INDEX IF NOT EXISTS zcomm_answers_at ON zcomm_answers (at)";
const FORGET: &str = "DELETE FROM zcomm_answers WHERE at <= ?";
const FIND: &str = "SELECT command, outcome FROM zcomm_answers WHERE key = ?";
const KEEP: &str = "INSERT INTO zcomm_answers (key, command, at, outcome) VALUES (?, ?, ?, ?)";

/// What the same command was answered under the same key.
pub(crate) fn earlier(
    transaction: &Transaction<'_>,
    model: &Model,
    key: &IdempotencyKey,
) -> Result<Option<Outcome>, DataError> {
    let found = find(transaction, key).map_err(|error| transaction.failed(error))?;
    let Some((command, outcome)) = found else {
        return Ok(None);
    };
    if command != key.command() {
        return Err(DataError::KeyReused);
    }
    let json: Option<Json> = serde_json::from_str(&outcome).ok();
    let outcome = json.and_then(|json| Outcome::from_json(model, &json));
    match outcome {
        Some(outcome) => Ok(Some(outcome)),
        None => Err(DataError::Store {
            store: "sqlite",
            rolled_back: true,
            source: "an answer that was kept cannot be read".into(),
        }),
    }
}

fn find(transaction: &Transaction<'_>, key: &IdempotencyKey) -> Result<Option<(Vec<u8>, String)>> {
    let connection = transaction.session.connection();
    for text in [TABLE, INDEX] {
        connection.prepare_cached(text)?.execute([])?;
    }
    let oldest = now().saturating_sub(millis(KEPT_FOR));
    connection.prepare_cached(FORGET)?.execute([oldest])?;
    let mut find = connection.prepare_cached(FIND)?;
    let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    find.query_row([key.key()], pair).optional()
}

/// Keeps what a write was answered.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    key: &IdempotencyKey,
    outcome: &Outcome,
) -> Result<(), DataError> {
    let run = || -> Result<usize> {
        let mut keep = transaction.session.connection().prepare_cached(KEEP)?;
        let outcome = outcome.to_json().to_string();
        keep.execute(params![key.key(), key.command(), now(), outcome])
    };
    run().map(drop).map_err(|error| transaction.failed(error))
}

/// Milliseconds since 1970: other processes share the file, so a clock of our own would not do.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    millis(since.unwrap_or_default())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
