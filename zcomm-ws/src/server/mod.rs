//! A WebSocket server: handshake, one engine per connection, a hub over all of them. The protocol above is a handler's.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use zcomm_ws::server::{Server, ServerConfig, sync_handler};
//!
//! let mut config = ServerConfig::default();
//! config.port = 0;
//! let server = Server::builder()
//!     .config(config)
//!     .handler(sync_handler(|cx, message| cx.reply(message)))
//!     .bind()
//!     .await?;
//! assert_ne!(server.local_addr().port(), 0);
//!
//! server.shutdown();
//! assert_eq!(server.wait().await.cut, 0);
//! # Ok::<(), zcomm_ws::Error>(())
//! # }).unwrap();
//! ```

mod accept;
mod adapter;
mod admission;
mod arrival;
mod builder;
mod client_info;
#[cfg_attr(not(feature = "compression"), path = "no_compression.rs")]
mod compression;
mod config;
mod connection;
mod door;
mod engine;
mod handler;
mod handshake;
mod hooks;
mod inflight;
mod message_service;
mod opening;
mod origin;
mod outbox;
mod output;
mod packing;
mod pages;
mod probes;
mod proxies;
mod proxy_header;
mod refuse;
mod reply;
mod rewind;
mod run;
mod scratch;
mod signals;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod upgrade;
#[cfg(target_os = "linux")]
mod workers;

pub use accept::{Drained, ServerHandle, Stopper};
pub use adapter::{AsyncHandler, SyncHandler, async_handler, sync_handler};
pub use builder::{Idle, Server, ServerBuilder};
pub use client_info::ClientInfo;
pub use config::{Reject, ServerConfig};
pub use connection::Connection;
pub(crate) use connection::{Deflation, Shared};
pub(crate) use door::Door;
pub use handler::{Cx, Handler, Saturated};
pub use hooks::{OnConnect, OnDisconnect};
pub use message_service::ServiceHandler;
pub use origin::OriginVerdict;
pub(crate) use outbox::Pushed;
pub use reply::{CloseReason, Reply};
pub(crate) use run::block_on;
pub use signals::Signals;
