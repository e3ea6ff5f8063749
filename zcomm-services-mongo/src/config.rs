//! The rows of MongoDB in the table of settings. Writes no file.

use zcomm_core::settings::Key;

/// The settings of MongoDB.
pub const KEYS: &[Key] = &[
    Key::port("mongodb.port")
        .env("MONGODB_PORT")
        .default("27017")
        .doc("Port of the server; 0 takes any that is free."),
    Key::path("mongodb.data_dir")
        .env("MONGODB_DATA_DIR")
        .doc("Folder of the data; without it, one under `.zcomm` of the project."),
    Key::text("mongodb.user")
        .env("MONGODB_USER")
        .default("zcomm")
        .doc("User to log in as; made, with all rights, in a new data folder."),
    Key::text("mongodb.password")
        .env("MONGODB_PASSWORD")
        .secret()
        .doc("Password of the user; without it, a new data folder gets its own."),
    Key::text("mongodb.database")
        .env("MONGODB_DATABASE")
        .default("zcomm")
        .doc("Database to connect to; the server makes it with its first document."),
    Key::path("mongodb.program")
        .env("MONGODB_PROGRAM")
        .doc("The server's program; without it, `mongod` on `PATH` and where installers put it."),
    Key::text("mongodb.image")
        .env("MONGODB_IMAGE")
        .doc("Image with its tag, should it become a container; without it, the official one."),
];
