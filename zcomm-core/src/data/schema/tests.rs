//! Schema files that are right, and every way in which they can be wrong.

use super::*;
use crate::data::{DefaultValue, FieldSet, Kind, Value};

/// The example of the protocol, word for word but for the comments.
const USERS: &str = r#"
Meta: {Data_Type: sqlite, Data_Label: shop, Data_Path: "@"}
users:
  id:         {type: int, pk: true, auto_increment: true}
  email:      {type: str, unique: true, required: true, rules: {format: email, max_length: 255}}
  age:        {type: int, min: 13, max: 120}
  team_id:    {type: int, fk: {table: teams, field: id}}
  status:     {type: str, default: active, choices: [active, locked]}
  owner_id:   {type: str}
  created_at: {type: datetime, default: now}
  access:
    guest:  {read: [id, email]}
    member: {read: "*", create: true, update: [email], owner: owner_id}
    admin:  "*"
"#;

const TEAMS: &str = "teams:\n  id: {type: int, pk: true}\n  name: str\n";

#[track_caller]
fn check(text: &str, problems: &[&str]) {
    let error = Schema::parse([("f.yaml", text)]).unwrap_err();

    let found: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found, problems);
}

#[test]
fn the_example_of_the_protocol_is_read_in_full() {
    let files = [("zSchema.users.yaml", USERS), ("zSchema.teams.yaml", TEAMS)];
    let schema = Schema::parse(files).unwrap();

    let users = schema.model("USERS").unwrap();
    let field = |name| users.field(name).unwrap();
    assert_eq!(users.key().name, "id");
    assert!(users.key().auto_increment);
    assert!(field("email").unique && field("email").required);
    assert_eq!(field("email").rules.max_length, Some(255));
    assert_eq!(field("age").rules.max, Some(Value::Int(120)));
    assert_eq!(field("team_id").relation.as_ref().unwrap().model, "teams");
    assert_eq!(field("status").rules.choices.len(), 2);
    assert_eq!(field("created_at").default, Some(DefaultValue::Now));
    assert_eq!(schema.files()[0].meta.data_type.as_deref(), Some("sqlite"));

    let access = users.access().unwrap();
    let guest = access.of("guest").unwrap();
    let member = access.of("member").unwrap();
    assert_eq!(
        guest.read,
        ["id", "email"].into_iter().collect::<FieldSet>()
    );
    assert_eq!(guest.create, FieldSet::None);
    assert_eq!(member.create, FieldSet::All);
    assert_eq!(member.owner.as_deref(), Some("owner_id"));
    assert!(access.of("admin").unwrap().delete && !member.delete);
}

#[test]
fn a_model_is_found_by_its_name_or_its_file() {
    let schema = Schema::parse([("db/zSchema.people.yaml", TEAMS)]).unwrap();

    for name in [
        "teams",
        "Teams",
        "@.zSchema.teams",
        "@.zSchema.people",
        "people",
    ] {
        assert_eq!(schema.model(name).unwrap().name(), "teams", "{name}");
    }
    for name in [
        "sqlite_master",
        "pg_shadow",
        "../../etc/passwd",
        "",
        "@.zSchema.",
    ] {
        let error = schema.model(name).unwrap_err();
        assert_eq!(error.code(), crate::Code::UnknownModel, "{name}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line() {
    let text = "users:\n  id: {type: int, pk: true}\n  a: {type: integer}\n  b: {type: str, uniqe: true}\n  \
                c: {type: int, default: x}\n  d: {type: str, required: 1}\n";

    check(
        text,
        &[
            "f.yaml:3: `users.a` has the unknown type `integer`; there are str, int, float, decimal, bool, date, \
             datetime, uuid, json, blob",
            "f.yaml:4: `users.b` has an unknown key `uniqe`; allowed are type, pk, auto_increment, unique, required, \
             default, fk, rules, min, max, min_length, max_length, pattern, format, choices",
            "f.yaml:5: `users.c` needs a whole number of 64 bits for `default`",
            "f.yaml:6: `users.d` needs true or false for `required`",
        ],
    );
}

#[test]
fn what_does_not_fit_together_is_told_with_its_line() {
    check(
        "users:\n  a: str\n",
        &["f.yaml:2: `users` needs exactly one field with `pk: true`, and has 0"],
    );
    check(
        "u:\n  id: {type: int, pk: true}\n  x__y: str\n  not: str\n  ID: str\n",
        &[
            "f.yaml:3: `u.x__y` needs a name of at most 63 letters, digits and underscores that starts with no digit; \
             `__` is for lookups",
            "f.yaml:4: `u.not` has a name that is reserved",
            "f.yaml:5: `u.ID` is there twice",
        ],
    );
    check(
        "u:\n  id: {type: int, pk: true}\n  t: {type: int, fk: teams.id}\n",
        &["f.yaml:3: `u.t` refers to `teams.id`, which is not there"],
    );
    check(
        "u:\n  id: {type: int, pk: true}\n  access:\n    guest: {read: [nmae]}\n",
        &["f.yaml:4: `u.access` names the field `nmae`, which is not there"],
    );
    check(
        "sqlite_x:\n  id: {type: int, pk: true}\n",
        &["f.yaml:2: `sqlite_x` has a name that is reserved"],
    );
}

#[test]
fn what_the_older_system_had_and_this_has_not_is_refused_by_name() {
    let of = |text: &str| Schema::parse([("f.yaml", text)]).unwrap_err().to_string();

    assert!(of("Meta: {Data_Type: csv}\n").contains("uses `csv`, which is not supported"));
    assert!(
        of("u:\n  a: int\n  b: int\n  primary_key: [a, b]\n").contains("a composite primary key")
    );
    assert!(
        of("u:\n  id: {type: int, pk: true}\n  n: {type: str, default: \"&env.user()\"}\n")
            .contains("the plugin call `&env.user()`")
    );
}

#[test]
fn plugin_calls_that_are_known_become_defaults() {
    let text = "u:\n  id: {type: uuid, default: '&id_generator.generate_uuid()'}\n  \
                at: {type: datetime, default: '&date_utils.get_timestamp()'}\n  primary_key: id\n";
    let schema = Schema::parse([("f.yaml", text)]).unwrap();

    let model = schema.model("u").unwrap();
    assert_eq!(model.key().default, Some(DefaultValue::Uuid));
    assert_eq!(model.field("at").unwrap().default, Some(DefaultValue::Now));
}

#[test]
fn decimals_count_as_they_are_written() {
    let text = "u:\n  id: {type: int, pk: true}\n  p: {type: decimal, default: 0.1000000000000000055, min: '0'}\n";
    let schema = Schema::parse([("f.yaml", text)]).unwrap();

    let field = schema.model("u").unwrap().field("p").unwrap().clone();
    let default = "0.1000000000000000055".parse().unwrap();
    assert_eq!(
        field.default,
        Some(DefaultValue::Literal(Value::Decimal(default)))
    );
    assert_eq!(field.kind, Kind::Decimal);
}

#[test]
fn a_password_in_a_schema_is_warned_about_and_not_shown() {
    let text = "Meta:\n  Data_Password: hunter2\n";
    let schema = Schema::parse([("f.yaml", text)]).unwrap();

    let warning = schema.warnings()[0].to_string();
    assert!(
        warning.starts_with("f.yaml:2: `Data_Password`"),
        "{warning}"
    );
    assert!(!format!("{schema:?}").contains("hunter2"));
}

#[test]
fn what_is_no_yaml_is_told_with_its_line() {
    let error = Schema::parse([("f.yaml", "users:\n  id: {type: int\n")]).unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert!(matches!(problem.fault, Fault::Syntax { .. }), "{problem}");
    assert!(problem.line.is_some());
}
