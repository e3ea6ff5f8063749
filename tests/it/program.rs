//! What the program prints, and how it ends.

use std::net::TcpListener;

use serde_json::json;

use crate::run::{Project, Ran, free_port};

#[test]
fn a_taken_port_is_named_with_its_holder_and_ends_with_one() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let project = Project::new();

    let table = project.run(&["port", &port]);
    let listed = project.run(&["port", &port, "--json"]);

    assert_eq!((table.status, listed.status), (1, 1));
    assert!(table.out.contains("in use"), "{table:?}");
    assert_eq!(listed.json()[0]["available"], json!(false));
    if cfg!(target_os = "linux") {
        assert_eq!(listed.json()[0]["holder"]["pid"], json!(std::process::id()));
    }
}

#[test]
fn a_free_port_ends_with_nought() {
    let port = free_port().to_string();

    let ran = Project::new().run(&["port", &port]);

    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("available"), "{ran:?}");
}

#[test]
fn explain_says_where_a_value_is_from_and_what_it_hides() {
    let project = Project::new();
    project.write(".zEnv", "WEBSOCKET_PORT=9002\n");

    let mut command = project.program();
    command
        .env("WEBSOCKET_PORT", "9001")
        .args(["config", "explain", "websocket.port"]);
    let ran = Ran::of(command);

    assert_eq!(ran.status, 0, "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("websocket.port = 9002"), "{ran:?}");
    assert!(lines[0].contains(".zEnv:1"), "{ran:?}");
    assert!(lines[1].contains("instead of 9001"), "{ran:?}");
    assert!(lines[2].contains("instead of 8765"), "{ran:?}");
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let project = Project::new();
    project.write(
        ".zEnv",
        "WEBSOCKET_PORT=http\nWEBSOCKET_REQUIRE_AUTH=perhaps\n",
    );

    let ran = project.run(&["config", "check", "--set", "webscoket.port=1"]);

    assert_eq!(ran.status, 2);
    for part in [
        ".zEnv:1",
        "WEBSOCKET_PORT",
        ".zEnv:2",
        "WEBSOCKET_REQUIRE_AUTH",
        "webscoket",
    ] {
        assert!(ran.err.contains(part), "{part} is missing in {}", ran.err);
    }
}

#[test]
fn the_default_machine_file_is_right_as_it_stands() {
    let project = Project::new();
    let default = project.run(&["config", "default"]);
    project.write("machine.yaml", &default.out);

    let mut command = project.program();
    command
        .env("ZCOMM_CONFIG", "machine.yaml")
        .args(["config", "check"]);
    let ran = Ran::of(command);

    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn the_documented_settings_are_those_of_the_program() {
    let documented = include_str!("../../docs/configuration.md");

    let ran = Project::new().run(&["config", "default", "--markdown"]);

    assert!(
        documented == ran.out,
        "docs/configuration.md is out of date: `cargo zcomm-full config default --markdown` prints it"
    );
}

#[cfg(unix)]
#[test]
fn a_settings_file_that_others_may_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;

    let project = Project::new();
    project.write(".zEnv", "WEBSOCKET_TOKEN=demo\n");
    let path = project.folder().join(".zEnv");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();

    let ran = project.run(&["config", "explain"]);

    assert!(
        ran.err.contains("warning") && ran.err.contains(".zEnv"),
        "{ran:?}"
    );
    assert!(
        !ran.out.contains("demo") && ran.out.contains("***"),
        "{ran:?}"
    );
}

#[test]
fn a_token_is_shown_once_listed_without_itself_and_revoked() {
    let project = Project::new();

    let made = project.run(&[
        "token",
        "new",
        "--user",
        "ada",
        "--role",
        "admin",
        "--expires",
        "30d",
    ]);
    let listed = project.run(&["token", "list", "--json"]);
    let id = listed.json()[0]["id"].as_str().unwrap().to_owned();
    let revoked = project.run(&["token", "revoke", &id]);
    let again = project.run(&["token", "revoke", &id]);

    assert!(
        made.out.starts_with("zct_") && made.out.lines().count() == 1,
        "{made:?}"
    );
    assert!(!listed.out.contains(made.out.trim()), "{listed:?}");
    assert_eq!(
        (listed.json()[0]["user"].as_str(), revoked.status),
        (Some("ada"), 0)
    );
    assert_eq!(again.status, 4);
    assert!(again.err.contains(&id), "{again:?}");
}

#[test]
fn plugins_are_listed_with_what_they_bring() {
    let project = Project::new();

    let ran = project.run(&["plugins"]);
    let listed = project.run(&["plugins", "--json"]);

    let names: Vec<_> = listed
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "cache",
            "http",
            "jwt",
            "mongodb",
            "postgresql",
            "redis",
            "sqlite",
            "websocket",
            "ws"
        ]
    );
    assert!(
        ran.out.contains("transport") && ran.out.contains("settings"),
        "{ran:?}"
    );
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let project = Project::new();

    for arguments in [
        &["port", "0"][..],
        &["port"],
        &["dance"],
        &["--set", "x", "plugins"],
        &["config", "explain", "nope"],
    ] {
        assert_eq!(project.run(arguments).status, 2, "{arguments:?}");
    }
}

#[test]
fn colours_are_for_terminals_only() {
    let ran = Project::new().run(&["plugins"]);

    assert!(!ran.out.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn completions_name_the_commands() {
    let ran = Project::new().run(&["completions", "bash"]);

    assert!(
        ran.out.contains("plugins") && ran.out.contains("token"),
        "{}",
        ran.out.len()
    );
}

#[test]
fn what_mends_the_settings_works_while_they_are_wrong() {
    let project = Project::new();
    project.write(".zEnv", "WEBSOCKET_PORT=http\n");

    let checked = project.run(&["config", "check", "--json"]);
    let mending = [
        &["config", "default"][..],
        &["plugins"],
        &["completions", "bash"],
    ];

    assert_eq!(
        (checked.status, checked.json()["valid"].clone()),
        (2, json!(false))
    );
    assert!(
        checked.json()["faults"][0]
            .as_str()
            .unwrap()
            .contains(".zEnv:1"),
        "{checked:?}"
    );
    for arguments in mending {
        assert_eq!(project.run(arguments).status, 0, "{arguments:?}");
    }
}

#[test]
fn what_this_build_lacks_ends_with_three_and_a_wrong_address_with_two() {
    let project = Project::new();

    assert_eq!(project.run(&["up", "cassandra"]).status, 3);
    assert_eq!(project.run(&["http", "GET", "127.0.0.1:1/x"]).status, 2);
}
