//! A model, who uses it, and commands on it, all made by chance. Asks no store anything.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::dice::Dice;
use super::values;
use crate::action::Operation;
use crate::data::access::{Access, Requester};
use crate::data::cursor::CursorKey;
use crate::data::field::{DefaultValue, Field};
use crate::data::kind::Kind;
use crate::data::lookup::Lookup;
use crate::data::model::{Index, Model};
use crate::data::permitted::Permitted;
use crate::data::query::Query;
use crate::data::rights::{FieldSet, ModelAccess, RoleAccess};
use crate::data::value::Value;
use crate::data::write::Write;
use crate::identity::Identity;

/// A model, the rules before it, and those who use it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) model: Arc<Model>,
    pub(super) access: Access,
    pub(super) people: Vec<Identity>,
}

/// The users whose rows there are.
const OWNERS: [&str; 3] = ["ada", "grace", "a'b"];

impl World {
    pub(super) fn new(dice: &mut Dice, seed: u64) -> Self {
        let key = *dice.pick(&[
            Kind::Int,
            Kind::Int,
            Kind::Int,
            Kind::Text,
            Kind::Uuid,
            Kind::Decimal,
        ]);
        let mut id = Field::new("id", key).primary_key();
        if key == Kind::Int && dice.percent(60) {
            id = id.auto_increment();
        }
        let mut model = Model::builder(format!("world_{seed}")).field(id);
        let mut names = Vec::new();
        // Each world has half of the types at least, and all of them some fields.
        for number in 0..5 + dice.below(5) {
            let kind = *dice.pick(&Kind::ALL);
            let name = format!("{}_{number}", *dice.pick(&["f", "Order", "select", "x"]));
            let mut field = Field::new(&name, kind);
            if dice.percent(20) {
                field = field.required();
            }
            if kind.is_ordered() && dice.percent(15) {
                field = field.unique();
            }
            if dice.percent(15) {
                let value = Value::from_json(kind, &values::any(dice, kind));
                field = field.default(DefaultValue::Literal(value.unwrap_or(Value::Null)));
            }
            if kind.is_ordered() {
                names.push(name);
            }
            model = model.field(field);
        }
        model = model.field(Field::new("owner", Kind::Text));
        if let [first, second, ..] = names.as_slice()
            && dice.percent(60)
        {
            let index = Index::new("pair", [first, second]);
            model = model.index(if dice.percent(30) {
                index.unique()
            } else {
                index
            });
        }
        let model = model.access(rules(&names)).build();
        Self {
            model: model.expect("the names are good and there is one key"),
            access: Access::new().max_rows(50).cursor_key(CursorKey::random()),
            people: people(),
        }
    }

    pub(super) fn root(&self) -> &Identity {
        &self.people[0]
    }

    /// A query and somebody who asks it; none if that one may not.
    pub(super) fn query(&self, arguments: &Json, who: &Identity) -> Option<Permitted<Query>> {
        let query = Query::parse(&self.model, arguments.as_object()?).ok()?;
        self.access.query(query, &Requester::new(who)).ok()
    }

    pub(super) fn write(
        &self,
        operation: Operation,
        arguments: &Json,
        who: &Identity,
    ) -> Option<Permitted<Write>> {
        let write = Write::parse(&self.model, operation, arguments.as_object()?).ok()?;
        self.access.write(write, &Requester::new(who)).ok()
    }

    /// A row as somebody would give it.
    pub(super) fn row(&self, dice: &mut Dice, number: usize) -> Map<String, Json> {
        let mut row = Map::new();
        for field in self.model.fields() {
            let cell = match field {
                _ if field.name == "owner" => json!(dice.pick(&OWNERS)),
                _ if field.auto_increment && dice.percent(85) => continue,
                _ if field.primary_key => values::key(field.kind, number),
                _ if dice.percent(30) && !field.is_never_null() => match dice.percent(50) {
                    true => continue,
                    false => Json::Null,
                },
                _ => values::any(dice, field.kind),
            };
            row.insert(field.name.clone(), cell);
        }
        row
    }

    /// New values for some fields.
    pub(super) fn change(&self, dice: &mut Dice) -> Map<String, Json> {
        let mut change = Map::new();
        let fields: Vec<_> = self
            .model
            .fields()
            .iter()
            .filter(|field| !field.primary_key)
            .collect();
        for _ in 0..1 + dice.below(2) {
            let field = dice.pick(&fields);
            let cell = match dice.percent(25) && !field.is_never_null() {
                true => Json::Null,
                false => values::any(dice, field.kind),
            };
            change.insert(field.name.clone(), cell);
        }
        change
    }

    pub(super) fn filter(&self, dice: &mut Dice, depth: usize) -> Json {
        if depth > 0 && dice.percent(45) {
            let parts = 1 + dice.below(3);
            let parts: Vec<Json> = (0..parts).map(|_| self.filter(dice, depth - 1)).collect();
            return match dice.below(3) {
                0 => json!({"and": parts}),
                1 => json!({"or": parts}),
                _ => json!({"not": parts[0]}),
            };
        }
        let field = dice.pick(self.model.fields());
        let lookups: Vec<&str> = Lookup::names(field.kind).collect();
        let lookup = *dice.pick(&lookups);
        json!({format!("{}__{lookup}", field.name): operand(dice, field.kind, lookup)})
    }

    pub(super) fn order(&self, dice: &mut Dice) -> Json {
        let fields: Vec<_> = self
            .model
            .fields()
            .iter()
            .filter(|field| field.kind.is_ordered())
            .collect();
        let mut sorts: Vec<String> = Vec::new();
        for _ in 0..dice.below(4) {
            let name = &dice.pick(&fields).name;
            if !sorts
                .iter()
                .any(|sort| sort.trim_start_matches('-') == name)
            {
                sorts.push(format!("{}{name}", if dice.percent(50) { "-" } else { "" }));
            }
        }
        match sorts.is_empty() {
            true => Json::Null,
            false => json!(sorts),
        }
    }

    /// Some of the fields, or null for all.
    pub(super) fn fields(&self, dice: &mut Dice) -> Json {
        if dice.percent(60) {
            return Json::Null;
        }
        let names = self.model.fields().iter().filter(|_| dice.percent(40));
        let names: Vec<&str> = names.map(|field| field.name.as_str()).collect();
        match names.is_empty() {
            true => Json::Null,
            false => json!(names),
        }
    }
}

fn operand(dice: &mut Dice, kind: Kind, lookup: &str) -> Json {
    match lookup {
        "isnull" => json!(dice.percent(50)),
        "range" => json!([values::any(dice, kind), values::any(dice, kind)]),
        "in" | "nin" => (0..dice.below(6))
            .map(|_| match dice.percent(20) {
                true => Json::Null,
                false => values::any(dice, kind),
            })
            .collect(),
        "exact" | "ne" if dice.percent(20) => Json::Null,
        _ => values::any(dice, kind),
    }
}

/// An operator, somebody with two roles that show different fields of different rows, and one who sees its own.
fn people() -> Vec<Identity> {
    vec![
        Identity::user("root").with_roles(["admin"]),
        Identity::user("ada").with_roles(["member", "reader"]),
        Identity::user("a'b").with_roles(["member"]),
    ]
}

fn rules(names: &[String]) -> ModelAccess {
    let some = names.iter().take(3).map(String::as_str);
    let some: FieldSet = some.chain(["id"]).collect();
    ModelAccess::new()
        .role("admin", RoleAccess::full())
        .role("member", RoleAccess::full().owning("owner"))
        .role("reader", RoleAccess::reading(some))
}
