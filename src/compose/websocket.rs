//! The server that the settings describe. Binds nothing.

use zcomm_ws::server::{Idle, Reject, Server, ServerBuilder, ServerConfig};

use super::policy;
use crate::comm::Inner;
use crate::core::Settings;
use crate::error::Error;

/// A server without a handler.
///
/// # Errors
///
/// As the policy's.
pub(crate) fn server(comm: &Inner) -> Result<ServerBuilder<Idle>, Error> {
    let policy = policy::of(comm)?;
    Ok(Server::builder()
        .config(config(&comm.settings))
        .auth(policy))
}

/// The limits and rules of the table, as the server wants them.
pub(super) fn config(settings: &Settings) -> ServerConfig {
    let mut config = ServerConfig::default();
    let text = |key| settings.text(key).map(ToOwned::to_owned);
    config.host = text("websocket.host").unwrap_or(config.host);
    config.port = settings.port("websocket.port").unwrap_or(config.port);
    config.require_auth = settings.flag("websocket.require_auth");
    config.allow_insecure = settings.flag("websocket.allow_insecure");
    config.allowed_origins = settings.list("websocket.allowed_origins").to_vec();
    config.allowed_hosts = settings.list("websocket.allowed_hosts").to_vec();
    config.trusted_proxies = settings.list("websocket.trusted_proxies").to_vec();
    config.subprotocols = settings.list("websocket.subprotocols").to_vec();
    config.files_without_token = settings.flag("websocket.files_without_token");
    config.metrics = settings.flag("websocket.metrics");
    if settings.text("websocket.reject") == Some("http") {
        config.reject = Reject::Http;
    }
    tls(settings, &mut config);
    sizes(settings, &mut config);
    times(settings, &mut config);
    config
}

fn tls(settings: &Settings, config: &mut ServerConfig) {
    let path = |key| settings.path(key).map(ToOwned::to_owned);
    config.ssl_enabled = settings.flag("websocket.ssl_enabled");
    config.ssl_cert = path("websocket.ssl_cert");
    config.ssl_key = path("websocket.ssl_key");
    if let Some(interval) = settings.duration("websocket.ssl_reload_interval") {
        config.ssl_reload_interval = interval;
    }
}

fn sizes(settings: &Settings, config: &mut ServerConfig) {
    let whole = |set: Option<u64>, default: usize| {
        set.and_then(|number| usize::try_from(number).ok())
            .unwrap_or(default)
    };
    let size = |key, default| whole(settings.size(key), default);
    let count = |key, default| whole(settings.count(key), default);
    config.max_message_size = size("websocket.max_message_size", config.max_message_size);
    config.max_frame_size = size("websocket.max_frame_size", config.max_frame_size);
    config.max_head_size = size("websocket.max_head_size", config.max_head_size);
    config.outbox_size = size("websocket.outbox_size", config.outbox_size);
    config.max_headers = count("websocket.max_headers", config.max_headers);
    config.outbox_messages = count("websocket.outbox_messages", config.outbox_messages);
    config.max_in_flight = count("websocket.max_in_flight", config.max_in_flight);
    config.max_connections = count("websocket.max_connections", config.max_connections);
    config.max_connections_per_address = count(
        "websocket.max_connections_per_address",
        config.max_connections_per_address,
    );
    config.max_connections_per_user = count(
        "websocket.max_connections_per_user",
        config.max_connections_per_user,
    );
    rates(settings, config);
    compression(settings, config);
}

fn compression(settings: &Settings, config: &mut ServerConfig) {
    config.compression = settings.flag("websocket.compression");
    config.compression_context_takeover = settings.flag("websocket.compression_context_takeover");
    let threshold = settings.size("websocket.compression_threshold");
    if let Some(threshold) = threshold.and_then(|size| usize::try_from(size).ok()) {
        config.compression_threshold = threshold;
    }
}

fn rates(settings: &Settings, config: &mut ServerConfig) {
    let count = |key, default: u32| {
        let set = settings.count(key);
        set.and_then(|number| u32::try_from(number).ok())
            .unwrap_or(default)
    };
    config.max_fragments = count("websocket.max_fragments", config.max_fragments);
    config.connection_rate = count("websocket.connection_rate", config.connection_rate);
    config.auth_failures_per_minute = count(
        "websocket.auth_failures_per_minute",
        config.auth_failures_per_minute,
    );
}

fn times(settings: &Settings, config: &mut ServerConfig) {
    let time = |key, default| settings.duration(key).unwrap_or(default);
    config.handshake_timeout = time("websocket.handshake_timeout", config.handshake_timeout);
    config.close_timeout = time("websocket.close_timeout", config.close_timeout);
    config.write_timeout = time("websocket.write_timeout", config.write_timeout);
    config.refusal_delay = time("websocket.refusal_delay", config.refusal_delay);
    config.ping_interval = time("websocket.ping_interval", config.ping_interval);
    config.pong_timeout = time("websocket.pong_timeout", config.pong_timeout);
    config.drain_timeout = time("websocket.drain_timeout", config.drain_timeout);
}
