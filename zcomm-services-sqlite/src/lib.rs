//! SQLite: the embedded store, a file or memory, with nothing to install.
//!
//! Linking this crate registers the stores of the scheme `sqlite`; the facade's feature `sqlite` links it. One thread
//! writes, a few read, and none of them is one that runs async code. A file is in WAL mode, so readers never wait for
//! the writer; memory has one connection for both.
//!
//! ```
//! use serde_json::json;
//! use zcomm_core::Identity;
//! use zcomm_core::data::{Access, Field, Kind, Model, Query, Requester, Store, Write};
//! use zcomm_services_sqlite::{Config, SqliteStore};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let users = Model::builder("users")
//!     .field(Field::new("id", Kind::Int).primary_key().auto_increment())
//!     .field(Field::new("name", Kind::Text).required())
//!     .build()?;
//! let store = SqliteStore::open(&Config::memory())?;
//! store.migrate(&users).await?;
//!
//! let (access, guest) = (Access::unrestricted(), Identity::guest());
//! let who = Requester::new(&guest);
//! let add = Write::create(&users, json!({"data": {"name": "Ada"}}).as_object().unwrap())?;
//! store.write(&[access.write(add, &who)?]).await?;
//!
//! let find = Query::parse(&users, json!({"where": {"name__startswith": "A"}}).as_object().unwrap())?;
//! let rows = store.read(&access.query(find, &who)?).await?;
//! assert_eq!(&rows.json[..], br#"[{"id":1,"name":"Ada"}]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod answers;
mod catalog;
mod cell;
mod config;
mod error;
mod page;
mod seat;
mod session;
mod store;
mod transaction;
mod workers;

use std::sync::Arc;

use zcomm_core::data::{Store, StoreAddress};
use zcomm_core::{Plugin, Settings};

pub use config::{Config, KEYS, Place, Synchronous};
pub use error::Error;
pub use store::SqliteStore;

/// What this crate brings.
pub const PLUGIN: Plugin = Plugin::new("sqlite", env!("CARGO_PKG_NAME"))
    .aliases(&["sqlite3"])
    .keys(KEYS)
    .store(&["sqlite", "sqlite3"], open);

zcomm_core::inventory::submit!(PLUGIN);

fn open(
    address: &StoreAddress<'_>,
    settings: &Settings,
) -> Result<Arc<dyn Store>, zcomm_core::Error> {
    let store = SqliteStore::open(&Config::of(address, settings)?)?;
    Ok(Arc::new(store))
}
