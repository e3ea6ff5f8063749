//! The rows that belong to no plugin, and the sections of all first-party plugins. Parses nothing.

use super::Key;

/// The settings of every build, whatever its features are.
pub const KEYS: &[Key] = &[
    Key::text("title")
        .env("ZCOMM_TITLE")
        .default("zcomm")
        .doc("Name of the application in ready lines and logs."),
    Key::choice("zMode", &["Terminal", "zBifrost"])
        .env("ZCOMM_ZMODE")
        .doc("Taken for the guides' sake, and changes nothing: a program says what it serves by what it calls, and `zcomm serve` serves zBifrost."),
    Key::choice("deployment", &["Development", "Testing", "Production"])
        .env("ZCOMM_DEPLOYMENT")
        .default("Production")
        .doc("Development shows what starts and when it is ready; the others stay quiet."),
    Key::choice(
        "logger",
        &["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "PROD"],
    )
    .env("ZCOMM_LOGGER")
    .default("INFO")
    .doc("The least level that is logged; PROD writes the file and nothing to the terminal."),
    Key::path("logger_path")
        .env("ZCOMM_LOGGER_PATH")
        .doc("Folder of the log file; without it only PROD writes one, to ./logs."),
    Key::list("services")
        .env("ZCOMM_SERVICES")
        .default("")
        .doc("Local services that the application needs; `zcomm up` starts them all."),
    Key::path("schema_path")
        .env("ZCOMM_SCHEMA_PATH")
        .default("./schemas")
        .doc("Folder of the `zSchema.*.yaml` files that describe the models."),
    Key::text("store")
        .env("ZCOMM_STORE")
        .secret()
        .doc("Address of the store, such as `sqlite://./data.db`, `sqlite::memory:` or `memory:`; without it, an application keeps rows in memory, and `zcomm serve` and `zcomm data` in `.zcomm/data.db` of the project."),
    Key::flag("auto_migrate")
        .env("ZCOMM_AUTO_MIGRATE")
        .default("true")
        .doc("Whether what the schema has and the store lacks is added when the store is first used; nothing is ever dropped or changed."),
    Key::choice("default_access", &["denied", "authenticated"])
        .env("ZCOMM_DEFAULT_ACCESS")
        .default("denied")
        .doc("Who may use a model without access rules where authentication is required."),
    Key::list("admin_roles")
        .env("ZCOMM_ADMIN_ROLES")
        .default("admin")
        .doc("Roles that may use every model; with authentication off nobody has them."),
    Key::text("policy")
        .env("ZCOMM_POLICY")
        .doc("The policy plugin that says who callers are, as `zcomm plugins` lists it; without it, tokens."),
    Key::path("token_file")
        .env("ZCOMM_TOKEN_FILE")
        .doc("File of the tokens that `zcomm token` makes; without it `.zcomm/tokens.json` of the project."),
    Key::text("cursor_key")
        .env("ZCOMM_CURSOR_KEY")
        .secret()
        .doc("Key that signs page cursors; random at each start, so several nodes need one."),
    Key::count("max_rows")
        .env("ZCOMM_MAX_ROWS")
        .default("1000")
        .between(1, 1_000_000)
        .doc("Rows that one read returns at most, and the limit of a read that names none."),
    Key::duration("request_timeout")
        .env("ZCOMM_REQUEST_TIMEOUT")
        .default("30s")
        .between(1, 3_600_000)
        .doc("How long a request may take before it fails."),
    Key::duration("query_timeout")
        .env("ZCOMM_QUERY_TIMEOUT")
        .default("10s")
        .between(1, 3_600_000)
        .doc("How long a store may work on one query."),
];

/// A group of keys, and the Cargo feature of `zcomm` that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The first part of its keys' paths.
    pub name: &'static str,
    /// The feature without which its keys are unknown.
    pub feature: &'static str,
    /// What it is about, as a heading's first line.
    pub doc: &'static str,
}

impl Section {
    const fn new(name: &'static str, feature: &'static str, doc: &'static str) -> Self {
        Self { name, feature, doc }
    }

    /// The first-party section of this name, compiled in or not.
    pub fn named(name: &str) -> Option<&'static Self> {
        SECTIONS.iter().find(|section| section.name == name)
    }
}

/// The sections of all first-party plugins, so that a key of a part that was not compiled in is told
/// from a key that does not exist.
pub const SECTIONS: &[Section] = &[
    Section::new("websocket", "ws", "The WebSocket server."),
    Section::new("cache", "cache", "Answers that are kept."),
    Section::new("http", "http", "The HTTP client."),
    Section::new("bifrost", "bifrost", "The zBifrost protocol."),
    Section::new("jwt", "jwt", "JSON Web Tokens."),
    Section::new(
        "services",
        "services",
        "Local services, whichever they are.",
    ),
    Section::new("postgresql", "postgres", "PostgreSQL."),
    Section::new("redis", "redis", "Redis."),
    Section::new("sqlite", "sqlite", "SQLite."),
];
