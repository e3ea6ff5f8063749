//! A model, and commands on it as whoever owns the store.

use std::sync::Arc;

use serde_json::Value;
use zcomm_core::Identity;
use zcomm_core::Operation;
use zcomm_core::data::{Access, Field, Kind, Model, Permitted, Query, Requester, Write};

pub(crate) fn notes() -> Arc<Model> {
    Model::builder("notes")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("text", Kind::Text).required())
        .build()
        .unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with literals"
)]
pub(crate) fn read(model: &Arc<Model>, arguments: Value) -> Permitted<Query> {
    let query = Query::parse(model, arguments.as_object().unwrap()).unwrap();
    let guest = Identity::guest();
    Access::unrestricted()
        .query(query, &Requester::new(&guest))
        .unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with literals"
)]
pub(crate) fn write(
    model: &Arc<Model>,
    operation: Operation,
    arguments: Value,
) -> Permitted<Write> {
    let write = Write::parse(model, operation, arguments.as_object().unwrap()).unwrap();
    let guest = Identity::guest();
    Access::unrestricted()
        .write(write, &Requester::new(&guest))
        .unwrap()
}
