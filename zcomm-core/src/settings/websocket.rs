//! The rows of the WebSocket server: address, who may connect, TLS, and every limit. Enforces none.

use super::Key;

/// The longest time span that a limit of the server takes: a day.
const DAY: u64 = 86_400_000;
const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * 1024;

/// The settings of the section `websocket`; the plugin that serves WebSockets submits them.
pub const WEBSOCKET_KEYS: &[Key] = &[
    Key::text("websocket.host")
        .env("WEBSOCKET_HOST")
        .default("127.0.0.1")
        .doc("Address to listen on."),
    Key::port("websocket.port")
        .env("WEBSOCKET_PORT")
        .default("8765")
        .doc("Port to listen on; 0 takes a free one."),
    Key::flag("websocket.require_auth")
        .env("WEBSOCKET_REQUIRE_AUTH")
        .default("false")
        .doc("Whether a client must show a token."),
    Key::text("websocket.token")
        .env("WEBSOCKET_TOKEN")
        .secret()
        .doc("The token that clients show."),
    Key::list("websocket.allowed_origins")
        .env("WEBSOCKET_ALLOWED_ORIGINS")
        .default("")
        .doc("Origins of the web pages that may connect; none lets in pages of this machine only."),
    Key::list("websocket.allowed_hosts")
        .env("WEBSOCKET_ALLOWED_HOSTS")
        .default("")
        .doc("Values of the `Host` header that are answered, besides those of this machine."),
    Key::list("websocket.trusted_proxies")
        .env("WEBSOCKET_TRUSTED_PROXIES")
        .default("")
        .doc("Proxies, as addresses or networks like `10.0.0.0/8`, whose `Forwarded`, `X-Forwarded-For` and PROXY protocol are believed."),
    Key::flag("websocket.allow_insecure")
        .env("WEBSOCKET_ALLOW_INSECURE")
        .default("false")
        .doc("Permits to listen without TLS beyond this machine."),
    Key::flag("websocket.ssl_enabled")
        .env("WEBSOCKET_SSL_ENABLED")
        .default("false")
        .doc("Whether to serve `wss://`; without a usable certificate the start fails."),
    Key::path("websocket.ssl_cert")
        .env("WEBSOCKET_SSL_CERT")
        .doc("The certificate and its chain, as PEM."),
    Key::path("websocket.ssl_key")
        .env("WEBSOCKET_SSL_KEY")
        .doc("The certificate's private key, as PEM."),
    Key::duration("websocket.ssl_reload_interval")
        .env("WEBSOCKET_SSL_RELOAD_INTERVAL")
        .default("10s")
        .between(1, DAY)
        .doc("How often certificate and key are looked at for a change."),
    Key::choice("websocket.reject", &["close", "http"])
        .env("WEBSOCKET_REJECT")
        .default("close")
        .doc("How a client is refused: by close code 1008, which pages can see, or by an HTTP status."),
    Key::duration("websocket.refusal_delay")
        .env("WEBSOCKET_REFUSAL_DELAY")
        .default("100ms")
        .between(0, 60_000)
        .doc("How long a refusal is held back."),
    Key::flag("websocket.files_without_token")
        .env("WEBSOCKET_FILES_WITHOUT_TOKEN")
        .default("true")
        .doc("Whether raw handlers on loopback that list `file://` take pages from disk without a token; zBifrost never does."),
    Key::list("websocket.subprotocols")
        .env("WEBSOCKET_SUBPROTOCOLS")
        .default("zcomm")
        .doc("Subprotocols that are spoken, the preferred one first."),
    Key::flag("websocket.metrics")
        .env("WEBSOCKET_METRICS")
        .default("true")
        .doc("Whether `/metrics` is answered; beyond this machine it needs a token."),
    Key::size("websocket.max_message_size")
        .env("WEBSOCKET_MAX_MESSAGE_SIZE")
        .default("1MiB")
        .between(1, GIB)
        .doc("The largest message that is taken from a client, inflated or not."),
    Key::count("websocket.max_fragments")
        .env("WEBSOCKET_MAX_FRAGMENTS")
        .default("4096")
        .between(1, 1_000_000)
        .doc("Fragments that one message may consist of."),
    Key::size("websocket.max_frame_size")
        .env("WEBSOCKET_MAX_FRAME_SIZE")
        .default("0")
        .between(0, GIB)
        .doc("Messages larger than this are sent in several frames; 0 never parts them."),
    Key::size("websocket.max_reply_size")
        .env("WEBSOCKET_MAX_REPLY_SIZE")
        .default("16MiB")
        .between(1, GIB)
        .doc("The largest reply; a larger one fails as `too_large`."),
    Key::duration("websocket.handshake_timeout")
        .env("WEBSOCKET_HANDSHAKE_TIMEOUT")
        .default("5s")
        .between(1, DAY)
        .doc("From the accepted connection to the finished handshake, TLS included."),
    Key::size("websocket.max_head_size")
        .env("WEBSOCKET_MAX_HEAD_SIZE")
        .default("16KiB")
        .between(KIB, 1024 * KIB)
        .doc("The largest head of an HTTP request."),
    Key::count("websocket.max_headers")
        .env("WEBSOCKET_MAX_HEADERS")
        .default("100")
        .between(1, 1000)
        .doc("Headers that one HTTP request may have."),
    Key::flag("websocket.first_message_auth")
        .env("WEBSOCKET_FIRST_MESSAGE_AUTH")
        .default("false")
        .doc("Whether a token may come as the first message, `{\"event\":\"auth\",\"token\":…}`, on a zBifrost server."),
    Key::duration("websocket.auth_timeout")
        .env("WEBSOCKET_AUTH_TIMEOUT")
        .default("10s")
        .between(1, DAY)
        .doc("How long the first message may take where it carries the token."),
    Key::duration("websocket.close_timeout")
        .env("WEBSOCKET_CLOSE_TIMEOUT")
        .default("2s")
        .between(1, DAY)
        .doc("How long to wait for the other side's half of the close handshake."),
    Key::duration("websocket.write_timeout")
        .env("WEBSOCKET_WRITE_TIMEOUT")
        .default("30s")
        .between(1, DAY)
        .doc("How long a client may take nothing of what is sent to it."),
    Key::duration("websocket.ping_interval")
        .env("WEBSOCKET_PING_INTERVAL")
        .default("30s")
        .between(1, DAY)
        .doc("How often a silent client is pinged."),
    Key::duration("websocket.pong_timeout")
        .env("WEBSOCKET_PONG_TIMEOUT")
        .default("10s")
        .between(1, DAY)
        .doc("How long an answer to a ping may take before the client counts as gone."),
    Key::size("websocket.outbox_size")
        .env("WEBSOCKET_OUTBOX_SIZE")
        .default("1MiB")
        .between(1, GIB)
        .doc("Bytes that wait for a slow client before it is cut off."),
    Key::count("websocket.outbox_messages")
        .env("WEBSOCKET_OUTBOX_MESSAGES")
        .default("1024")
        .between(1, 1_000_000)
        .doc("Messages that wait for a slow client before it is cut off."),
    Key::count("websocket.max_in_flight")
        .env("WEBSOCKET_MAX_IN_FLIGHT")
        .default("32")
        .between(1, 100_000)
        .doc("Requests of one connection that are worked on at the same time."),
    Key::count("websocket.message_rate")
        .env("WEBSOCKET_MESSAGE_RATE")
        .default("1000")
        .doc("Messages per second and connection; 0 sets no limit. Raw handlers have none."),
    Key::count("websocket.message_burst")
        .env("WEBSOCKET_MESSAGE_BURST")
        .default("2000")
        .doc("Messages of one connection that may come at once."),
    Key::count("websocket.max_connections")
        .env("WEBSOCKET_MAX_CONNECTIONS")
        .default("10000")
        .between(1, 10_000_000)
        .doc("Connections in all."),
    Key::count("websocket.max_connections_per_address")
        .env("WEBSOCKET_MAX_CONNECTIONS_PER_ADDRESS")
        .default("200")
        .between(1, 10_000_000)
        .doc("Connections from one address; this machine is exempt."),
    Key::count("websocket.max_connections_per_user")
        .env("WEBSOCKET_MAX_CONNECTIONS_PER_USER")
        .default("20")
        .between(1, 10_000_000)
        .doc("Connections of one user; guests are exempt."),
    Key::count("websocket.connection_rate")
        .env("WEBSOCKET_CONNECTION_RATE")
        .default("500")
        .between(1, 1_000_000)
        .doc("New connections per second."),
    Key::count("websocket.auth_failures_per_minute")
        .env("WEBSOCKET_AUTH_FAILURES_PER_MINUTE")
        .default("10")
        .between(1, 1_000_000)
        .doc("Failed authentications of one address before it is refused."),
    Key::count("websocket.max_subscriptions")
        .env("WEBSOCKET_MAX_SUBSCRIPTIONS")
        .default("100")
        .between(1, 1_000_000)
        .doc("Subscriptions of one connection."),
    Key::duration("websocket.drain_timeout")
        .env("WEBSOCKET_DRAIN_TIMEOUT")
        .default("10s")
        .between(1, DAY)
        .doc("How long a stopping server waits for its clients."),
    Key::flag("websocket.compression")
        .env("WEBSOCKET_COMPRESSION")
        .default("false")
        .doc("Whether permessage-deflate is offered."),
    Key::flag("websocket.compression_context_takeover")
        .env("WEBSOCKET_COMPRESSION_CONTEXT_TAKEOVER")
        .default("false")
        .doc(
            "Whether a connection keeps its compressor between messages: smaller, at 300 KB each.",
        ),
    Key::size("websocket.compression_threshold")
        .env("WEBSOCKET_COMPRESSION_THRESHOLD")
        .default("256")
        .between(0, GIB)
        .doc("Messages below this size are sent uncompressed."),
];
