//! Who may do what, and what is left of a command for them.

use super::*;
use crate::Code;

fn notes() -> Arc<Model> {
    let fields = |names: &[&str]| names.iter().copied().collect::<FieldSet>();
    let member = RoleAccess::reading(FieldSet::All)
        .creating(fields(&["title", "body", "public"]))
        .updating(fields(&["title", "body"]))
        .deleting()
        .owning("owner");
    Model::builder("notes")
        .source("zSchema.notes.yaml")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("title", Kind::Text).unique())
        .field(Field::new("body", Kind::Text))
        .field(Field::new("public", Kind::Bool))
        .field(Field::new("owner", Kind::Text).required())
        .access(
            ModelAccess::new()
                .role("guest", RoleAccess::reading(fields(&["id", "title"])))
                .role("reader", RoleAccess::reading(fields(&["id", "title"])))
                .role("member", member),
        )
        .build()
        .unwrap()
}

fn member(name: &'static str) -> Identity {
    Identity::user(name).with_roles(["member"])
}

fn admin() -> Identity {
    Identity::user("root").with_roles(["admin"])
}

/// Ada's two notes and Eve's one.
fn desk() -> Desk {
    let desk = Desk::guarded(notes(), Access::new());
    for (who, title) in [("ada", "a1"), ("ada", "a2"), ("eve", "e1")] {
        let data = json!({"data": {"title": title, "body": "secret"}});
        desk.write_as(&member(who), Operation::Create, &data)
            .unwrap();
    }
    desk
}

#[track_caller]
fn refused(result: Result<Json>, code: Code, message: &str) {
    let error = result.unwrap_err();

    assert_eq!((error.code(), error.to_string().as_str()), (code, message));
}

#[test]
fn a_role_sees_its_fields_of_its_rows() {
    let desk = desk();

    assert_eq!(
        desk.read_as(&Identity::guest(), &json!({})).unwrap(),
        json!([{"id": 1, "title": "a1"}, {"id": 2, "title": "a2"}, {"id": 3, "title": "e1"}])
    );
    assert_eq!(
        desk.read_as(&member("eve"), &json!({})).unwrap(),
        json!([{"id": 3, "title": "e1", "body": "secret", "public": null, "owner": "eve"}])
    );
    assert_eq!(desk.read_as(&member("bob"), &json!({})).unwrap(), json!([]));
    assert_eq!(
        desk.read_as(&admin(), &json!({}))
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn roles_add_up_row_by_row() {
    let both = Identity::user("ada").with_roles(["member", "reader"]);

    let rows = desk().read_as(&both, &json!({})).unwrap();

    assert_eq!(
        rows[0],
        json!({"id": 1, "title": "a1", "body": "secret", "public": null, "owner": "ada"})
    );
    assert_eq!(rows[2], json!({"id": 3, "title": "e1"}));
}

#[test]
fn a_role_serves_a_query_only_with_every_field_of_it() {
    let desk = desk();
    let both = Identity::user("ada").with_roles(["member", "reader"]);

    // A reader may not look at bodies, so only the member's rows are searched: the others' cannot be guessed.
    let found = desk
        .read_as(&both, &json!({"where": {"body__startswith": "s"}}))
        .unwrap();
    let sorted = desk.read_as(&both, &json!({"order_by": "body"})).unwrap();

    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!(sorted.as_array().unwrap().len(), 2);
    for arguments in [
        json!({"where": {"body__startswith": "s"}}),
        json!({"where": {"not": {"or": [{"body__isnull": true}]}}}),
        json!({"order_by": "-body"}),
        json!({"fields": ["id", "body"]}),
    ] {
        refused(
            desk.read_as(&Identity::guest(), &arguments),
            Code::Forbidden,
            "a guest may not read `notes` by way of its field `body`",
        );
    }
}

#[test]
fn what_no_role_may_do_is_refused() {
    let desk = desk();

    refused(
        desk.write_as(&Identity::guest(), Operation::Delete, &json!({"where": 1})),
        Code::Forbidden,
        "a guest may not delete `notes`",
    );
    refused(
        desk.read_as(&Identity::user("ada"), &json!({})),
        Code::Forbidden,
        "`ada` may not read `notes`",
    );
    refused(
        desk.write_as(
            &member("ada"),
            Operation::Update,
            &json!({"where": 1, "data": {"public": true}}),
        ),
        Code::Forbidden,
        "`ada` may not update `notes` by way of its field `public`",
    );
    refused(
        desk.write_as(
            &member("ada"),
            Operation::Create,
            &json!({"data": {"id": 99, "title": "x"}}),
        ),
        Code::Forbidden,
        "`ada` may not create `notes` by way of its field `id`",
    );
}

#[test]
fn an_owner_is_filled_in_and_never_changes() {
    let desk = desk();
    let create = |owner: &str| {
        let data = json!({"data": {"title": owner, "owner": owner}});
        desk.write_as(&member("ada"), Operation::Create, &data)
    };
    let message =
        "`owner` of `notes` is the row's owner: it can only be yourself and never changes";

    assert_eq!(create("ada").unwrap()["owner"], json!("ada"));
    refused(create("eve"), Code::Forbidden, message);
    let give_away = json!({"where": 1, "data": {"owner": "eve"}});
    refused(
        desk.write_as(&member("ada"), Operation::Update, &give_away),
        Code::Forbidden,
        message,
    );
}

#[test]
fn other_people_s_rows_are_as_if_they_were_not_there() {
    let desk = desk();
    let eve = member("eve");

    assert_eq!(
        desk.read_as(&eve, &json!({"where": {"id": 1}})).unwrap(),
        json!([])
    );
    refused(
        desk.write_as(
            &eve,
            Operation::Update,
            &json!({"where": 1, "data": {"body": "x"}}),
        ),
        Code::NotFound,
        "`notes` has no such row",
    );
    let delete = |arguments: Json| desk.write_as(&eve, Operation::Delete, &arguments).unwrap();
    assert_eq!(delete(json!({"where": 1})), json!({"deleted": 0, "id": 1}));
    assert_eq!(
        delete(json!({"where": {"not": {"id": 99}}})),
        json!({"deleted": 1})
    );
    assert_eq!(
        desk.read_as(&admin(), &json!({}))
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn an_upsert_changes_one_s_own_row_and_conflicts_with_another_s() {
    let desk = desk();
    let upsert = |title: &str| {
        let data = json!({"data": {"title": title, "body": "new"}});
        desk.write_as(&member("ada"), Operation::Upsert, &data)
    };

    assert_eq!(upsert("a1").unwrap()["body"], json!("new"));
    refused(
        upsert("e1"),
        Code::Conflict,
        "this upsert meets a row of `notes` that may not be changed",
    );
}

#[test]
fn models_without_rules_are_open_to_this_machine_only() {
    let bare = Desk::guarded(things(), Access::new());
    let told = "`things` has no access rules: add an `access` section to zSchema.things.yaml, or set \
                `default_access = \"authenticated\"`";
    let guest = Identity::guest();
    let ada = Identity::user("ada");
    let may = |access: Access, who: &Identity| {
        let query = query(&bare.model, &json!({})).unwrap();
        access.query(query, &Requester::new(who)).is_ok()
    };

    refused(bare.read_as(&ada, &json!({})), Code::Forbidden, told);
    let off = || Access::new().auth(false);
    let known = || Access::new().default_access(DefaultAccess::Authenticated);
    assert!(may(off().loopback(true), &guest));
    assert!(!may(off(), &guest));
    assert!(!may(off(), &admin()));
    assert!(may(known(), &ada));
    assert!(!may(known(), &guest));
    assert!(may(Access::new(), &admin()));
    assert!(!may(Access::new().admin_roles(["chief"]), &admin()));
}

#[test]
fn without_authentication_nobody_is_an_admin() {
    let rights = |access: Access| access.rights(&notes(), &admin()).unwrap().operations();

    assert_eq!(rights(Access::new()), Operation::ALL);
    assert_eq!(rights(Access::new().auth(false).loopback(true)), []);
}

#[test]
fn an_owner_is_compared_as_the_field_s_type() {
    let own = RoleAccess::reading(FieldSet::All).owning("owner");
    let model = Model::builder("cards")
        .field(Field::new("id", Kind::Int).primary_key())
        .field(Field::new("owner", Kind::Int))
        .access(ModelAccess::new().role("member", own))
        .build()
        .unwrap();
    let row = |owner: i64| object(&json!({"id": 1, "owner": owner})).clone();
    let sees = |user: &'static str| {
        let who = Identity::user(user).with_roles(["member"]);
        Access::new().visible(&model, &who, &row(42)).is_some()
    };

    assert_eq!([sees("42"), sees("43"), sees("ada")], [true, false, false]);
}

#[test]
fn a_live_query_shows_what_a_read_would() {
    let desk = desk();
    let both = Identity::user("ada").with_roles(["member", "reader"]);
    let live = query(&desk.model, &json!({"where": {"title__startswith": "a"}})).unwrap();
    let live = desk.access.query(live, &Requester::new(&both)).unwrap();
    let row = |title: &str, owner: &str| {
        let row = json!({"id": 9, "title": title, "body": "b", "public": null, "owner": owner});
        live.shows(object(&row)).map(Json::Object)
    };

    assert_eq!(row("e9", "ada"), None);
    assert_eq!(row("a9", "eve"), Some(json!({"id": 9, "title": "a9"})));
    assert_eq!(
        row("a9", "ada"),
        Some(json!({"id": 9, "title": "a9", "body": "b", "public": null, "owner": "ada"}))
    );
}

#[test]
fn a_model_is_described_as_far_as_it_may_be_used() {
    let model = notes();
    let told = |who: &Identity| model.describe(&Access::new().rights(&model, who).unwrap());
    let names = |told: &Json| -> Json {
        let fields = told["fields"].as_array().unwrap().iter();
        fields.map(|field| field["name"].clone()).collect()
    };

    let (guest, ada) = (told(&Identity::guest()), told(&member("ada")));

    assert_eq!(names(&guest), json!(["id", "title"]));
    assert_eq!(guest["operations"], json!(["read"]));
    assert_eq!(
        names(&ada),
        json!(["id", "title", "body", "public", "owner"])
    );
    assert_eq!(
        ada["operations"],
        json!(["create", "read", "update", "delete", "upsert"])
    );
    assert_eq!(ada["fields"][3]["lookups"][0], json!("exact"));
}
