//! What a file is: kept, shared with other processes, somebody else's, or no database at all.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use zcomm_core::data::{DataError, Kind, Store};
use zcomm_core::{Code, Operation};
use zcomm_services_sqlite::{Config, Error, SqliteStore};

use crate::support::{notes, read, write};

#[tokio::test]
async fn rows_are_there_after_the_store_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("data.db");
    let model = notes();
    let store = SqliteStore::open(&Config::file(&path)).unwrap();
    store.migrate(&model).await.unwrap();
    let add = write(&model, Operation::Create, json!({"data": {"text": "kept"}}));
    store.write(&[add]).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&Config::file(&path)).unwrap();

    let rows = store.read(&read(&model, json!({}))).await.unwrap();
    assert_eq!(&rows.json[..], br#"[{"id":1,"text":"kept"}]"#);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");

    let store = SqliteStore::open(&Config::file(&path)).unwrap();
    store.migrate(&notes()).await.unwrap();

    for name in ["data.db", "data.db-wal", "data.db-shm"] {
        let made = std::fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a".repeat(300));

    let refused = SqliteStore::open(&Config::file(path)).unwrap_err();

    assert_eq!(refused.code(), "cannot_create");
}

#[tokio::test]
async fn a_writer_elsewhere_delays_writes_until_their_deadline_and_reads_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let model = notes();
    let mut config = Config::file(&path);
    config.timeout = Duration::from_millis(200);
    let store = SqliteStore::open(&config).unwrap();
    store.migrate(&model).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO notes (text) VALUES ('theirs')")
        .unwrap();
    let add = || write(&model, Operation::Create, json!({"data": {"text": "ours"}}));

    let refused = store.write(&[add()]).await.unwrap_err();
    let rows = store.read(&read(&model, json!({}))).await.unwrap();

    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.is_rolled_back() && refused.is_retryable());
    assert_eq!(rows.count, 0);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(store.write(&[add()]).await.unwrap().outcomes[0].count, 1);
}

#[tokio::test]
async fn tables_of_somebody_else_are_models_where_they_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80) UNIQUE NOT NULL, born DATE, pay DOUBLE);
             CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b));
             CREATE TABLE \"odd name\" (id INTEGER PRIMARY KEY);
             INSERT INTO people VALUES (1, 'ada@example.com', '1815-12-10', 3);",
        )
        .unwrap();

    let store = SqliteStore::open(&Config::file(&path)).unwrap();

    let models = store.models().await.unwrap();
    let [people] = models.as_slice() else {
        panic!("{models:?}");
    };
    let kinds: Vec<Kind> = people.fields().iter().map(|field| field.kind).collect();
    assert_eq!(kinds, [Kind::Int, Kind::Text, Kind::Date, Kind::Float]);
    assert!(people.field("mail").unwrap().unique && people.field("mail").unwrap().required);
    let rows = store
        .read(&read(people, json!({"where": {"born__lt": "1900-01-01"}})))
        .await
        .unwrap();
    let expected = br#"[{"id":1,"mail":"ada@example.com","born":"1815-12-10","pay":3.0}]"#;
    assert_eq!(&rows.json[..], expected);
}

#[test]
fn what_is_no_database_of_utf_8_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (text, wide) = (folder.path().join("text.db"), folder.path().join("wide.db"));
    std::fs::write(
        &text,
        "this is no database, and it is long enough to be looked at",
    )
    .unwrap();
    let other = Connection::open(&wide).unwrap();
    other
        .execute_batch("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY)")
        .unwrap();

    let [text, wide] = [text, wide].map(|path| SqliteStore::open(&Config::file(path)).unwrap_err());

    assert!(matches!(text, Error::Open { .. }), "{text:?}");
    assert!(matches!(wide, Error::Encoding { encoding, .. } if encoding == "UTF-16le"));
}

#[tokio::test]
async fn a_model_without_a_table_is_unknown() {
    let store = SqliteStore::open(&Config::memory()).unwrap();

    let missing = store.read(&read(&notes(), json!({}))).await.unwrap_err();

    assert!(matches!(missing, DataError::UnknownModel { name } if name == "notes"));
}
