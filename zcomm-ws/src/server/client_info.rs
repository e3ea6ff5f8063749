//! Who is at the other end of a connection, as plain values. Holds no token and no handle.

use std::net::SocketAddr;

use serde::Serialize;

use super::Connection;

/// What an application may want to know, log or send on about a client: the guides' `get_client_info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The connection's number.
    pub id: u64,
    /// Where it comes from, once trusted proxies have been looked through.
    pub address: Option<SocketAddr>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// The path it was opened with.
    pub path: String,
    /// The subprotocol that was agreed on.
    pub protocol: Option<String>,
    /// Whether somebody vouched for the client.
    pub authenticated: bool,
    /// The user's name; none for a guest.
    pub user: Option<String>,
    /// The application it belongs to.
    pub app: String,
    /// The roles it has.
    pub roles: Vec<String>,
    /// In which of the guides' tiers it was authenticated.
    pub context: &'static str,
}

impl ClientInfo {
    pub(super) fn of(connection: &Connection) -> Self {
        let identity = connection.identity();
        Self {
            id: connection.id().as_u64(),
            address: connection.remote_addr(),
            encrypted: connection.peer().encrypted,
            path: connection.path().to_owned(),
            protocol: connection.protocol().map(ToOwned::to_owned),
            authenticated: identity.name().is_some(),
            user: identity.name().map(ToOwned::to_owned),
            app: identity.app().to_owned(),
            roles: identity.roles().iter().map(ToString::to_string).collect(),
            context: identity.context().as_str(),
        }
    }
}
