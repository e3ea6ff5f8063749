//! Puts the stacks together: the one place that sees all crates at once.

#[cfg(feature = "bifrost")]
mod bifrost;
#[cfg(feature = "cache")]
mod cache;
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
mod data;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "ws")]
mod policy;
#[cfg(feature = "services")]
mod services;
mod verify;
#[cfg(feature = "ws")]
mod websocket;

#[cfg(feature = "bifrost")]
pub(crate) use bifrost::builder as bifrost;
#[cfg(all(feature = "bifrost", feature = "cache"))]
pub(crate) use cache::around as cached;
#[cfg(feature = "cache")]
pub(crate) use cache::of as cache;
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
pub(crate) use data::data;
#[cfg(feature = "http")]
pub(crate) use http::{builder as http_builder, client as http_client};
#[cfg(feature = "ws")]
pub(crate) use policy::{idle_tokens, of as policy};
#[cfg(feature = "services")]
pub(crate) use services::manager as services;
pub(crate) use verify::verify;
#[cfg(feature = "ws")]
pub(crate) use websocket::server as websocket;
