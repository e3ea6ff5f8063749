//! WebSocket for zcomm: the frame engine, and what is built on it.

#[cfg(feature = "server")]
pub mod bifrost;
#[cfg(feature = "client")]
pub mod client;
pub mod frame;
#[cfg(feature = "server")]
pub mod hub;
#[cfg(feature = "server")]
pub mod server;

mod error;
#[cfg(feature = "server")]
mod metrics;

pub use error::{Error, TlsFile};

#[cfg(any(feature = "client", feature = "server"))]
use zcomm_core::Plugin;
#[cfg(feature = "server")]
use zcomm_core::settings::WEBSOCKET_KEYS;

/// What the server brings to a program: its settings.
#[cfg(feature = "server")]
pub const PLUGIN: Plugin = Plugin::new("websocket", env!("CARGO_PKG_NAME")).keys(WEBSOCKET_KEYS);
#[cfg(feature = "server")]
zcomm_core::inventory::submit!(PLUGIN);

/// What the client brings to a program: the transport for `ws` and `wss`.
#[cfg(feature = "client")]
pub const PLUGIN_CLIENT: Plugin = Plugin::new("ws", env!("CARGO_PKG_NAME"))
    .aliases(&["wss"])
    .transport(client::make_transport);
#[cfg(feature = "client")]
zcomm_core::inventory::submit!(PLUGIN_CLIENT);
