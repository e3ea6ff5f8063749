//! The rows of Redis in the table of settings, and the configuration file of a server. Writes no file.

use std::fmt::Write;

use zcomm_core::service::StartPlan;
use zcomm_core::settings::Key;

/// Where a server listens inside a container, and keeps its data.
pub(crate) const PORT_INSIDE: u16 = 6379;
pub(crate) const DATA_INSIDE: &str = "/data";

/// The settings of Redis.
pub const KEYS: &[Key] = &[
    Key::port("redis.port")
        .env("REDIS_PORT")
        .default("6379")
        .doc("Port of the server; 0 takes any that is free."),
    Key::path("redis.data_dir")
        .env("REDIS_DATA_DIR")
        .doc("Folder of the data; without it, one under `.zcomm` of the project."),
    Key::text("redis.password")
        .env("REDIS_PASSWORD")
        .secret()
        .doc("Password of the server; without it, a started one gets its own."),
    Key::text("redis.image")
        .env("REDIS_IMAGE")
        .doc("Image with its tag, should it become a container; without it, the official one."),
];

/// The configuration of a planned server inside a container, where everything has its place.
pub(crate) fn inside(plan: &StartPlan) -> String {
    let mut inside = plan.clone();
    inside.endpoint.host = "0.0.0.0".to_owned();
    inside.endpoint.port = PORT_INSIDE;
    inside.data_dir = DATA_INSIDE.into();
    file(&inside)
}

/// The configuration of a planned server. It holds the password, so it goes into a file and not on a command line.
pub(crate) fn file(plan: &StartPlan) -> String {
    let mut text = String::from("daemonize no\nprotected-mode yes\nalways-show-logo no\n");
    let mut row = |name: &str, value: &str| {
        writeln!(text, "{name} {}", quoted(value)).expect("a String takes whatever is written");
    };
    row("bind", &plan.endpoint.host);
    row("port", &plan.endpoint.port.to_string());
    row("dir", &plan.data_dir.to_string_lossy());
    if let Some(password) = &plan.endpoint.password {
        row("requirepass", password.expose());
    }
    // Redis looks at its signals `hz` times a second: at the usual ten, stopping takes up to a tenth of a second.
    row("hz", "50");
    if plan.persistent {
        row("appendonly", "yes");
    } else {
        row("save", "");
    }
    text
}

/// A value as redis.conf takes any: in double quotes, where a backslash escapes.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use zcomm_core::service::Endpoint;

    use super::*;

    #[test]
    fn throw_away_data_is_never_saved() {
        let plan = StartPlan::new(Endpoint::local(1), "/x");

        assert!(file(&plan).contains("\nsave \"\"\n"));
        assert!(file(&plan.persistent()).contains("\nappendonly \"yes\"\n"));
    }

    #[test]
    fn a_value_cannot_become_a_row_of_its_own() {
        let endpoint = Endpoint::local(1).with_password("a\"b\\c\nport 2");

        let text = file(&StartPlan::new(endpoint, "/x"));

        assert!(
            text.contains("requirepass \"a\\\"b\\\\c\\nport 2\"\n"),
            "{text}"
        );
    }
}
