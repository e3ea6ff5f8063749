//! The data model: what can be asked of rows, who may ask it, and the seam below which stores answer. Does no I/O.
//!
//! A command comes as JSON and is parsed against a [`Model`] into a [`Query`] or a [`Write`]: nothing unknown passes.
//! [`Access`] turns it into a [`Permitted`] one, which is the only thing a [`Store`] takes. [`Committed`] stands in
//! front of a store and tells the rest of the program what changed.
//!
//! ```
//! use serde_json::json;
//! use zcomm_core::Identity;
//! use zcomm_core::data::{Access, Field, Kind, MemoryStore, Model, Query, Requester, Store, Write};
//!
//! # async fn run() -> Result<(), zcomm_core::data::DataError> {
//! let users = Model::builder("users")
//!     .field(Field::new("id", Kind::Int).primary_key().auto_increment())
//!     .field(Field::new("name", Kind::Text).required())
//!     .build()?;
//! let store = MemoryStore::new([users.clone()]);
//! let access = Access::unrestricted();
//! let guest = Identity::guest();
//! let who = Requester::new(&guest);
//!
//! let add = Write::create(&users, json!({"data": {"name": "Ada"}}).as_object().unwrap())?;
//! let written = store.write(&[access.write(add, &who)?]).await?;
//! assert_eq!(written.outcomes[0].count, 1);
//!
//! let find = Query::parse(&users, json!({"where": {"name__startswith": "A"}}).as_object().unwrap())?;
//! let rows = store.read(&access.query(find, &who)?).await?;
//! assert_eq!(&rows.json[..], br#"[{"id":1,"name":"Ada"}]"#);
//! # Ok(())
//! # }
//! # futures_util::FutureExt::now_or_never(run()).unwrap().unwrap();
//! ```

mod access;
mod arguments;
mod canonical;
mod change;
mod committed;
mod completion;
#[cfg(feature = "conformance")]
pub mod conformance;
mod cursor;
mod describe;
mod error;
mod evaluate;
mod field;
mod filter;
mod generations;
mod kind;
mod lookup;
mod memory;
mod model;
mod needs;
mod order;
mod page;
mod permitted;
mod query;
mod rights;
mod rows;
mod rules;
mod schema;
#[cfg(feature = "sql")]
pub mod sql;
mod store;
mod value;
mod write;
mod written;

pub use access::{Access, DefaultAccess, Requester};
pub use arguments::ARGUMENTS;
pub use change::{Change, ChangeKind, Changes, Notice};
pub use committed::{Committed, Watch};
pub use cursor::CursorKey;
pub use error::{DataError, Given};
pub use field::{DefaultValue, Field, Relation};
pub use filter::{Condition, Filter};
pub use generations::{Generations, Stamp};
pub use kind::Kind;
pub use lookup::{Lookup, Part};
pub use memory::MemoryStore;
pub use model::{Index, Model, ModelBuilder};
pub use order::{Direction, Order, Sort};
pub use page::{Page, Start};
pub use permitted::{IdempotencyKey, Permitted};
pub use query::{BigInts, Query, Shape};
pub use rights::{FieldSet, Grant, ModelAccess, Owner, Rights, RoleAccess};
pub use rows::Rows;
pub use rules::{Format, Pattern, Rules};
pub use schema::{Fault, Meta, Problem, Schema, SchemaError, SchemaFile, Warning};
pub use store::{ForeignChanges, Migration, Step, Store, StoreAddress};
pub use value::{Date, Decimal, Instant, Uuid, Value};
pub use write::{Effect, Values, Write};
pub use written::{Changed, Outcome, Written};

/// A row as stores give it: every field under its name, in its canonical JSON form.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// What the parts of this module return.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests;
