//! The same statements through rusqlite alone, on threads of their own, each with a connection.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection};
use serde::Serialize;

const COLUMNS: &str = "SELECT id, name, email, age, at FROM users";

/// A row as a program without a store would have it.
#[derive(Serialize)]
struct User {
    id: i64,
    name: String,
    email: String,
    age: i64,
    at: String,
}

/// Reads by key, each turned into JSON; how many a second.
pub(crate) fn keys(path: &Path, rows: i64, threads: usize, time: Duration) -> Result<f64> {
    let text = format!("{COLUMNS} WHERE id = ? ORDER BY id LIMIT ?");
    on_threads(path, threads, time, &text, |statement, turn| {
        let key = turn.wrapping_mul(7919) % rows + 1;
        read(statement, [key, 1001])
    })
}

/// Reads of a thousand rows by age, turned into JSON; how many a second.
pub(crate) fn thousand(path: &Path, threads: usize, time: Duration) -> Result<f64> {
    let text = format!("{COLUMNS} WHERE age = ? ORDER BY id LIMIT ?");
    on_threads(path, threads, time, &text, |statement, _| {
        read(statement, [7, 1001])
    })
}

fn read(statement: &mut CachedStatement<'_>, values: [i64; 2]) -> Result<usize> {
    let users = statement.query_map(values, |row| {
        Ok(User {
            id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            age: row.get(3)?,
            at: row.get(4)?,
        })
    })?;
    let users: Vec<User> = users.collect::<rusqlite::Result<_>>()?;
    Ok(serde_json::to_vec(&users)?.len())
}

fn on_threads(
    path: &Path,
    threads: usize,
    time: Duration,
    text: &str,
    read: impl Fn(&mut CachedStatement<'_>, i64) -> Result<usize> + Sync,
) -> Result<f64> {
    let work = || -> Result<i64> {
        let connection = Connection::open(path)?;
        let end = Instant::now() + time;
        let mut turn = 0;
        while Instant::now() < end {
            let mut statement = connection.prepare_cached(text)?;
            std::hint::black_box(read(&mut statement, turn)?);
            turn += 1;
        }
        Ok(turn)
    };
    let done = std::thread::scope(|scope| -> Result<i64> {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = threads
            .into_iter()
            .map(|thread| thread.join().expect("a reader does not panic"));
        done.sum()
    })?;
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
    Ok(done as f64 / time.as_secs_f64())
}
