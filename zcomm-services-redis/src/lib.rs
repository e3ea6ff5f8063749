//! Redis: what it is, how it is started, how it answers.
//!
//! Linking this crate registers the driver under the name `redis`; the facade's feature `redis` links it.
//!
//! ```
//! use std::sync::Arc;
//! use zcomm_core::{Registry, Settings};
//! use zcomm_services::{Manager, Port, StartOptions};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let project = tempfile::tempdir().unwrap();
//! # let project = project.path();
//! let registry = Arc::new(Registry::of([zcomm_services_redis::PLUGIN])?);
//! let settings = Settings::defaults(registry.keys());
//! let manager = Manager::new(registry, settings, project);
//!
//! let status = manager.start("redis", StartOptions::new().port(Port::AnyFree).throw_away()).await?;
//! assert!(status.running && status.ours);
//! manager.stop("redis").await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod config;
mod driver;
mod error;
mod resp;

use std::sync::Arc;

use zcomm_core::service::ServiceDriver;
use zcomm_core::{Plugin, Settings};

pub use config::KEYS;
pub use driver::Redis;
pub use error::Error;

/// What this crate brings.
pub const PLUGIN: Plugin = Plugin::new("redis", env!("CARGO_PKG_NAME"))
    .keys(KEYS)
    .driver(make_driver);

zcomm_core::inventory::submit!(PLUGIN);

fn make_driver(_: &Settings) -> Result<Arc<dyn ServiceDriver>, zcomm_core::Error> {
    Ok(Arc::new(Redis))
}
