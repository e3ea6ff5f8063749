//! Tables that are not as their models say: what is missing in them, and what they compare in ways of their own.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Value, json};
use zcomm_core::Operation;
use zcomm_core::data::{DataError, Field, Kind, Model, Store};
use zcomm_services_sqlite::{Config, Error, SqliteStore};

use crate::support::{read, write};

/// A store on a table that somebody else made.
fn made(folder: &Path, by: &str) -> SqliteStore {
    let path = folder.join("data.db");
    Connection::open(&path).unwrap().execute_batch(by).unwrap();
    SqliteStore::open(&Config::file(&path)).unwrap()
}

fn model(fields: &[(&str, Kind)]) -> Arc<Model> {
    let key = Field::new("id", Kind::Int).primary_key();
    let model = Model::builder("things").field(key);
    let fields = fields.iter().map(|(name, kind)| Field::new(*name, *kind));
    fields
        .fold(model, |model, field| model.field(field))
        .build()
        .unwrap()
}

#[track_caller]
fn names_the_column(error: &DataError, column: &str) {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>());
    assert!(
        matches!(source, Some(Error::NoColumn { column: named }) if named == column),
        "{error:?}"
    );
    assert!(error.is_rolled_back());
}

#[tokio::test]
async fn a_column_that_the_table_lacks_is_an_error_and_touches_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let by = "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT); \
        INSERT INTO things VALUES (1, 'a'), (2, 'b')";
    let store = made(folder.path(), by);
    let model = model(&[("name", Kind::Text), ("status", Kind::Text)]);
    let command = |operation, arguments: Value| write(&model, operation, arguments);

    for command in [
        command(Operation::Delete, json!({"where": {"status__ne": "open"}})),
        command(
            Operation::Update,
            json!({"where": {"status": "status"}, "data": {"name": "c"}}),
        ),
        command(
            Operation::Create,
            json!({"data": {"id": 3, "status": "open"}}),
        ),
    ] {
        names_the_column(&store.write(&[command]).await.unwrap_err(), "status");
    }
    let found = store
        .read(&read(&model, json!({"where": {"status": "status"}})))
        .await;
    names_the_column(&found.unwrap_err(), "status");

    let rows = self::model(&[("name", Kind::Text)]);
    let rows = store.read(&read(&rows, json!({}))).await.unwrap();
    assert_eq!(
        &rows.json[..],
        br#"[{"id":1,"name":"a"},{"id":2,"name":"b"}]"#
    );
}
