//! Answers to commands: the layer that keeps them, the look-up by message, the loads that several wait for.

mod answers;
mod flights;
mod keyer;
mod layer;
mod load;
mod server;

pub use answers::Answers;
pub use keyer::PerIdentity;
pub use layer::{CacheFuture, CacheLayer, Cached};
pub(crate) use server::Server;
