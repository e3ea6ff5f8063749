//! Answers of servers elsewhere, kept as RFC 9111 allows a private cache. Sends nothing by itself.

mod body;
mod layer;
mod variants;

pub use layer::{HttpCacheLayer, HttpCached};
pub(crate) use variants::Variants;
