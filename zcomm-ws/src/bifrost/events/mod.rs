//! The events that every server answers, one file per family.

mod auth;
mod cache;
mod command;
mod connection;
mod discovery;
mod dispatch;
mod schema;
mod subscribe;

use std::sync::Arc;

use super::router::Events;

pub(super) use discovery::usable;

/// All of them, by name.
pub(super) fn all() -> Events {
    let mut events = Events::new();
    events.insert("auth", Arc::new(auth::Auth));
    events.insert("discover", Arc::new(discovery::Discover));
    events.insert("subscribe", Arc::new(subscribe::Subscribe));
    events.insert("unsubscribe", Arc::new(subscribe::Unsubscribe));
    events.insert("publish", Arc::new(subscribe::Publish));
    events.insert("introspect", Arc::new(discovery::Introspect));
    events.insert("connection_info", Arc::new(connection::ConnectionInfo));
    events.insert("ping", Arc::new(connection::Ping));
    events.insert("get_schema", Arc::new(schema::GetSchema));
    events.insert("cache_stats", Arc::new(cache::CacheStats));
    events.insert("clear_cache", Arc::new(cache::ClearCache));
    events.insert("set_cache_ttl", Arc::new(cache::SetCacheTtl));
    events.insert("dispatch", Arc::new(dispatch::Dispatch));
    events
}
