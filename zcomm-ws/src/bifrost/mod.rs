//! zBifrost: CRUD and events over a socket, and the same over plain HTTP. Opens no sockets: that is the server's.
//!
//! A message is an object with an `event`, and its reply carries its `_requestId`. What a message asks for goes through
//! one [tower] stack as `POST /<event>`, whether it came over a socket or over HTTP, so layers of the
//! application fit both ways.

mod app;
mod assets;
mod builder;
mod console;
mod envelope;
mod events;
mod fault;
mod front;
mod notices;
mod plain;
mod rate;
mod resolve;
mod router;
mod strict;

pub mod reply;

pub use app::App;
pub use builder::{Bifrost, BifrostBuilder};

/// The version of the protocol that `connection_info` names.
pub const PROTOCOL: &str = "2";
