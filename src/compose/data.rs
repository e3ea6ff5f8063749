//! The store that the settings name, and the rules before it. Asks the store nothing.

use std::sync::Arc;

use crate::comm::Inner;
use crate::core::data::{
    Access, CursorKey, DefaultAccess, MemoryStore, Schema, Store, StoreAddress,
};
use crate::core::{RegistryError, Settings};
use crate::data::{Data, Migrated};
use crate::error::Error;

/// The rows of these models, where the settings have them.
///
/// # Errors
///
/// An address whose scheme no plugin serves, and what opening the store meets.
pub(crate) fn data(comm: &Inner, schema: Schema) -> Result<Data, Error> {
    let access = access(&comm.settings);
    let store = store(comm, &schema)?;
    Ok(Data::new(schema, access, store))
}

fn store(comm: &Inner, schema: &Schema) -> Result<Arc<dyn Store>, Error> {
    let settings = &comm.settings;
    let models = schema.models().to_vec();
    let url = settings.secret("store").map(crate::core::Secret::expose);
    let Some(url) = url.filter(|url| !matches!(*url, "memory" | "memory:")) else {
        return Ok(Arc::new(MemoryStore::new(models)));
    };
    let address = StoreAddress::new(url, &comm.project);
    let store = comm.registry.store(&address, settings).map_err(named)?;
    Ok(match settings.flag("auto_migrate") {
        true => Arc::new(Migrated::new(store, models)),
        false => store,
    })
}

/// A scheme that nobody serves is the registry's to explain.
fn named(error: crate::core::Error) -> Error {
    match error {
        crate::core::Error::Registry(error @ RegistryError::Unknown { .. }) => error.into(),
        other => other.into(),
    }
}

/// The rules beyond what models say, as the settings have them.
pub(crate) fn access(settings: &Settings) -> Access {
    let default_access = match settings.text("default_access") {
        Some("authenticated") => DefaultAccess::Authenticated,
        _ => DefaultAccess::Denied,
    };
    let mut access = Access::new()
        .default_access(default_access)
        .admin_roles(settings.list("admin_roles").iter().map(String::as_str));
    if let Some(rows) = settings.count("max_rows") {
        access = access.max_rows(rows);
    }
    match settings.secret("cursor_key") {
        Some(secret) => access.cursor_key(CursorKey::from_secret(secret)),
        None => access,
    }
}
