//! What is wrong with a project's settings beyond single values: said by name, by `config check` and by each command.

use crate::run::Project;
use crate::serve::Serving;
use crate::serve::peer::{Client, Seen};

/// The status, and everything that was printed.
fn says(arguments: &[&str]) -> (i32, String) {
    let ran = Project::new().run(arguments);
    (ran.status, format!("{}{}", ran.out, ran.err))
}

#[track_caller]
fn check(arguments: &[&str], status: i32, expected: &[&str]) {
    let (ended, said) = says(arguments);

    assert_eq!(ended, status, "{arguments:?}: {said}");
    for text in expected {
        assert!(said.contains(text), "{arguments:?}: `{text}` in {said}");
    }
}

const SECRET: &str = "jwt.key=0123456789abcdef0123456789abcdef";

#[test]
fn serve_and_config_check_refuse_the_same_settings_with_status_two() {
    let wrong: &[(&[&str], &[&str])] = &[
        (&["websocket.require_auth=true"], &["WEBSOCKET_TOKEN"]),
        (
            &["policy=jwt"],
            &["the policy `jwt` cannot be made", "jwt.key"],
        ),
        (&["policy=jwt", "jwt.key=./issuer.pem"], &["jwt.key_file"]),
        (&[SECRET], &["`jwt.key` is set", "websocket.require_auth"]),
        (&["token_file=t.json"], &["`token_file` is set"]),
        (&["websocket.host=0.0.0.0"], &["0.0.0.0", "require_auth"]),
        (&["websocket.ssl_enabled=true"], &["websocket.ssl_cert"]),
        (&["websocket.allowed_origins=foo"], &["`foo` is no origin"]),
        (&["websocket.trusted_proxies=foo"], &["`foo` is no address"]),
        (&["schema_path=nowhere"], &["cannot read", "nowhere"]),
    ];
    for (settings, expected) in wrong {
        let flags = settings.iter().flat_map(|pair| ["--set", pair]);
        let serve: Vec<&str> = flags.clone().chain(["serve", "--port", "0"]).collect();
        let config: Vec<&str> = flags.chain(["config", "check"]).collect();

        check(&serve, 2, expected);
        check(&config, 2, expected);
    }
}

#[test]
fn config_check_names_everything_that_cannot_be_made() {
    check(
        &[
            "config",
            "check",
            "--set",
            "policy=jwt",
            "--set",
            "services=redis, redsi",
            "--set",
            "schema_path=nowhere",
        ],
        2,
        &["jwt.key", "`redsi`", "nowhere"],
    );
}

#[test]
fn a_policy_that_is_no_plugin_is_told_how_it_is_had() {
    let ways = [
        ("open", "while `websocket.require_auth` is off"),
        ("token_list", "once `websocket.require_auth` is on"),
        ("layered", "Comm::builder().policy("),
    ];
    for (name, way) in ways {
        check(&["serve", "--set", &format!("policy={name}")], 3, &[way]);
    }
}

#[test]
fn every_default_may_be_written_down() {
    let project = Project::new();
    std::fs::create_dir(project.folder().join("schemas")).unwrap();
    let defaults = project.run(&["config", "default", "--json"]).json();
    let pairs: Vec<String> = defaults
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|key| {
            Some(format!(
                "{}={}",
                key["key"].as_str()?,
                key["default"].as_str()?
            ))
        })
        .collect();

    let flags = pairs.iter().flat_map(|pair| ["--set", pair.as_str()]);
    let ran = project.run(&flags.chain(["config", "check"]).collect::<Vec<_>>());

    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(pairs.len() > 60, "{}", pairs.len());
}

#[tokio::test]
async fn a_token_may_come_as_the_first_message_where_that_is_set() {
    let project = Project::new();
    let settings = [
        "--set",
        "websocket.require_auth=true",
        "--set",
        "websocket.token=s3cr3t-s3cr3t",
        "--set",
        "websocket.first_message_auth=true",
        "--set",
        "websocket.auth_timeout=200ms",
    ];
    let server = Serving::start(&project, &settings);
    let mut known = Client::open(server.address).await;
    let mut silent = Client::open(server.address).await;

    known
        .text(r#"{"event":"auth","token":"s3cr3t-s3cr3t"}"#)
        .await;
    let hello = known.next_text().await;

    assert!(hello.contains("connection_info"), "{hello}");
    assert!(matches!(silent.next().await, Seen::Close(4005, _)));
}

#[test]
fn an_empty_policy_is_none() {
    check(&["config", "check", "--set", "policy="], 0, &["are right"]);
}

#[test]
fn with_a_policy_that_lets_no_guests_in_a_server_may_be_seen_by_others() {
    let settings = ["--set", "policy=jwt", "--set", SECRET];

    let mut alone = vec!["config", "check", "--set", "websocket.host=0.0.0.0"];
    check(&alone, 2, &["not for this machine alone"]);
    alone.extend(settings);
    check(&alone, 0, &["are right"]);
}

#[test]
fn a_token_that_nobody_is_asked_for_is_warned_about() {
    let token = "websocket.token=s3cr3t-s3cr3t";
    let off = says(&["config", "check", "--set", token]);
    let other = says(&[
        "config",
        "check",
        "--set",
        token,
        "--set",
        "policy=jwt",
        "--set",
        SECRET,
    ]);
    let on = says(&[
        "config",
        "check",
        "--set",
        token,
        "--set",
        "websocket.require_auth=true",
    ]);

    assert!(off.1.contains("warning: servers ask nobody"), "{off:?}");
    assert!(other.1.contains("the policy `jwt` decides"), "{other:?}");
    assert!(!on.1.contains("warning"), "{on:?}");
    assert_eq!((off.0, other.0, on.0), (0, 0, 0));
}

#[test]
fn tokens_that_were_made_and_that_nobody_is_asked_for_are_warned_about() {
    let project = Project::new();
    project.run(&["token", "new"]);

    let off = project.run(&["config", "check"]);
    let on = project.run(&["config", "check", "--set", "websocket.require_auth=true"]);

    assert!(
        off.err.contains("tokens.json") && off.err.contains("is off"),
        "{off:?}"
    );
    assert_eq!((off.status, on.status, on.err.as_str()), (0, 0, ""));
}

#[test]
fn a_project_that_is_not_there_is_an_error() {
    check(
        &["--project", "nowhere", "config", "check"],
        2,
        &["`nowhere`"],
    );
}

#[test]
fn an_address_that_the_command_does_not_take_ends_with_two() {
    check(
        &["http", "GET", "ftp://host/"],
        2,
        &["`ftp://` is not HTTP"],
    );
    check(&["http", "GET", "ws://host/"], 2, &["zcomm call"]);
    check(&["call", "http://host/", "ping"], 2, &["ws://"]);
}

#[test]
fn explain_says_what_an_unknown_name_could_be() {
    check(
        &["config", "explain", "websocket.prot"],
        2,
        &["did you mean `websocket.port`"],
    );
    check(
        &["config", "explain", "websockt.port"],
        2,
        &["did you mean `websocket.port`"],
    );
}

#[test]
fn explain_shows_what_is_right_beside_what_is_wrong() {
    check(
        &[
            "config",
            "explain",
            "--set",
            "title=shop",
            "--set",
            "websocket.port=http",
        ],
        2,
        &["title = shop", "`http` does not fit"],
    );
}

#[test]
fn a_suggestion_stays_in_the_section_that_was_written() {
    let (_, said) = says(&["config", "check", "--set", "http.port=1"]);

    assert!(
        said.contains("no such key") && !said.contains("postgresql"),
        "{said}"
    );
}

#[test]
fn a_plain_name_in_the_projects_file_is_warned_about() {
    let project = Project::new();
    project.write(".zEnv", "logger=PROD\n");

    let ran = project.run(&["config", "check"]);

    let said = "logger sets nothing; did you mean ZCOMM_LOGGER?";
    assert!(ran.err.contains(said), "{ran:?}");
}
