//! The rows of an application, from its own code: the same store that its sockets serve.

mod migrated;

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use zcomm_core::data::{Access, Committed, DataError, Query, Requester, Schema, Store, Write};

use crate::core::{Identity, Operation};

pub(crate) use migrated::Migrated;

/// The rows of an application. Whatever is written here is noticed by those who may read it.
///
/// The commands are those of the protocol, and so are the rules: somebody asks, and the schema says what they may.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use serde_json::json;
/// use zcomm::Comm;
/// use zcomm::core::{Identity, Operation};
///
/// # let folder = tempfile::tempdir()?;
/// # std::fs::create_dir(folder.path().join("schemas"))?;
/// # let text = "users:\n  id: {type: int, pk: true, auto_increment: true}\n  name: {type: str}\n  access:\n    admin: \"*\"\n";
/// # std::fs::write(folder.path().join("schemas/zSchema.users.yaml"), text)?;
/// # let project = folder.path();
/// // `schemas/zSchema.users.yaml` of the project describes the model `users`.
/// let comm = Comm::builder().project(project).build()?;
/// let ada = Identity::user("ada").with_roles(["admin"]);
///
/// let data = comm.data()?;
/// data.write(Operation::Create, "users", json!({"data": {"name": "Grace"}}), &ada).await?;
/// let rows = data.read("users", json!({"where": {"name__startswith": "G"}}), &ada).await?;
/// assert_eq!(rows, json!([{"id": 1, "name": "Grace"}]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Data {
    schema: Schema,
    access: Access,
    store: Arc<Committed<Arc<dyn Store>>>,
}

impl Data {
    pub(crate) fn new(schema: Schema, access: Access, store: Arc<dyn Store>) -> Self {
        let store = Arc::new(Committed::new(store));
        Self {
            schema,
            access,
            store,
        }
    }

    /// The models there are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The store behind it, for what the commands cannot say.
    pub fn store(&self) -> &Arc<Committed<Arc<dyn Store>>> {
        &self.store
    }

    /// Sees to it that the store answers and has every model, before anybody asks it something.
    ///
    /// # Errors
    ///
    /// What kept the store from answering, or from adding what it lacks.
    pub async fn prepare(&self) -> Result<(), DataError> {
        self.store.models().await.map(drop)
    }

    /// Reads rows as somebody may: `where`, `fields`, `order_by`, `limit` and the other arguments of a read.
    ///
    /// # Errors
    ///
    /// What is wrong with the arguments, what `who` may not, or what kept the store from answering.
    pub async fn read(
        &self,
        model: &str,
        arguments: Value,
        who: &Identity,
    ) -> Result<Value, DataError> {
        let query = Query::parse(self.schema.model(model)?, &object(arguments))?;
        let permitted = self.access.query(query, &Requester::new(who))?;
        let rows = self.store.read(&permitted).await?;
        Ok(serde_json::from_slice(&rows.json).expect("a store answers JSON"))
    }

    /// Writes rows as somebody may: `data`, `where` and the other arguments of the operation.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn write(
        &self,
        operation: Operation,
        model: &str,
        arguments: Value,
        who: &Identity,
    ) -> Result<Value, DataError> {
        let write = Write::parse(self.schema.model(model)?, operation, &object(arguments))?;
        let writes = [self.access.write(write, &Requester::new(who))?];
        let written = self.store.write(&writes).await?;
        Ok(written
            .outcomes
            .first()
            .map(|outcome| writes[0].answer(outcome))
            .unwrap_or_default())
    }
}

/// Arguments are an object; nothing is no arguments.
fn object(arguments: Value) -> Map<String, Value> {
    match arguments {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data")
            .field("models", &self.schema.models().len())
            .finish_non_exhaustive()
    }
}
