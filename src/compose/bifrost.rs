//! The zBifrost server that the settings describe. Binds nothing.

use std::time::Duration;

use zcomm_ws::bifrost::{Bifrost, BifrostBuilder};
use zcomm_ws::server::ServerConfig;

use super::data::access;
use super::{policy, websocket};
use crate::comm::Inner;
use crate::core::Settings;
use crate::error::Error;

/// A server without models.
///
/// # Errors
///
/// As the policy's and the server's.
pub(crate) fn builder(comm: &Inner) -> Result<BifrostBuilder, Error> {
    let settings = &comm.settings;
    let rate = |key| {
        settings
            .count(key)
            .and_then(|rate| u32::try_from(rate).ok())
            .unwrap_or(u32::MAX)
    };
    let mut builder = Bifrost::builder()
        .auth(policy::of(comm)?)
        .access(access(settings))
        .config(config(settings))
        .message_rate(
            rate("websocket.message_rate"),
            rate("websocket.message_burst"),
        )
        .request_timeout(
            settings
                .duration("request_timeout")
                .unwrap_or(Duration::from_secs(30)),
        );
    if let Some(limit) = settings.duration("websocket.auth_timeout") {
        builder = builder.auth_timeout(limit);
    }
    if let Some(size) = settings.size("websocket.max_reply_size") {
        builder = builder.max_reply_size(usize::try_from(size).unwrap_or(usize::MAX));
    }
    if let Some(most) = settings.count("websocket.max_subscriptions") {
        builder = builder.max_subscriptions(usize::try_from(most).unwrap_or(usize::MAX));
    }
    Ok(builder)
}
/// As of any server; only zBifrost knows what to do with a token that comes as a message.
fn config(settings: &Settings) -> ServerConfig {
    let mut config = websocket::config(settings);
    config.first_message_auth = settings.flag("websocket.first_message_auth");
    config
}
