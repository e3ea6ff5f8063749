//! Writes, pages and repetitions, as the memory store has them.

use super::*;
use crate::Code;

fn filled() -> Desk {
    let desk = Desk::open(things());
    desk.fill(&json!([
        {"name": "a", "code": "x", "age": 1},
        {"name": "b", "code": "y", "age": 1},
        {"name": "c", "age": 2}
    ]));
    desk
}

#[track_caller]
fn answers(operation: Operation, arguments: Json, expected: Json) {
    let answer = filled().write(operation, &arguments).unwrap();

    // Only what the test names: a whole row has a dozen fields.
    match (&answer, &expected) {
        (Json::Object(row), Json::Object(named)) => {
            for (name, value) in named {
                assert_eq!(&row[name], value, "{arguments}");
            }
        }
        _ => assert_eq!(answer, expected, "{arguments}"),
    }
}

#[test]
fn writes_answer_with_the_row_or_with_numbers() {
    use Operation::{Create, Delete, Update, Upsert};

    answers(
        Create,
        json!({"data": {"name": "d"}}),
        json!({"id": 4, "name": "d", "age": null}),
    );
    answers(
        Update,
        json!({"where": 1, "data": {"age": 5}}),
        json!({"id": 1, "name": "a", "age": 5}),
    );
    answers(
        Update,
        json!({"where": {"age": 1}, "data": {"age": 5}}),
        json!({"updated": 2}),
    );
    answers(
        Update,
        json!({"where": {"age": 2}, "data": {"age": 5}}),
        json!({"id": 3, "age": 5}),
    );
    answers(
        Update,
        json!({"where": {"age": 9}, "data": {"age": 5}}),
        json!({"updated": 0}),
    );
    answers(
        Update,
        json!({"all": true, "data": {"age": 5}}),
        json!({"updated": 3}),
    );
    answers(Delete, json!({"where": 2}), json!({"deleted": 1, "id": 2}));
    answers(Delete, json!({"where": 9}), json!({"deleted": 0, "id": 9}));
    answers(Delete, json!({"where": {"age": 1}}), json!({"deleted": 2}));
    answers(
        Upsert,
        json!({"data": {"name": "z", "code": "x"}}),
        json!({"id": 1, "name": "z", "age": 1}),
    );
    answers(
        Upsert,
        json!({"data": {"name": "z", "code": "q"}}),
        json!({"id": 4, "name": "z"}),
    );
    answers(
        Upsert,
        json!({"data": {"id": 2, "name": "z"}}),
        json!({"id": 2, "name": "z", "code": "y"}),
    );
}

#[test]
fn an_update_by_key_without_a_row_is_told_so() {
    let error = filled()
        .write(Operation::Update, &json!({"where": 9, "data": {"age": 1}}))
        .unwrap_err();

    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (Code::NotFound, "`things` has no such row")
    );
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let desk = filled();
    let before = desk.read(&json!({})).unwrap();

    for (operation, arguments, expected) in [
        (
            Operation::Create,
            json!({"data": [{"name": "d"}, {"name": "e"}]}),
            json!({"created": 2, "dry_run": true}),
        ),
        (
            Operation::Update,
            json!({"where": {"age": 1}, "data": {"age": 5}}),
            json!({"updated": 2, "dry_run": true}),
        ),
        (
            Operation::Delete,
            json!({"all": true}),
            json!({"deleted": 3, "dry_run": true}),
        ),
        (
            Operation::Upsert,
            json!({"data": {"name": "z", "code": "x"}}),
            json!({"upserted": 1, "dry_run": true}),
        ),
    ] {
        let mut arguments = arguments;
        arguments["dry_run"] = json!(true);
        assert_eq!(desk.write(operation, &arguments).unwrap(), expected);
    }
    assert_eq!(desk.read(&json!({})).unwrap(), before);
    desk.fill(&json!([{"name": "d"}]));
    assert_eq!(desk.ids(&json!({"name": "d"})), json!([4]));
}

#[test]
fn a_bulk_create_is_done_whole_or_not_at_all() {
    let desk = filled();
    let before = desk.read(&json!({})).unwrap();

    let twice = json!({"data": [{"name": "d", "code": "new"}, {"name": "e", "code": "x"}]});
    let error = desk.write(Operation::Create, &twice).unwrap_err();

    assert_eq!(error.code(), Code::Conflict);
    assert_eq!(
        error.to_string(),
        "another row of `things` has the same code"
    );
    assert_eq!(desk.read(&json!({})).unwrap(), before);
    // The index forgot the row that was undone.
    desk.fill(&json!([{"name": "d", "code": "new"}]));
}

#[test]
fn nulls_are_never_the_same() {
    let desk = filled();

    desk.fill(&json!([{"name": "d", "code": null}, {"name": "e"}]));

    assert_eq!(desk.ids(&json!({"code": null})), json!([3, 4, 5]));
}

#[test]
fn a_freed_value_can_be_used_again() {
    let desk = filled();

    desk.write(Operation::Delete, &json!({"where": 1})).unwrap();
    desk.write(
        Operation::Update,
        &json!({"where": 2, "data": {"code": "x"}}),
    )
    .unwrap();
    desk.fill(&json!([{"name": "d", "code": "y"}]));

    assert_eq!(desk.ids(&json!({"code__in": ["x", "y"]})), json!([2, 4]));
}

#[test]
fn numbers_are_not_given_twice() {
    let desk = filled();

    desk.fill(&json!([{"id": 10, "name": "d"}]));
    desk.write(Operation::Delete, &json!({"where": 10}))
        .unwrap();
    desk.fill(&json!([{"name": "e"}]));

    assert_eq!(desk.ids(&json!({"name": "e"})), json!([11]));
}

#[test]
fn required_fields_and_defaults_are_seen_to_before_any_store() {
    let model = Model::builder("notes")
        .field(
            Field::new("id", Kind::Uuid)
                .primary_key()
                .default(DefaultValue::Uuid),
        )
        .field(Field::new("text", Kind::Text).required())
        .field(
            Field::new("state", Kind::Text)
                .default(DefaultValue::Literal(Value::Text("new".into()))),
        )
        .field(Field::new("at", Kind::DateTime).default(DefaultValue::Now))
        .build()
        .unwrap();
    let desk = Desk::open(model);

    let row = desk
        .write(Operation::Create, &json!({"data": {"text": "a"}}))
        .unwrap();
    let error = desk
        .write(Operation::Create, &json!({"data": {"state": "a"}}))
        .unwrap_err();

    assert_eq!(row["state"], json!("new"));
    assert!(row["id"].as_str().unwrap().parse::<Uuid>().is_ok());
    assert!(row["at"].as_str().unwrap().parse::<Instant>().is_ok());
    assert_eq!(error.to_string(), "`data.text` must be given, not missing");
}

#[test]
fn a_page_says_whether_there_is_more() {
    let desk = Desk::guarded(things(), Access::unrestricted().max_rows(2));
    desk.fill(&json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]));
    let page = |arguments: Json| {
        let rows = desk.rows_as(&Identity::guest(), &arguments).unwrap();
        (rows.count, rows.has_more())
    };

    assert_eq!(page(json!({})), (2, true));
    assert_eq!(page(json!({"limit": 1_000_000})), (2, true));
    assert_eq!(page(json!({"limit": 0})), (0, false));
    assert_eq!(page(json!({"limit": 1, "offset": 2})), (1, false));
    assert_eq!(page(json!({"offset": 9})), (0, false));
}

#[test]
fn a_cursor_continues_its_own_query_of_its_own_caller_only() {
    let desk = filled();
    let ada = Identity::user("ada");
    let first = desk
        .rows_as(&ada, &json!({"limit": 1, "order_by": "-name"}))
        .unwrap();
    let next = first.next.unwrap();
    let with = |who: &Identity, arguments: Json| {
        let mut arguments = arguments;
        arguments["after"] = json!(next);
        desk.read_as(who, &arguments)
            .map(|rows| rows.as_array().unwrap().len())
    };

    assert_eq!(with(&ada, json!({"order_by": "-name"})).unwrap(), 2);
    assert_eq!(
        with(
            &ada,
            json!({"order_by": "-name", "limit": 1, "fields": ["name"]})
        )
        .unwrap(),
        1
    );
    for (who, arguments) in [
        (&Identity::user("eve"), json!({"order_by": "-name"})),
        (&ada, json!({"order_by": "name"})),
        (&ada, json!({"order_by": "-name", "where": {"age": 1}})),
    ] {
        assert_eq!(with(who, arguments).unwrap_err().code(), Code::BadValue);
    }
    for forged in ["", "AAAA", "not base64!", &next[1..], &format!("{next}A")] {
        let arguments = json!({"order_by": "-name", "after": forged});
        let error = desk.read_as(&ada, &arguments).unwrap_err();
        assert!(matches!(error, DataError::BadCursor), "{forged}");
    }
}

#[test]
fn a_repeated_create_is_answered_as_it_was() {
    let desk = filled();
    let create = |who: &Identity, key: &str, name: &str| {
        let arguments = json!({"data": {"name": name}, "idempotency_key": key});
        desk.write_as(who, Operation::Create, &arguments)
    };
    let (ada, eve) = (Identity::user("ada"), Identity::user("eve"));

    let first = create(&ada, "k", "new").unwrap();
    let again = create(&ada, "k", "new").unwrap();
    let other_key = create(&ada, "k2", "new").unwrap();
    let other_user = create(&eve, "k", "new").unwrap();
    let other_command = create(&ada, "k", "different").unwrap_err();

    assert_eq!(first, again);
    assert_eq!(
        (&other_key["id"], &other_user["id"]),
        (&json!(5), &json!(6))
    );
    assert!(
        matches!(other_command, DataError::KeyReused),
        "{other_command}"
    );
    assert_eq!(other_command.code(), Code::Conflict);
}

#[test]
fn guests_repeat_themselves_per_connection() {
    let desk = filled();
    let guest = Identity::guest();
    let [one, two] = [(); 2].map(|()| crate::ConnectionId::next());
    let create = |connection| {
        let arguments = json!({"data": {"name": "g"}, "idempotency_key": "k"});
        let write = write(&desk.model, Operation::Create, &arguments).unwrap();
        let who = Requester::new(&guest).over(connection);
        let permitted = desk.access.write(write, &who).unwrap();
        let written = now(desk.store.write(&[permitted])).unwrap();
        written.outcomes[0].replayed
    };

    assert_eq!(
        [create(one), create(one), create(two)],
        [false, true, false]
    );
}

/// Runs itself as two processes, in each of which the connection is the first one.
#[test]
fn guests_of_two_processes_have_no_key_in_common() {
    const INTO: &str = "ZCOMM_TEST_KEY_INTO";
    if let Some(file) = std::env::var_os(INTO) {
        return std::fs::write(file, key_of_first_guest()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();

    let keys = ["one", "two"].map(|name| {
        let file = folder.path().join(name);
        let test = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["guests_of_two_processes_have_no_key_in_common", "--quiet"])
            .env(INTO, &file)
            .output()
            .unwrap();
        assert!(test.status.success(), "{test:?}");
        std::fs::read(file).unwrap()
    });

    assert_eq!(keys[0].len(), 32);
    assert_ne!(keys[0], keys[1]);
}

fn key_of_first_guest() -> [u8; 32] {
    let (desk, guest) = (filled(), Identity::guest());
    let connection = crate::ConnectionId::next();
    assert_eq!(connection.as_u64(), 1);
    let arguments = json!({"data": {"name": "g"}, "idempotency_key": "k"});
    let write = write(&desk.model, Operation::Create, &arguments).unwrap();
    let who = Requester::new(&guest).over(connection);
    let permitted = desk.access.write(write, &who).unwrap();
    *permitted.idempotency().unwrap().key()
}

#[test]
fn a_write_names_the_values_before_that_it_was_asked_for() {
    let desk = filled();
    let update = json!({"where": 1, "data": {"age": 7, "name": "z"}});
    let update = write(&desk.model, Operation::Update, &update).unwrap();
    let guest = Identity::guest();
    let permitted = desk.access.write(update, &Requester::new(&guest)).unwrap();
    let age = Arc::clone(desk.model.field("age").unwrap());

    let written = now(desk.store.write(&[permitted.wanting_before([age])])).unwrap();

    let changed = &written.outcomes[0].changed[0];
    assert_eq!(
        Json::Object(changed.before.clone().unwrap()),
        json!({"age": 1})
    );
    assert_eq!(changed.after.as_ref().unwrap()["age"], json!(7));
    assert_eq!(changed.id, Value::Int(1));
}

#[test]
fn beyond_a_thousand_rows_only_the_number_is_told() {
    let desk = Desk::open(things());
    let rows: Vec<Json> = (0..1001).map(|_| json!({"name": "n"})).collect();

    let answer = desk
        .write(Operation::Create, &json!({"data": rows}))
        .unwrap();

    assert_eq!(answer, json!({"created": 1001}));
}

#[test]
fn migrating_adds_fields_and_keeps_rows() {
    let desk = filled();
    let wider = things()
        .fields()
        .iter()
        .fold(Model::builder("things"), |model, field| {
            model.field((**field).clone())
        });
    let wider = wider.field(
        Field::new("state", Kind::Text).default(DefaultValue::Literal(Value::Text("old".into()))),
    );
    let wider = wider.build().unwrap();

    let migration = now(desk.store.migrate(&wider)).unwrap();
    let rows = Query::parse(
        &wider,
        object(&json!({"fields": ["id", "state"], "limit": 1})),
    )
    .unwrap();
    let guest = Identity::guest();
    let rows = desk.access.query(rows, &Requester::new(&guest)).unwrap();

    assert_eq!(migration.steps, [Step::AddField("state".into())]);
    assert_eq!(
        &now(desk.store.read(&rows)).unwrap().json[..],
        br#"[{"id":1,"state":"old"}]"#
    );
    assert_eq!(
        now(desk.store.migrate(&wider)).unwrap(),
        Migration::default()
    );
}
