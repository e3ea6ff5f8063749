//! Puts the stacks together: the one place that sees all crates at once.

#[cfg(feature = "bifrost")]
mod bifrost;
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
mod data;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "ws")]
mod policy;
#[cfg(feature = "services")]
mod services;
#[cfg(feature = "ws")]
mod websocket;

#[cfg(feature = "bifrost")]
pub(crate) use bifrost::builder as bifrost;
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
pub(crate) use data::data;
#[cfg(feature = "http")]
pub(crate) use http::{builder as http_builder, client as http_client};
#[cfg(feature = "services")]
pub(crate) use services::manager as services;
#[cfg(feature = "ws")]
pub(crate) use websocket::server as websocket;
