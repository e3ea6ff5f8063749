//! What a client asks about models: which fields there are, and what they take.

use async_trait::async_trait;
use http::Response;
use serde_json::{Value, json};
use zcomm_core::data::{DataError, Field};
use zcomm_core::{Body, Error};

use crate::bifrost::fault::Fault;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// `get_schema`: the fields of one model, as far as the caller may read them.
pub(super) struct GetSchema;

#[async_trait]
impl Event for GetSchema {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let name = cx.message.member("model").and_then(Value::as_str);
        let name = name.ok_or_else(|| Fault::bad_request("`get_schema` needs a `model`"))?;
        let model = cx.app.schema().model(name)?;
        let rights = cx.app.access().rights(model, &cx.caller.identity())?;
        if rights.operations().is_empty() {
            // A model that one may not use is answered as one that is not there.
            return Err(DataError::UnknownModel {
                name: name.to_owned(),
            }
            .into());
        }
        let fields = model
            .fields()
            .iter()
            .filter(|field| rights.may_read(&field.name));
        let relations = model
            .fields()
            .iter()
            .filter(|field| rights.may_read(&field.name));
        reply::result(&json!({
            "model": model.name(),
            "fields": fields.map(|field| describe(field)).collect::<Vec<_>>(),
            "primary_key": model.key().name,
            "relations": relations.filter_map(|field| relation(field)).collect::<Vec<_>>(),
        }))
    }
}

fn describe(field: &Field) -> Value {
    json!({
        "name": field.name,
        "type": field.kind.to_string(),
        "required": field.required,
        "unique": field.unique || field.primary_key,
        "auto_increment": field.auto_increment,
    })
}

fn relation(field: &Field) -> Option<Value> {
    let relation = field.relation.as_ref()?;
    Some(json!({"field": field.name, "model": relation.model, "references": relation.field}))
}
