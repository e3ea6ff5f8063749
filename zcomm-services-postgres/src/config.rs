//! The rows of PostgreSQL in the table of settings, and the rules of who may log in. Writes no file.

use zcomm_core::settings::Key;

/// The settings of PostgreSQL.
pub const KEYS: &[Key] = &[
    Key::port("postgresql.port")
        .env("POSTGRESQL_PORT")
        .default("5432")
        .doc("Port of the server; 0 takes any that is free."),
    Key::path("postgresql.data_dir")
        .env("POSTGRESQL_DATA_DIR")
        .doc("Folder of the data; without it, one under `.zcomm` of the project."),
    Key::text("postgresql.user")
        .env("POSTGRESQL_USER")
        .default("postgres")
        .doc("User to log in as; a new data folder belongs to it."),
    Key::text("postgresql.password")
        .env("POSTGRESQL_PASSWORD")
        .secret()
        .doc("Password of the user; without it, a new data folder gets its own."),
    Key::text("postgresql.database")
        .env("POSTGRESQL_DATABASE")
        .default("zcomm")
        .doc("Database to connect to; made in a new data folder."),
    Key::text("postgresql.image")
        .env("POSTGRESQL_IMAGE")
        .doc("Image with its tag, should it become a container; without it, the official one."),
];

/// Who may log in to a started server: everybody who knows the password, from this machine. Whatever the data folder
/// itself says does not count, for it may trust all of the world.
pub(crate) const LOGIN_RULES: &str = "\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
";
