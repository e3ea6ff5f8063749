//! The zBifrost server that the settings describe. Binds nothing.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use zcomm_ws::bifrost::{Bifrost, BifrostBuilder};

use super::{policy, websocket};
use crate::core::Settings;
use crate::core::data::{Access, CursorKey, DefaultAccess};
use crate::error::Error;

/// A server without models.
///
/// # Errors
///
/// As the policy's and the server's.
pub(crate) fn builder(settings: &Settings, project: &Path) -> Result<BifrostBuilder, Error> {
    let config = websocket::config(settings)?;
    let loopback = is_loopback(&config.host) && config.allowed_hosts.is_empty();
    let access = access(settings, config.require_auth, loopback);
    let rate = |key| {
        settings
            .count(key)
            .and_then(|rate| u32::try_from(rate).ok())
            .unwrap_or(u32::MAX)
    };
    let request = settings
        .duration("request_timeout")
        .unwrap_or(Duration::from_secs(30));
    Ok(Bifrost::builder()
        .auth(policy::of(settings, project)?)
        .access(access)
        .config(config)
        .message_rate(
            rate("websocket.message_rate"),
            rate("websocket.message_burst"),
        )
        .request_timeout(request))
}

fn access(settings: &Settings, require_auth: bool, loopback: bool) -> Access {
    let default_access = match settings.text("default_access") {
        Some("authenticated") => DefaultAccess::Authenticated,
        _ => DefaultAccess::Denied,
    };
    let mut access = Access::new()
        .auth(require_auth)
        .loopback(loopback)
        .default_access(default_access)
        .admin_roles(settings.list("admin_roles").iter().map(String::as_str));
    if let Some(rows) = settings.count("max_rows") {
        access = access.max_rows(rows);
    }
    match settings.secret("cursor_key") {
        Some(secret) => access.cursor_key(CursorKey::from_secret(secret)),
        None => access,
    }
}

/// Whether only this machine can reach the host. A name that cannot be resolved is none of ours.
fn is_loopback(host: &str) -> bool {
    let Ok(addresses) = (host, 0).to_socket_addrs() else {
        return false;
    };
    let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
    !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback)
}
