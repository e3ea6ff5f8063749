//! zBifrost: CRUD and events over a socket, and the same over plain HTTP. Opens no sockets: that is the server's.
//!
//! A message is an object with an `event`, and its reply carries its `_requestId`. What a message asks for goes through
//! one [tower] stack as `POST /<event>`, whether it came over a socket or over HTTP, so layers of the
//! application fit both ways.

mod app;
mod assets;
mod audience;
mod builder;
mod call;
mod console;
mod display;
mod envelope;
mod events;
mod fault;
mod files;
mod front;
mod live;
mod notices;
mod offer;
mod plain;
mod question;
mod questions;
mod rate;
mod relaxed;
mod remote;
mod renewed;
mod resolve;
mod route;
mod router;
mod running;
mod strict;
mod topic;
mod topics;

pub mod reply;

pub use app::App;
pub use audience::Audience;
pub use builder::BifrostBuilder;
pub use call::Call;
pub use display::Display;
pub use question::Question;
pub use remote::Remote;
pub use route::Route;
pub use running::Bifrost;
pub use topic::{Topic, Who};

/// The version of the protocol that `connection_info` names.
pub const PROTOCOL: &str = "2";
