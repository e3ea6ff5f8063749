//! The models of a server that was given none, so that a newcomer has something to touch.

use serde_json::{Map, json};
use zcomm::core::Identity;
use zcomm::core::data::{
    Access, DefaultValue, Field, Kind, Model, Query, Requester, Schema, Store, Write,
};
use zcomm::data::Data;
use zcomm::ws::bifrost::{Topic, Who};

/// Users, and messages by them.
pub(super) fn schema() -> anyhow::Result<Schema> {
    let users = Model::builder("users")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("name", Kind::Text).required())
        .field(Field::new("email", Kind::Text).unique())
        .field(Field::new("created_at", Kind::DateTime).default(DefaultValue::Now))
        .build()?;
    let messages = Model::builder("messages")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("user_id", Kind::Int).relation("users", "id"))
        .field(Field::new("text", Kind::Text).required())
        .field(Field::new("created_at", Kind::DateTime).default(DefaultValue::Now))
        .build()?;
    Ok(Schema::of([users, messages])?)
}

/// A room in which everybody may speak.
pub(super) fn topic() -> Topic {
    Topic::new("chat").publish(Who::Everybody)
}

/// The rows that are there at the start, unless some are there from an earlier one.
pub(super) async fn fill(data: &Data) -> anyhow::Result<()> {
    let (access, operator) = (Access::unrestricted(), Identity::user("zcomm"));
    let all = Query::parse(data.schema().model("users")?, &Map::new())?;
    let all = access.query(all, &Requester::new(&operator))?;
    if data.store().read(&all).await?.count > 0 {
        return Ok(());
    }
    let rows = [
        (
            "users",
            json!([
                {"name": "Ada", "email": "ada@example.com"},
                {"name": "Grace", "email": "grace@example.com"}
            ]),
        ),
        (
            "messages",
            json!([{"user_id": 1, "text": "Hello from zcomm"}]),
        ),
    ];
    for (model, rows) in rows {
        let arguments = json!({ "data": rows });
        let arguments = arguments
            .as_object()
            .expect("it was written as an object just above");
        let write = Write::create(data.schema().model(model)?, arguments)?;
        let write = access.write(write, &Requester::new(&operator))?;
        data.store().write(&[write]).await?;
    }
    Ok(())
}
