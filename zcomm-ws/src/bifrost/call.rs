//! What a function, command or event of the application is called with. Knows no wire.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use zcomm_core::data::{Query, Requester, Store, Write};
use zcomm_core::{Action, Caller, Error, Identity, Operation};

use super::app::App;
use super::fault::Fault;
use super::remote::Remote;
use super::router::EventCx;
use crate::server::Connection;

/// Who calls, over which connection, and what the server has to work with. Clones are cheap.
///
/// ```
/// use serde_json::{Value, json};
/// use zcomm_ws::bifrost::{Bifrost, Call};
///
/// let builder = Bifrost::builder().function("who_am_i", async |call: Call, (): ()| {
///     Ok(json!({"user": call.identity().name()}))
/// });
/// # let _ = builder;
/// ```
#[derive(Clone)]
pub struct Call {
    app: Arc<App>,
    caller: Arc<Caller>,
    identity: Arc<Identity>,
    connection: Option<Connection>,
}

impl Call {
    pub(super) fn of(cx: &EventCx<'_>) -> Self {
        Self {
            app: Arc::clone(cx.app),
            caller: Arc::clone(cx.caller),
            identity: Arc::clone(cx.identity),
            connection: cx.connection.cloned(),
        }
    }

    /// Who the caller was when it was let through.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The caller: identity by now, peer, connection number.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The server: models, rows, other connections.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The client at the other end of the socket.
    ///
    /// # Errors
    ///
    /// `bad_request` where the call came over plain HTTP, which has no way back.
    pub fn connection(&self) -> Result<Remote, Error> {
        let Some(connection) = &self.connection else {
            let event = "this".to_owned();
            return Err(Fault::NeedsSocket { event }.into());
        };
        Ok(Remote::new(Arc::clone(&self.app), connection.clone()))
    }

    /// Reads rows as the caller may: `where`, `fields`, `order_by`, `limit` and the other arguments of a read.
    ///
    /// # Errors
    ///
    /// What is wrong with the arguments, what the caller may not, or what kept the store from answering.
    pub async fn read(&self, model: &str, arguments: Value) -> Result<Value, Error> {
        let model = self.app.schema().model(model)?;
        self.permit(model.name(), Operation::Read)?;
        let query = Query::parse(model, &object(arguments)?)?;
        let permitted = self.app.access().query(query, &self.requester())?;
        let rows = self.app.store().read(&permitted).await?;
        Ok(serde_json::from_slice(&rows.json).expect("a store answers JSON"))
    }

    /// Writes rows as the caller may: `data`, `where` and the other arguments of the operation. Others are told of it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn write(
        &self,
        operation: Operation,
        model: &str,
        arguments: Value,
    ) -> Result<Value, Error> {
        let model = self.app.schema().model(model)?;
        self.permit(model.name(), operation)?;
        let write = Write::parse(model, operation, &object(arguments)?)?;
        let writes = [self.app.access().write(write, &self.requester())?];
        let written = self.app.store().write(&writes).await?;
        let outcome = written.outcomes.first().ok_or(Fault::SilentStore)?;
        Ok(writes[0].answer(outcome))
    }

    fn requester(&self) -> Requester<'_> {
        Requester::new(&self.identity).over(self.caller.connection())
    }

    /// What the caller may do it may do through a function, too, and nothing else.
    fn permit(&self, model: &str, operation: Operation) -> Result<(), Error> {
        let action = Action::Data { model, operation };
        self.app.permit(&self.identity, &action)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("identity", &self.identity)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Arguments are an object; nothing is no arguments.
fn object(arguments: Value) -> Result<Map<String, Value>, Fault> {
    match arguments {
        Value::Object(arguments) => Ok(arguments),
        Value::Null => Ok(Map::new()),
        _ => Err(Fault::NotAnObject),
    }
}
