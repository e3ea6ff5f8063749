//! `zcomm data` as people and scripts use it: rows, models, migration, and what is wrong.

use serde_json::json;

use crate::run::Project;

const USERS: &str = "\
users:
  id: {type: int, pk: true, auto_increment: true}
  name: {type: str, required: true}
  email: {type: str, unique: true}
";

fn project(schema: &str) -> Project {
    let project = Project::new();
    std::fs::create_dir(project.folder().join("schemas")).unwrap();
    project.write("schemas/zSchema.users.yaml", schema);
    project
}

#[test]
fn rows_are_written_and_read_again_by_the_next_run() {
    let project = project(USERS);

    let added = project.run(&[
        "data",
        "create",
        "users",
        r#"{"name": "Ada", "email": "a@x"}"#,
    ]);
    let more = project.run(&[
        "data",
        "create",
        "users",
        r#"[{"name": "Bob"}, {"name": "Cleo"}]"#,
    ]);
    let changed = project.run(&[
        "data",
        "update",
        "users",
        r#"{"where": 2, "data": {"name": "B"}}"#,
    ]);
    let upserted = project.run(&[
        "data",
        "upsert",
        "users",
        r#"{"email": "a@x", "name": "Grace"}"#,
    ]);
    let deleted = project.run(&["data", "delete", "users", "3"]);
    let read = project.run(&["data", "read", "users", r#"{"order_by": "-id"}"#]);

    assert_eq!(
        added.json(),
        json!({"id": 1, "name": "Ada", "email": "a@x"})
    );
    assert_eq!(more.json()[1]["id"], 3);
    assert_eq!(changed.json()["name"], "B");
    assert_eq!(upserted.json()["id"], 1);
    assert_eq!(deleted.json(), json!({"deleted": 1, "id": 3}));
    assert_eq!(
        read.json(),
        json!([
            {"id": 2, "name": "B", "email": null},
            {"id": 1, "name": "Grace", "email": "a@x"}
        ])
    );
    assert!(project.folder().join(".zcomm/data.db").exists());
}

#[test]
fn the_store_is_the_one_that_is_named() {
    let project = project(USERS);
    let store = ["--store", "sqlite://./other.db"];

    let added = project.run(
        &[
            &["data", "create", "users", r#"{"name": "Ada"}"#],
            &store[..],
        ]
        .concat(),
    );
    let there = project.run(&[&["data", "read", "users"], &store[..]].concat());
    let here = project.run(&["data", "read", "users"]);

    assert_eq!(added.status, 0, "{added:?}");
    assert_eq!(there.json()[0]["name"], "Ada");
    assert_eq!(here.json(), json!([]));
    assert!(project.folder().join("other.db").exists());
}

#[test]
fn a_migration_is_told_done_and_then_no_longer_needed() {
    let project = project(USERS);
    assert_eq!(
        project.run(&["data", "migrate"]).out,
        "users: add model users\n"
    );
    project.write(
        "schemas/zSchema.users.yaml",
        &format!("{USERS}  age: {{type: int}}\n"),
    );

    let check = project.run(&["data", "schema", "--check"]);
    let told = project.run(&["data", "migrate", "--dry-run"]);
    let done = project.run(&["data", "migrate"]);
    let again = project.run(&["data", "schema", "--check"]);

    assert_eq!(check.status, 1);
    assert_eq!(
        check.json(),
        json!({"same": false, "differences": ["users: add field age"]})
    );
    assert_eq!(
        (told.out.as_str(), told.out == done.out),
        ("users: add field age\n", true)
    );
    assert_eq!(again.json(), json!({"same": true, "differences": []}));
}

#[test]
fn a_schema_of_the_store_is_one_that_can_be_read() {
    let project = project(USERS);
    project.run(&["data", "migrate"]);

    let schema = project.run(&["data", "schema", "--from-db"]);

    assert_eq!(schema.out, USERS);
}

#[test]
fn without_schema_files_the_models_are_those_of_the_store() {
    let with = project(USERS);
    let url = format!("sqlite://{}", with.folder().join("data.db").display());
    with.run(&[
        "data",
        "create",
        "users",
        r#"{"name": "Ada"}"#,
        "--store",
        &url,
    ]);

    let read = Project::new().run(&["data", "read", "Users", "--store", &url]);

    assert_eq!(read.json()[0]["name"], "Ada");
}

#[test]
fn what_is_wrong_is_said_by_name() {
    let project = project(USERS);

    let field = project.run(&["data", "read", "users", r#"{"where": {"nmae": 1}}"#]);
    let scheme = project.run(&["data", "read", "users", "--store", "mysql://x"]);
    project.run(&[
        "data",
        "create",
        "users",
        r#"{"name": "Ada", "email": "a@x"}"#,
    ]);
    let twice = project.run(&[
        "data",
        "create",
        "users",
        r#"{"name": "Bob", "email": "a@x"}"#,
    ]);

    assert!(
        field
            .err
            .contains("`users` has no field `nmae` (in `where.nmae`)"),
        "{field:?}"
    );
    assert_eq!(field.status, 2);
    assert!(
        scheme
            .err
            .contains("no store is called `mysql`; this program has: sqlite"),
        "{scheme:?}"
    );
    assert_eq!(scheme.status, 3);
    assert!(
        twice
            .err
            .contains("another row of `users` has the same email"),
        "{twice:?}"
    );
    assert_eq!(twice.status, 4);
}
