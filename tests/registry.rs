//! What a program that depends on the facade alone finds registered, whichever features it is built with.
//!
//! `cargo xtask test` builds and runs this file with no feature, with each plugin's, and with all.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says where"
)]

use zcomm::Comm;
use zcomm::core::data::StoreAddress;

/// Each plugin: whether its feature is on, and its name.
const PLUGINS: &[(bool, &str)] = &[
    (cfg!(feature = "cache"), "cache"),
    (cfg!(feature = "http"), "http"),
    (cfg!(feature = "jwt"), "jwt"),
    (cfg!(feature = "mongo"), "mongodb"),
    (cfg!(feature = "postgres"), "postgresql"),
    (cfg!(feature = "redis"), "redis"),
    (cfg!(feature = "sqlite"), "sqlite"),
    (cfg!(feature = "ws"), "websocket"),
    (cfg!(feature = "ws-client"), "ws"),
];

/// Names of drivers, the feature that brings each, and the crate that a program of its own would link.
const DRIVERS: &[(&str, &str, &str)] = &[
    ("mongo", "mongo", "zcomm_services_mongo"),
    ("postgres", "postgres", "zcomm_services_postgres"),
    ("redis", "redis", "zcomm_services_redis"),
];

fn comm() -> Comm {
    Comm::builder().isolated().build().unwrap()
}

#[test]
fn what_is_enabled_is_registered_and_nothing_else() {
    let comm = comm();

    let found: Vec<_> = comm.registry().names().collect();

    let enabled = PLUGINS.iter().filter(|(enabled, _)| *enabled);
    assert_eq!(found, enabled.map(|(_, name)| *name).collect::<Vec<_>>());
}

#[test]
fn a_driver_is_there_or_its_feature_and_the_line_to_add_are_named() {
    let comm = comm();

    for (name, feature, link) in DRIVERS {
        match comm.registry().driver(name, comm.settings()) {
            Ok(driver) => assert!(driver.about().answers_to(name)),
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains(&format!("the feature `{feature}`")), "{text}");
                assert!(text.contains(&format!("`use {link} as _;`")), "{text}");
            }
        }
    }
}

#[test]
fn a_name_that_nobody_has_is_told_what_is_there() {
    let comm = comm();

    let error = comm.registry().driver("cassandra", comm.settings());

    let text = error.err().unwrap().to_string();
    let start = "no driver is called `cassandra`; this program has: ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("`use that_crate as _;`"), "{text}");
}

#[test]
fn a_transport_policy_or_store_is_there_or_its_feature_is_named() {
    let comm = comm();

    let transport = comm
        .registry()
        .transport("https", comm.settings())
        .map(|_| ());
    let socket = comm
        .registry()
        .transport("wss", comm.settings())
        .map(|_| ());
    let policy = comm.registry().policy("jwt", comm.settings()).map(|_| ());
    let memory = StoreAddress::new("sqlite::memory:", "/".as_ref());
    let store = comm.registry().store(&memory, comm.settings()).map(|_| ());

    for (made, enabled, feature) in [
        (transport, cfg!(feature = "http"), "http"),
        (socket, cfg!(feature = "ws-client"), "ws-client"),
        (policy, cfg!(feature = "jwt"), "jwt"),
        (store, cfg!(feature = "sqlite"), "sqlite"),
    ] {
        // A policy without its key is found, and says what it lacks.
        let text = made
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        let names_feature = text.contains(&format!("Enable the feature `{feature}` of zcomm"));
        assert_eq!(names_feature, !enabled, "{feature}: {text}");
    }
}
