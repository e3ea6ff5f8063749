//! Whom the server's own code speaks to. Judges rights over no rows.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use zcomm_core::{ConnectionId, Identity};

use crate::error::Error;
use crate::hub::{Encoded, Hub};

/// Whom a broadcast is for.
///
/// ```
/// use zcomm_ws::bifrost::Audience;
/// use zcomm_core::Identity;
///
/// let ada = Identity::user("ada").with_roles(["admin"]).with_app("shop");
/// assert!(Audience::All.includes(&ada));
/// assert!(Audience::role("admin").includes(&ada));
/// assert!(!Audience::app("bank").includes(&ada));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Audience {
    /// Everybody who is connected.
    All,
    /// The clients of one application.
    App(Arc<str>),
    /// One user, on all of their connections.
    User(Arc<str>),
    /// Those who have a role.
    Role(Arc<str>),
}

impl Audience {
    /// The clients of one application.
    pub fn app(name: impl Into<Arc<str>>) -> Self {
        Self::App(name.into())
    }

    /// One user, on all of their connections.
    pub fn user(name: impl Into<Arc<str>>) -> Self {
        Self::User(name.into())
    }

    /// Those who have a role.
    pub fn role(name: impl Into<Arc<str>>) -> Self {
        Self::Role(name.into())
    }

    /// Whether somebody is one of them.
    pub fn includes(&self, who: &Identity) -> bool {
        match self {
            Self::All => true,
            Self::App(app) => who.app() == &**app,
            Self::User(user) => who.name() == Some(&**user),
            Self::Role(role) => who.has_role(role),
        }
    }
}

/// Sends an object to some of those who are connected; returns how many took it.
///
/// # Errors
///
/// [`Error::NotForAll`] for what a client could take for the answer to a request of its own.
pub(super) fn broadcast(
    hub: &Hub,
    object: &Value,
    exclude: Option<ConnectionId>,
    to: &Audience,
) -> Result<usize, Error> {
    let members = object.as_object().ok_or(Error::NotForAll)?;
    if ["result", "error", "_requestId"]
        .into_iter()
        .any(|name| members.contains_key(name))
    {
        return Err(Error::NotForAll);
    }
    let (message, now) = (
        Encoded::from(object.to_string()).for_many(),
        SystemTime::now(),
    );
    let connections = hub.connections().into_iter();
    let meant = connections.filter(|connection| {
        let who = connection.identity();
        let is_known = !connection.awaits_auth() && !who.is_expired(now);
        is_known && Some(connection.id()) != exclude && to.includes(&who)
    });
    Ok(meant.filter(|connection| connection.push(&message)).count())
}
