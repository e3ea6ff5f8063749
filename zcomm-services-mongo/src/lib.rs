//! MongoDB: what it is, how it is started, how it answers.
//!
//! Linking this crate registers the driver under the names `mongodb` and `mongo`; the facade's feature `mongo` links
//! it. Servers that speak its protocol and are others, as FerretDB, are recognised and called what they are.
//!
//! ```
//! use zcomm_core::service::{Endpoint, ServiceState};
//! use zcomm_core::{Registry, Settings};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let registry = Registry::of([zcomm_services_mongo::PLUGIN])?;
//! let driver = registry.driver("mongo", &Settings::defaults(registry.keys()))?;
//!
//! // Nobody listens on a port that was just given back.
//! let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
//! assert_eq!(driver.probe(&Endpoint::local(port)).await.state, ServiceState::Stopped);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod bson;
mod config;
mod driver;
mod error;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use zcomm_core::service::ServiceDriver;
use zcomm_core::{Plugin, Settings};

pub use config::KEYS;
pub use driver::Mongo;
pub use error::Error;

/// What this crate brings.
pub const PLUGIN: Plugin = Plugin::new("mongodb", env!("CARGO_PKG_NAME"))
    .aliases(&["mongo"])
    .keys(KEYS)
    .driver(make_driver);

zcomm_core::inventory::submit!(PLUGIN);

fn make_driver(settings: &Settings) -> Result<Arc<dyn ServiceDriver>, zcomm_core::Error> {
    Ok(Arc::new(Mongo::of(settings)))
}
