//! The seams of zcomm: what its crates share, and what a plugin implements.
//!
//! Everything zcomm moves is an [`http::Request`]`<`[`Body`]`>` that goes through a [`tower::Service`] and comes back
//! as an [`http::Response`]`<`[`Body`]`>`. Four traits say what is particular, and each has a layer:
//!
//! | trait | its layer | says |
//! |---|---|---|
//! | [`Transport`] | [`TransportLayer`] | how an address is reached |
//! | [`AuthPolicy`] | [`AuthLayer`] | who a caller is, and what it may do |
//! | [`CacheKeyer`] | `CacheLayer` of `zcomm-cache` | under which key an answer may be kept |
//! | [`ServiceDriver`] | [`RequireLayer`] | what a local service is |
//!
//! What the rows behind a request are, who may have them and what keeps them is [`data`].
//!
//! Apart from looking at a port ([`net`]) and at files of tokens and keys ([`auth`]), this crate does no I/O.

pub mod auth;
pub mod cache;
pub mod data;
pub mod net;
pub mod service;
pub mod settings;
pub mod transport;

mod action;
mod body;
mod caller;
mod code;
mod command;
mod deadline;
mod error;
mod identity;
mod plugin;
mod registry;
mod secret;

pub use action::{Action, Operation};
pub use auth::{
    AuthLayer, AuthPolicy, Credentials, Layered, NewToken, Open, Refusal, TokenEntry, TokenFile,
    TokenFileError, TokenList, TokenRecord, TokenSource,
};
#[cfg(feature = "jwt")]
pub use auth::{Jwt, JwtError, JwtKey, PLUGIN_JWT};
pub use body::Body;
pub use cache::{
    AnswerCache, CacheKey, CacheKeyer, CacheRequest, CacheStats, CachedMark, Clearing, Recallable,
    Remembered,
};
pub use caller::{Caller, ConnectionId, Peer};
pub use code::Code;
pub use command::{CacheWish, Command};
pub use data::{
    Access, Committed, DataError, MemoryStore, Model, Permitted, Query, Schema, Store, Write,
};
pub use deadline::{Deadline, DeadlineLayer, Timed, TimedFuture};
pub use error::{BoxError, Coded, Error, Phase};
pub use identity::{AuthContext, DEFAULT_APP, Identity, Scope};
pub use plugin::{MakeDriver, MakePolicy, MakeTransport, OpenStore, Plugin, PluginKind};
pub use registry::{Fix, Registry, RegistryError};
pub use secret::{Secret, SecretDigest};
pub use service::{RequireLayer, ServiceDriver};
pub use settings::Settings;
pub use transport::{
    BoxService, Channel, Credential, EventStream, Transport, TransportCx, TransportLayer,
};

#[doc(no_inline)]
pub use inventory;

/// The guide is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/write-a-driver.md")]
mod write_a_driver {}
