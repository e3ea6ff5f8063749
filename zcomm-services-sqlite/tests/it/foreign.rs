//! Tables that are not as their models say: what is missing in them, and what they compare in ways of their own.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Value, json};
use zcomm_core::Operation;
use zcomm_core::data::sql::{Dialect, Sql};
use zcomm_core::data::{DataError, Field, Index, Kind, Model, ModelBuilder, Store};
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
    fields.fold(model, ModelBuilder::field).build().unwrap()
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

/// The ids of the rows of a filter, in the order of the arguments.
async fn ids(store: &SqliteStore, model: &Arc<Model>, mut arguments: Value) -> Vec<i64> {
    arguments["fields"] = json!(["id"]);
    let rows = store.read(&read(model, arguments)).await.unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&rows.json).unwrap();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_column_that_ignores_case_is_compared_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let by = "CREATE TABLE things (id INTEGER PRIMARY KEY, \
            owner TEXT COLLATE NOCASE, tag VARCHAR(9) COLLATE RTRIM); \
        INSERT INTO things VALUES (1, 'ada', 'x'), (2, 'ADA', 'x '), (3, 'Bo', NULL)";
    let store = made(folder.path(), by);
    let model = model(&[("owner", Kind::Text), ("tag", Kind::Text)]);

    for (filter, expected) in [
        (json!({"owner": "ada"}), vec![1]),
        (json!({"owner__exact": "ADA"}), vec![2]),
        (json!({"owner__in": ["ada", "bo"]}), vec![1]),
        (json!({"owner__nin": ["ada", "bo"]}), vec![2, 3]),
        (json!({"owner__ne": "ada"}), vec![2, 3]),
        (json!({"owner__gte": "a"}), vec![1]),
        (json!({"owner__range": ["A", "Z"]}), vec![2, 3]),
        (json!({"owner__iexact": "aDa"}), vec![1, 2]),
        (json!({"owner__startswith": "a"}), vec![1]),
        (json!({"owner__endswith": "A"}), vec![2]),
        (json!({"tag": "x"}), vec![1]),
    ] {
        let found = ids(&store, &model, json!({"where": filter, "order_by": "id"})).await;
        assert_eq!(found, expected, "{filter}");
    }
    let ordered = ids(&store, &model, json!({"order_by": "owner"})).await;
    assert_eq!(ordered, [2, 3, 1]);
}

#[tokio::test]
async fn a_column_that_keeps_numbers_is_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let by = "CREATE TABLE things (id INTEGER PRIMARY KEY, code STRING, name CLOB, plain); \
        INSERT INTO things VALUES (1, '007', '007', '007')";
    let store = made(folder.path(), by);

    let models = store.models().await.unwrap();

    let kinds: Vec<Kind> = models[0].fields().iter().map(|field| field.kind).collect();
    assert_eq!(kinds, [Kind::Int, Kind::Decimal, Kind::Text, Kind::Text]);
    for filter in [
        json!({"code": "7"}),
        json!({"name": "007"}),
        json!({"plain": "007"}),
    ] {
        assert_eq!(
            ids(&store, &models[0], json!({"where": filter})).await,
            [1],
            "{filter}"
        );
    }
}

/// How SQLite goes about a read of the model.
fn plan(connection: &Connection, model: &Arc<Model>, arguments: Value) -> String {
    let select = Sql::new(Dialect::Sqlite).select(&read(model, arguments));
    let explain = format!("EXPLAIN QUERY PLAN {}", select.text);
    let mut explain = connection.prepare(&explain).unwrap();
    let steps = explain.raw_query().mapped(|row| row.get::<_, String>(3));
    let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
    steps.join("; ")
}

#[tokio::test]
async fn indexes_of_ours_serve_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let model = Model::builder("things")
        .field(Field::new("id", Kind::Uuid).primary_key())
        .field(Field::new("code", Kind::Text).unique())
        .field(Field::new("name", Kind::Text))
        .field(Field::new("at", Kind::DateTime))
        .index(Index::new("by_name", ["name", "at"]))
        .build()
        .unwrap();
    let store = SqliteStore::open(&Config::file(&path)).unwrap();
    store.migrate(&model).await.unwrap();
    let connection = Connection::open(&path).unwrap();

    for (arguments, expected) in [
        (
            json!({"where": "0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f"}),
            "SEARCH things USING INDEX sqlite_autoindex_things_1 (id=?)",
        ),
        (
            json!({"where": {"code": "a"}}),
            "SEARCH things USING INDEX things_code_key (code=?)",
        ),
        (
            json!({"where": {"code__in": ["a", "b"]}, "order_by": "code"}),
            "SEARCH things USING INDEX things_code_key (code=?)",
        ),
        (
            json!({"where": {"code__gt": "a"}, "order_by": "code"}),
            "SEARCH things USING INDEX things_code_key (code>?)",
        ),
        (
            json!({"where": {"name": "a"}, "order_by": ["at"]}),
            "SEARCH things USING INDEX things_by_name_idx (name=?)",
        ),
        (
            json!({"where": {"name": "a", "at__gte": "2026-01-01T00:00:00Z"}, "order_by": "at"}),
            "SEARCH things USING INDEX things_by_name_idx (name=? AND at>?)",
        ),
        (
            json!({"order_by": ["-code"]}),
            "SCAN things USING INDEX things_code_key",
        ),
    ] {
        let plan = plan(&connection, &model, arguments.clone());
        assert!(plan.starts_with(expected), "{arguments}: {plan}");
        // The index has them in order, but for the key that decides between equals.
        assert!(!plan.contains("B-TREE FOR ORDER BY"), "{arguments}: {plan}");
    }
}
