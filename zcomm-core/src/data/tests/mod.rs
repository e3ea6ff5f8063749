//! The data language from JSON to answer, rule by rule. Single files' own tests stand beside them.

#![expect(
    clippy::needless_pass_by_value,
    reason = "cases read better as literals than as references to them"
)]

mod access;
mod commits;
mod evaluation;
mod language;
mod memory;
mod random;

use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::Operation;
use crate::identity::Identity;

/// A model with a field of every type.
fn things() -> Arc<Model> {
    let mut model = Model::builder("things")
        .source("zSchema.things.yaml")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("name", Kind::Text).required())
        .field(Field::new("code", Kind::Text).unique());
    for (name, kind) in [
        ("age", Kind::Int),
        ("score", Kind::Float),
        ("price", Kind::Decimal),
        ("ok", Kind::Bool),
        ("at", Kind::DateTime),
        ("day", Kind::Date),
        ("ref", Kind::Uuid),
        ("extra", Kind::Json),
        ("file", Kind::Blob),
    ] {
        model = model.field(Field::new(name, kind));
    }
    model.build().unwrap()
}

fn object(json: &Json) -> &Map<String, Json> {
    json.as_object().expect("a test's arguments are an object")
}

fn query(model: &Arc<Model>, arguments: &Json) -> Result<Query> {
    Query::parse(model, object(arguments))
}

fn write(model: &Arc<Model>, operation: Operation, arguments: &Json) -> Result<Write> {
    Write::parse(model, operation, object(arguments))
}

/// Waits for a store that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// A store and the rules before it, as one caller after the other uses them.
struct Desk {
    model: Arc<Model>,
    store: MemoryStore,
    access: Access,
}

impl Desk {
    fn open(model: Arc<Model>) -> Self {
        Self::guarded(model, Access::unrestricted())
    }

    fn guarded(model: Arc<Model>, access: Access) -> Self {
        Self {
            store: MemoryStore::new([Arc::clone(&model)]),
            model,
            access,
        }
    }

    fn rows_as(&self, who: &Identity, arguments: &Json) -> Result<Rows> {
        let query = query(&self.model, arguments)?;
        let permitted = self.access.query(query, &Requester::new(who))?;
        now(self.store.read(&permitted))
    }

    fn read_as(&self, who: &Identity, arguments: &Json) -> Result<Json> {
        let rows = self.rows_as(who, arguments)?;
        Ok(serde_json::from_slice(&rows.json).unwrap())
    }

    fn write_as(&self, who: &Identity, operation: Operation, arguments: &Json) -> Result<Json> {
        let write = write(&self.model, operation, arguments)?;
        let permitted = self.access.write(write, &Requester::new(who))?;
        let written = now(self.store.write(std::slice::from_ref(&permitted)))?;
        Ok(permitted.answer(&written.outcomes[0]))
    }

    fn read(&self, arguments: &Json) -> Result<Json> {
        self.read_as(&Identity::guest(), arguments)
    }

    fn write(&self, operation: Operation, arguments: &Json) -> Result<Json> {
        self.write_as(&Identity::guest(), operation, arguments)
    }

    fn fill(&self, rows: &Json) {
        self.write(Operation::Create, &json!({"data": rows}))
            .unwrap();
    }

    /// The ids of the rows that a filter finds, in order.
    fn ids(&self, filter: &Json) -> Json {
        let rows = self
            .read(&json!({"where": filter, "fields": ["id"]}))
            .unwrap();
        let ids = rows.as_array().unwrap().iter().map(|row| row["id"].clone());
        ids.collect()
    }
}
