//! Texts in both dialects, and that no value is ever part of one.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::action::Operation;
use crate::data::access::{Access, Requester};
use crate::data::field::{DefaultValue, Field};
use crate::data::filter::Filter;
use crate::data::kind::Kind;
use crate::data::model::{Index, Model};
use crate::data::query::Query;
use crate::data::write::{Effect, Write};
use crate::identity::Identity;

fn things() -> Arc<Model> {
    let model = Model::builder("things")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("name", Kind::Text).required())
        .field(Field::new("code", Kind::Text).unique())
        .field(Field::new("price", Kind::Decimal))
        .field(Field::new("at", Kind::DateTime))
        .index(Index::new("by_name", ["name", "price"]));
    model.build().unwrap()
}

fn select(sql: &Sql, arguments: &Json) -> Statement {
    let query = Query::parse(&things(), arguments.as_object().unwrap()).unwrap();
    let guest = Identity::guest();
    let query = Access::unrestricted()
        .query(query, &Requester::new(&guest))
        .unwrap();
    sql.select(&query)
}

/// What stands behind `WHERE`, and before the page.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cases read better as literals"
)]
fn check(filter: Json, sqlite: &str, postgres: &str) {
    for (dialect, expected) in [(Dialect::Sqlite, sqlite), (Dialect::Postgres, postgres)] {
        let text = select(
            &Sql::new(dialect),
            &json!({"where": filter, "fields": ["id"]}),
        )
        .text;
        let condition = text.split_once(" WHERE ").map_or("", |(_, rest)| rest);
        let condition = condition.split(" ORDER BY ").next().unwrap_or_default();

        assert_eq!(condition, expected, "{dialect:?} {filter}");
    }
}

#[test]
fn lookups_mind_null_and_collation() {
    check(
        json!({"code": "a"}),
        "(\"code\" COLLATE BINARY) = ?",
        "\"code\" = $1",
    );
    check(
        json!({"at": "2026-01-01T00:00:00Z"}),
        "(\"at\" COLLATE BINARY) = ?",
        "\"at\" = CAST(CAST($1 AS text) AS timestamptz)",
    );
    check(json!({"id": 1}), "\"id\" = ?", "\"id\" = $1");
    check(
        json!({"code": null}),
        "\"code\" IS NULL",
        "\"code\" IS NULL",
    );
    check(
        json!({"code__ne": "a"}),
        "(\"code\" COLLATE BINARY) <> ? OR \"code\" IS NULL",
        "\"code\" <> $1 OR \"code\" IS NULL",
    );
    check(
        json!({"code__in": ["a", null]}),
        "(\"code\" COLLATE BINARY) IN (?) OR \"code\" IS NULL",
        "\"code\" IN ($1) OR \"code\" IS NULL",
    );
    check(json!({"id__in": []}), "FALSE", "FALSE");
    check(
        json!({"not": {"id__gt": 1}}),
        "NOT COALESCE(\"id\" > ?, FALSE)",
        "NOT COALESCE(\"id\" > $1, FALSE)",
    );
    check(
        json!({"code__lt": "a"}),
        "(\"code\" COLLATE BINARY) < ?",
        "(\"code\" COLLATE \"C\") < $1",
    );
    check(
        json!({"price__gte": "1.5"}),
        "(\"price\" COLLATE zcomm_decimal) >= ?",
        "\"price\" >= CAST(CAST($1 AS text) AS numeric)",
    );
}

#[test]
fn parts_of_texts_are_found_without_patterns() {
    check(
        json!({"code__icontains": "A%"}),
        "instr(zcomm_lower(\"code\"), ?) > (0)",
        "strpos(zcomm_lower(\"code\"), $1) > (0)",
    );
    check(
        json!({"code__startswith": "a"}),
        "substr(\"code\", 1, length(?)) = ?",
        "substr(\"code\", 1, length($1)) = $2",
    );
    check(
        json!({"code__endswith": ""}),
        "\"code\" IS NOT NULL",
        "\"code\" IS NOT NULL",
    );
}

#[test]
fn postgres_is_told_where_null_stands() {
    let order = json!({"order_by": ["-code", "price"], "fields": ["id"]});

    let sqlite = select(&Sql::new(Dialect::Sqlite), &order).text;
    let postgres = select(&Sql::new(Dialect::Postgres), &order).text;

    assert!(
        sqlite.contains("ORDER BY \"code\" COLLATE BINARY DESC, "),
        "{sqlite}"
    );
    assert!(
        postgres
            .contains("ORDER BY \"code\" COLLATE \"C\" DESC NULLS LAST, \"price\" ASC NULLS FIRST"),
        "{postgres}"
    );
}

#[test]
fn queries_that_differ_in_values_share_a_text() {
    let sql = Sql::new(Dialect::Sqlite);
    let of = |code: &str, more: usize| {
        let ids: Vec<usize> = (0..more).collect();
        select(&sql, &json!({"where": {"code": code, "id__in": ids}}))
    };

    let (one, two) = (of("a", 3), of("b", 4));

    assert!(Arc::ptr_eq(&one.text, &two.text));
    assert_eq!(one.values.len(), two.values.len());
    assert!(!Arc::ptr_eq(&one.text, &of("a", 5).text));
}

#[test]
fn no_value_is_part_of_a_text() {
    const MARK: &str = "x'); DROP TABLE things; --";
    let model = things();
    let guest = Identity::guest();
    let permitted = |operation, arguments: Json| {
        let write = Write::parse(&model, operation, arguments.as_object().unwrap()).unwrap();
        Access::unrestricted()
            .write(write, &Requester::new(&guest))
            .unwrap()
    };
    let upsert = permitted(
        Operation::Upsert,
        json!({"data": {"code": MARK, "name": MARK}}),
    );
    let Effect::Upsert { row, set, conflict } = &upsert.effect else {
        panic!("an upsert was asked for");
    };
    let named: Vec<_> = row
        .iter()
        .filter(|(field, _)| field.name == "name")
        .collect();
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let sql = Sql::new(dialect);
        let filter =
            json!({"or": [{"code": MARK}, {"name__in": [MARK, "y"]}, {"code__iendswith": MARK}]});
        let read = json!({"where": filter, "limit": 987_654, "offset": 123_456_789});
        let rule = permitted(Operation::Delete, json!({"where": filter}));
        let rule: &Filter = rule.filter().unwrap();
        let statements = [
            select(&sql, &read),
            sql.insert(&model, row),
            sql.update(&model, rule, &named, model.fields()),
            sql.delete(&model, rule, model.fields()),
            sql.upsert(
                &model,
                &Upsert {
                    row,
                    set,
                    conflict,
                    rule,
                },
            ),
        ];
        for Statement { text, values } in statements {
            for part in [MARK, "DROP", "987654", "123456789", "'"] {
                assert!(!text.contains(part), "{text}");
            }
            let marks = values.iter().filter(
                |value| matches!(value, Value::Text(text) if text.contains("drop") || text == MARK),
            );
            assert!(marks.count() > 0, "{text}");
        }
    }
}

#[test]
fn an_upsert_changes_only_rows_of_the_rule() {
    let model = things();
    let guest = Identity::guest();
    let arguments = json!({"data": {"code": "a", "name": "b"}});
    let write = Write::upsert(&model, arguments.as_object().unwrap()).unwrap();
    let write = Access::unrestricted()
        .write(write, &Requester::new(&guest))
        .unwrap();
    let Effect::Upsert { row, set, conflict } = &write.effect else {
        panic!("an upsert was asked for");
    };
    let rule = Filter::test(
        model.field("name").unwrap(),
        crate::data::Lookup::Exact(Value::Text("ada".into())),
    );

    let statement = Sql::new(Dialect::Postgres).upsert(
        &model,
        &Upsert {
            row,
            set,
            conflict,
            rule: &rule,
        },
    );

    let clause = "ON CONFLICT (\"code\") DO UPDATE SET \"name\" = \"excluded\".\"name\" WHERE \"name\" = $5 RETURNING ";
    assert!(statement.text.contains(clause), "{}", statement.text);
    assert_eq!(statement.values.last(), Some(&Value::Text("ada".into())));
}

#[test]
fn tables_are_made_with_all_that_keeps_rows_apart() {
    let model = things();

    let sqlite = create(Dialect::Sqlite, &model);
    let postgres = create(Dialect::Postgres, &model);

    assert_eq!(
        sqlite,
        [
            "CREATE TABLE \"things\" ( \"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \"name\" TEXT NOT NULL, \
             \"code\" TEXT, \"price\" DECIMAL_TEXT, \"at\" DATETIME_TEXT )",
            "CREATE UNIQUE INDEX \"things_code_key\" ON \"things\" (\"code\")",
            "CREATE INDEX \"things_by_name_idx\" ON \"things\" (\"name\", \"price\")",
        ]
    );
    assert!(
        postgres[0].starts_with(
            "CREATE TABLE \"things\" ( \"id\" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, \
             \"name\" text COLLATE \"C\" NOT NULL"
        ),
        "{}",
        postgres[0]
    );
}

#[test]
fn a_column_is_added_without_its_default_which_is_a_value() {
    let field = Field::new("note", Kind::Text)
        .required()
        .default(DefaultValue::Literal(Value::Text("it's".into())));

    let text = Dialect::Sqlite.add_column(&things(), &field);

    assert_eq!(text, "ALTER TABLE \"things\" ADD COLUMN \"note\" TEXT");
}

#[test]
fn every_type_comes_back_from_its_declaration() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for kind in Kind::ALL {
            assert_eq!(dialect.kind(dialect.column_type(kind)), kind, "{dialect:?}");
        }
    }
    for (declared, kind) in [
        ("VARCHAR(255)", Kind::Text),
        ("int8", Kind::Int),
        ("DOUBLE PRECISION", Kind::Float),
        ("timestamp without time zone", Kind::DateTime),
        ("", Kind::Text),
        ("STRING", Kind::Decimal),
        ("MONEY", Kind::Decimal),
        ("INTERVAL", Kind::Int),
        ("POINT", Kind::Int),
        ("NATIVE CHARACTER(70)", Kind::Text),
        ("CLOB", Kind::Text),
    ] {
        assert_eq!(Dialect::Sqlite.kind(declared), kind, "{declared}");
    }
    assert_eq!(Dialect::Postgres.kind("interval"), Kind::Text);
}

#[test]
fn names_of_indexes_fit_and_can_be_read_again() {
    let long = "a".repeat(60);
    let model = Model::builder(&long)
        .field(Field::new("id", Kind::Int).primary_key())
        .field(Field::new("b".repeat(60), Kind::Text).unique())
        .build()
        .unwrap();

    let name = unique_name(&model, &model.fields()[1]);

    assert_eq!(name.len(), 63);
    let things = things();
    let index = index_name(&things, &things.indexes()[0]);
    assert_eq!(
        NameOf::read("things", &index),
        NameOf::Index("by_name".to_owned())
    );
    assert_eq!(NameOf::read("things", "things_code_key"), NameOf::Unique);
    assert_eq!(
        NameOf::read("things", "their_own"),
        NameOf::Index("their_own".to_owned())
    );
}
