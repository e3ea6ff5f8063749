//! What ends a command: its deadline, a full queue, and a caller that has gone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use zcomm_core::data::{DataError, Model, Store};
use zcomm_core::{Code, Operation};
use zcomm_services_sqlite::{Config, SqliteStore};

use crate::support::{notes, read, write};

/// A store in a file, with so many rows that comparing their texts takes a while.
async fn slow(folder: &Path, timeout: Duration, queue: usize) -> (SqliteStore, Arc<Model>) {
    let (model, path) = (notes(), folder.join("data.db"));
    let filling = SqliteStore::open(&Config::file(&path)).unwrap();
    filling.migrate(&model).await.unwrap();
    let text = "Ä".repeat(5_000);
    let rows: Vec<_> = (0..400).map(|_| json!({"text": text})).collect();
    let add = write(&model, Operation::Create, json!({"data": rows}));
    filling.write(&[add]).await.unwrap();
    drop(filling);
    let mut config = Config::file(&path);
    (config.timeout, config.queue, config.readers) = (timeout, queue, 1);
    (SqliteStore::open(&config).unwrap(), model)
}

/// A filter that looks at each text again and again, and finds nothing.
fn endless() -> serde_json::Value {
    let parts: Vec<_> = (0..48)
        .map(|part| json!({"text__icontains": format!("b{part}")}))
        .collect();
    json!({"or": parts})
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (store, model) = slow(folder.path(), Duration::from_secs(1), 1024).await;

    let late = store
        .read(&read(&model, json!({"where": endless()})))
        .await
        .unwrap_err();

    assert_eq!(late.code(), Code::Timeout);
    let rows = store
        .read(&read(&model, json!({"where": 1, "fields": ["id"]})))
        .await
        .unwrap();
    assert_eq!(&rows.json[..], br#"[{"id":1}]"#);
}

#[tokio::test]
async fn a_full_queue_is_an_error_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (store, model) = slow(folder.path(), Duration::from_secs(5), 1).await;
    let query = read(&model, json!({"where": endless()}));

    // One is worked on or waits, one more may wait, and the rest is refused at once.
    let all = [
        store.read(&query),
        store.read(&query),
        store.read(&query),
        store.read(&query),
    ];
    let mut all: Vec<_> = all.into_iter().collect();
    let refused = std::future::poll_fn(|context| {
        let refused = all
            .iter_mut()
            .find_map(|read| match read.as_mut().poll(context) {
                std::task::Poll::Ready(Err(error)) => Some(error),
                _ => None,
            });
        std::task::Poll::Ready(refused)
    })
    .await;

    let refused = refused.unwrap();
    assert!(
        matches!(
            &refused,
            DataError::Unavailable {
                rolled_back: true,
                ..
            }
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, model) = slow(folder.path(), Duration::from_secs(5), 1024).await;
    let change = json!({"data": {"text": "changed"}, "where": {"not": endless()}});
    let slow = write(&model, Operation::Update, change);

    let writes = [slow];
    let mut writing = store.write(&writes);
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(writing.as_mut().poll(context).is_pending())
    });
    assert!(polled.await);
    drop(writing);

    let changed = read(
        &model,
        json!({"where": {"text": "changed"}, "fields": ["id"]}),
    );
    assert_eq!(store.read(&changed).await.unwrap().count, 0);
}
