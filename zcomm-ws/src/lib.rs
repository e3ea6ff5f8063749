//! WebSocket for zcomm: the frame engine, and what is built on it.

pub mod bifrost;
pub mod frame;
pub mod hub;
pub mod server;

mod error;
mod metrics;

pub use error::{Error, TlsFile};

use zcomm_core::Plugin;
use zcomm_core::settings::WEBSOCKET_KEYS;

/// What this crate brings to a program: the settings of its server.
pub const PLUGIN: Plugin = Plugin::new("bifrost", env!("CARGO_PKG_NAME"))
    .aliases(&["websocket"])
    .keys(WEBSOCKET_KEYS);
zcomm_core::inventory::submit!(PLUGIN);
