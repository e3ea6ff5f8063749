//! The communication of an application in one dependency: [`Comm`] is the way in.
#![cfg_attr(all(feature = "http", feature = "redis"), doc = include_str!("../README.md"))]

#[cfg(feature = "bifrost")]
pub mod data;
pub mod settings;

#[cfg(feature = "blocking")]
pub mod blocking;

mod builder;
mod comm;
mod compose;
mod error;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "bifrost")]
mod schemas;

pub use builder::CommBuilder;
pub use comm::Comm;
pub use error::Error;

/// The traits, the envelope and everything else that plugins are made of.
#[doc(inline)]
pub use zcomm_core as core;
#[doc(inline)]
pub use zcomm_core::net;

#[cfg(feature = "http")]
#[doc(inline)]
pub use zcomm_http as http;
#[cfg(feature = "services")]
#[doc(inline)]
pub use zcomm_services as services;
#[cfg(any(feature = "ws", feature = "ws-client"))]
#[doc(inline)]
pub use zcomm_ws as ws;

// The guides are compiled as their readers would compile them.
#[cfg(all(doctest, feature = "ws"))]
#[doc = include_str!("../docs/websocket-server.md")]
struct WebSocketServerGuide;

// A crate that is only listed in Cargo.toml is not linked, and would register nothing, silently.
#[cfg(feature = "postgres")]
use zcomm_services_postgres as _;
#[cfg(feature = "redis")]
use zcomm_services_redis as _;
