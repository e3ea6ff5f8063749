//! Whatever a message says, it becomes one command or one refusal.

use proptest::prelude::*;
use serde_json::json;
use zcomm_core::data::{ARGUMENTS, Field, Kind, Model, Schema};

use super::super::*;
use crate::bifrost::strict;

fn app() -> App {
    let notes = Model::builder("notes")
        .field(Field::new("id", Kind::Int).primary_key())
        .field(Field::new("text", Kind::Text));
    App::open(Schema::of([notes.build().unwrap()]).unwrap())
}

/// Names that mean something, and some that don't.
fn name() -> impl Strategy<Value = String> {
    let known = [
        "zKey",
        "zHorizontal",
        "cmd",
        "action",
        "event",
        "model",
        "cache_ttl",
        "no_cache",
    ];
    let known: Vec<String> = known.into_iter().chain(ARGUMENTS).map(Into::into).collect();
    prop_oneof![8 => prop::sample::select(known), 1 => "[a-z_]{1,8}"]
}

fn text() -> impl Strategy<Value = String> {
    let known = [
        "^List notes",
        "^Get.notes",
        "^Delete notes",
        "create_notes",
        "read_",
        "read",
        "delete",
        "notes",
        "NOTES",
        "@.zSchema.notes",
        "zFunc",
        "zFunc(f, {a: 1})",
        "zLink(/a)",
        "zOpen(",
        "^",
        "^Dance",
        "id",
        "-id",
        "string",
    ];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(Into::into), 1 => ".{0,12}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let key = prop_oneof![
            name(),
            prop::sample::select(vec!["id".to_owned(), "text__in".into(), "or".into()])
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn message() -> impl Strategy<Value = Map<String, Value>> {
    let members = prop::collection::btree_map(name(), value(), 0..5);
    members.prop_map(|members| members.into_iter().collect())
}

/// A message that means something by itself, with something more.
fn meant() -> impl Strategy<Value = Map<String, Value>> {
    let whole = prop::sample::select(vec![
        json!({"zKey": "^List notes", "where": {"id__gt": 3}}),
        json!({"zKey": "create_notes", "data": {"id": 1}}),
        json!({"action": "update", "model": "Notes", "where": 1, "data": {"text": "x"}}),
        json!({"zKey": "delete_notes", "zHorizontal": {"where": {"id": 1}}}),
    ]);
    whole.prop_map(|whole| whole.as_object().unwrap().clone())
}

proptest! {
    #[test]
    fn a_message_is_one_command_or_one_refusal(members in message()) {
        let app = app();
        let once = command(&app, &members, None).map_err(|error| error.to_string());
        let again = command(&app, &members, None).map_err(|error| error.to_string());

        prop_assert_eq!(&once, &again);
        match once {
            Ok(Command::Read { query, .. }) => prop_assert_eq!(query.model.name(), "notes"),
            Ok(Command::Write(write)) => prop_assert_eq!(write.model.name(), "notes"),
            Ok(Command::Call { .. } | Command::Link(_) | Command::Open(_)) => {}
            Ok(other) => prop_assert!(false, "{:?}", other),
            Err(told) => prop_assert!(!told.is_empty()),
        }
    }

    #[test]
    fn what_is_written_is_read_back_the_same(members in message()) {
        let app = app();
        let text = serde_json::to_vec(&members).unwrap();
        let read = strict::object(&text).unwrap();

        let direct = command(&app, &members, None).map_err(|error| error.to_string());
        let by_text = command(&app, &read, None).map_err(|error| error.to_string());
        prop_assert_eq!(direct, by_text);
    }

    #[test]
    fn nothing_unknown_is_ignored(mut members in meant(), name in "[a-z]{3,9}_x", value in value()) {
        let app = app();
        prop_assert!(command(&app, &members, None).is_ok());

        members.insert(name, value);
        prop_assert!(command(&app, &members, None).is_err());
    }

    #[test]
    fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(members) = strict::object(&bytes) {
            let _ = command(&app(), &members, None);
        }
    }
}
