//! Reads through the store, as an application makes them: from tasks, with a query that the access rules let through.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use zcomm_core::Identity;
use zcomm_core::data::{Access, Field, Index, Kind, Model, Permitted, Query, Requester, Store};
use zcomm_services_sqlite::{Config, SqliteStore};

/// How many different keys are asked for.
const KEYS: i64 = 4096;

pub(crate) fn open(path: &Path, readers: usize) -> Result<Arc<SqliteStore>> {
    let mut config = Config::file(path);
    config.readers = readers;
    Ok(Arc::new(SqliteStore::open(&config)?))
}

pub(crate) async fn migrate(store: &SqliteStore) -> Result<()> {
    store.migrate(&model()?).await?;
    Ok(())
}

fn model() -> Result<Arc<Model>> {
    let model = Model::builder("users")
        .field(Field::new("id", Kind::Int).primary_key())
        .field(Field::new("name", Kind::Text).required())
        .field(Field::new("email", Kind::Text))
        .field(Field::new("age", Kind::Int))
        .field(Field::new("at", Kind::DateTime))
        .index(Index::new("age", ["age"]));
    Ok(model.build()?)
}

pub(crate) fn query(arguments: &Value) -> Result<Arc<Permitted<Query>>> {
    let arguments = arguments
        .as_object()
        .expect("arguments are written as an object");
    let query = Query::parse(&model()?, arguments)?;
    let guest = Identity::guest();
    Ok(Arc::new(
        Access::unrestricted().query(query, &Requester::new(&guest))?,
    ))
}

/// Reads by key, all over the table.
pub(crate) fn keys(rows: i64) -> Result<Vec<Arc<Permitted<Query>>>> {
    let keys = (0..KEYS).map(|turn| turn.wrapping_mul(7919) % rows + 1);
    keys.map(|key| query(&json!({"where": key}))).collect()
}

/// The read of a thousand rows.
pub(crate) fn thousand() -> Result<Arc<Permitted<Query>>> {
    query(&json!({"where": {"age": 7}}))
}

/// Has some tasks read, each of them these queries in turn; how many a second.
pub(crate) async fn run(
    store: &Arc<SqliteStore>,
    queries: &[Arc<Permitted<Query>>],
    tasks: usize,
    time: Duration,
) -> Result<f64> {
    let (end, next) = (Instant::now() + time, Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (store, next) = (Arc::clone(store), Arc::clone(&next));
            let queries = queries.to_vec();
            tokio::spawn(async move {
                let mut done = 0_u32;
                while Instant::now() < end {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let rows = store.read(&queries[turn % queries.len()]).await?;
                    std::hint::black_box(rows.json.len());
                    done += 1;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    Ok(f64::from(done) / time.as_secs_f64())
}
