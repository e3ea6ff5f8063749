//! What a client asks about models: which fields there are, and what they take.

use async_trait::async_trait;
use http::Response;
use serde_json::Value;
use zcomm_core::data::DataError;
use zcomm_core::{Body, Error};

use super::discovery;
use crate::bifrost::fault::Fault;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// `get_schema`: the fields of one model, as far as the caller may read them.
pub(super) struct GetSchema;

#[async_trait]
impl Event for GetSchema {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let name = cx.message.member("model").and_then(Value::as_str);
        let name = name.ok_or(Fault::NoModel)?;
        let model = cx.app.schema().model(name)?;
        let rights = cx.app.access().rights(model, cx.identity)?;
        if discovery::operations(cx.app, cx.identity, model, &rights).is_empty() {
            // A model that one may not use is answered as one that is not there.
            return Err(DataError::UnknownModel {
                name: name.to_owned(),
            }
            .into());
        }
        reply::result(&model.describe(&rights))
    }
}
