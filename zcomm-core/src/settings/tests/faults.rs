//! What is refused, and the words it is refused with.

use std::io;
use std::path::Path;

use super::*;

const KEY_OF_TWO: &[Key] = &[Key::text("title").env("OTHER_TITLE")];
const WRONG_DEFAULT: &[Key] = &[Key::port("a.port").default("x")];
const SECRETS: &[Key] = &[
    Key::url("store.url").env("STORE_URL").secret(),
    Key::text("store.password").env("STORE_PASSWORD").secret(),
];

#[track_caller]
fn check(loader: Loader<'_>, lines: &[&str]) {
    let message = refused(loader);
    let found: Vec<&str> = message.lines().skip(1).map(str::trim).collect();
    assert_eq!(found, lines);
}

#[test]
fn every_fault_of_every_layer_is_listed() {
    let loader = loader()
        .machine(
            "machine.yaml",
            "/etc",
            "title: x\nwebsocket:\n  prot: 1\n  port: many\n",
        )
        .environment([("WEBSOCKET_PORT", "70000"), ("ZCOMM_LOGGER", "LOUD")])
        .zenv(
            ".zEnv",
            "/srv",
            "not a line\nWEBSOCKET_REQUIRE_AUTH=maybe\n",
        )
        .spark(serde_json::json!({"titel": "x", "websocket": {"port": [1]}}))
        .set(
            "--set",
            [("request_timeout", "30"), ("websocket.max_headers", "0")],
        );

    check(
        loader,
        &[
            "machine.yaml:3: websocket.prot: there is no such key; did you mean `websocket.port`?",
            "machine.yaml:4: websocket.port: `many` does not fit: expected a port from 0 to 65535",
            "environment: WEBSOCKET_PORT: `70000` does not fit: expected a port from 0 to 65535",
            "environment: ZCOMM_LOGGER: `LOUD` does not fit: expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, PROD",
            ".zEnv:1: expected NAME=value; a value with spaces, quotes or $ goes in single quotes",
            ".zEnv:2: WEBSOCKET_REQUIRE_AUTH: `maybe` does not fit: expected true or false, yes or no, on or off, 1 or 0",
            "zSpark: titel: there is no such key; did you mean `title`?",
            "zSpark: websocket.port: expected one value, not a list: a port from 0 to 65535",
            "--set: request_timeout: `30` does not fit: expected a time like 500ms, 30s or 5m from 1ms to 1h",
            "--set: websocket.max_headers: `0` does not fit: expected a whole number from 1 to 1000",
        ],
    );
}

#[test]
fn a_section_that_was_not_compiled_in_names_its_feature() {
    let keys_alone = Loader::new(KEYS)
        .machine("machine.yaml", "/etc", "redis: {port: 1}\n")
        .spark(serde_json::json!({"websocket": {"port": 1}}));

    check(
        keys_alone,
        &[
            "machine.yaml:1: redis.port: the section `redis` needs the Cargo feature `redis`, which this build does not have",
            "zSpark: websocket.port: the section `websocket` needs the Cargo feature `ws`, which this build does not have",
        ],
    );
}

#[test]
fn suggestions_are_near_or_absent() {
    for (written, meant) in [
        ("websocket.hots", Some("websocket.host")),
        ("websoket.port", Some("websocket.port")),
        ("Title", Some("title")),
        ("port", Some("websocket.port")),
        (
            "websocket.allowed_origin",
            Some("websocket.allowed_origins"),
        ),
        ("colour", None),
        ("websocket.colour", None),
    ] {
        let expected = meant.map_or_else(
            || format!("--set: {written}: there is no such key"),
            |meant| format!("--set: {written}: there is no such key; did you mean `{meant}`?"),
        );
        check(loader().set("--set", [(written, "1")]), &[&expected]);
    }
}

#[test]
fn the_wrong_shape_is_named() {
    check(
        loader().spark(serde_json::json!({"websocket": 5})),
        &["zSpark: websocket: is a section; its keys are written below it"],
    );
    check(
        loader().spark(serde_json::json!([1])),
        &["zSpark: expected an object of keys and values"],
    );
    check(
        loader().machine("m.yaml", "/", "- title\n"),
        &["m.yaml:1: expected `key: value` lines"],
    );
    check(
        loader().machine("m.yaml", "/", "admin_roles: [{a: 1}]\n"),
        &["m.yaml:1: admin_roles: expected texts parted by commas, or a list of them"],
    );
}

#[test]
fn broken_yaml_is_refused_with_its_line() {
    for (text, line) in [
        ("title: x\ntitle: y\n", 2),
        ("title: x\nwebsocket: {port: 1\n", 2),
        ("title: x\nwebsocket:\n\tport: 1\n", 3),
        ("title: x\n---\ntitle: y\n", 3),
    ] {
        let message = refused(loader().machine("m.yaml", "/", text));
        let start = format!("  m.yaml:{line}: ");
        assert!(
            message.lines().nth(1).unwrap().starts_with(&start),
            "{message}"
        );
    }
}

#[test]
fn no_error_shows_a_secret() {
    let missing = |_: &Path| -> io::Result<String> { Err(io::ErrorKind::NotFound.into()) };
    let cases = [
        Loader::new(SECRETS).environment([("STORE_URL", "hunter2")]),
        Loader::new(SECRETS).set("--set", [("store.url", "hunter2 ://x")]),
        Loader::new(SECRETS).spark(serde_json::json!({"store": {"password": ["hunter2"]}})),
        Loader::new(SECRETS).zenv(".zEnv", "/", "STORE_PASSWORD=hunter2 hunter2\n"),
        Loader::new(SECRETS).zenv(".zEnv", "/", "STORE_PASSWORD=\"hunter2\n"),
        Loader::new(SECRETS).machine("m", "/", "store:\n  password: \"hunter2\n"),
        Loader::new(SECRETS).machine("m", "/", "store:\n  password: !!int hunter2\n"),
        Loader::new(SECRETS).machine("m", "/", "store:\n  password: hunter2: x\n"),
        Loader::new(SECRETS).machine("m", "/", "store:\n  password: *hunter2\n"),
        Loader::new(SECRETS)
            .environment([
                ("STORE_PASSWORD_FILE", "/run/x"),
                ("STORE_PASSWORD", "hunter2"),
            ])
            .files(&missing),
    ];

    for case in cases {
        let debug = format!("{case:?}");
        let message = refused(case);
        assert!(!message.contains("hunter2"), "{message}");
        assert!(!debug.contains("hunter2"), "{debug}");
    }
}

#[test]
fn neither_explain_nor_debug_shows_a_secret() {
    let settings = Loader::new(SECRETS)
        .environment([("STORE_PASSWORD", "hunter2"), ("FOREIGN_TOKEN", "hunter2")])
        .zenv(
            ".zEnv",
            "/",
            "STORE_PASSWORD=hunter2b\nSTORE_URL=pg://u:hunter2@h/\n",
        )
        .load()
        .unwrap();

    let lines: Vec<String> = settings.explain().iter().map(ToString::to_string).collect();
    let json = serde_json::to_string(&settings.explain()).unwrap();

    for shown in [
        lines.concat(),
        json,
        format!("{settings:?} {:?}", settings.explain()),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
    assert_eq!(
        settings.secret("store.url").unwrap().expose(),
        "pg://u:hunter2@h/"
    );
}

#[test]
fn an_empty_secret_is_refused() {
    check(
        loader().environment([("WEBSOCKET_TOKEN", "")]),
        &["environment: WEBSOCKET_TOKEN: expected a text that is not empty"],
    );
}

#[test]
fn a_secret_and_its_file_in_one_layer_are_refused() {
    let read = |_: &Path| -> io::Result<String> { Ok("a".to_owned()) };
    let loader = loader()
        .environment([
            ("WEBSOCKET_TOKEN", "b"),
            ("WEBSOCKET_TOKEN_FILE", "/run/token"),
        ])
        .files(&read);

    check(
        loader,
        &[
            "environment: WEBSOCKET_TOKEN_FILE: is given as well as WEBSOCKET_TOKEN: leave one of the two",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = |_: &Path| -> io::Result<String> { Err(io::Error::other("it is gone")) };

    check(
        loader()
            .zenv(".zEnv", "/srv", "WEBSOCKET_TOKEN_FILE=token\n")
            .files(&missing),
        &[".zEnv:1: WEBSOCKET_TOKEN_FILE: cannot read `/srv/token`: it is gone"],
    );
    check(
        loader().set("--set", [("websocket.token_file", "token")]),
        &[
            "--set: websocket.token_file: secrets in files are not supported here; give the value itself",
        ],
    );
}

#[test]
fn only_a_near_miss_of_a_variable_is_warned_about() {
    let settings = loader()
        .environment([("WEBSOCKET_PROT", "1"), ("REDIS_PORT", "1"), ("HOME", "/")])
        .zenv(".zEnv", "/srv", "DATABASE=1\nwebsocket_host=::1\n")
        .load()
        .unwrap();

    let warnings: Vec<String> = settings
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect();

    assert_eq!(
        warnings,
        [
            "environment: WEBSOCKET_PROT sets nothing; did you mean WEBSOCKET_PORT?",
            ".zEnv:2: websocket_host sets nothing; did you mean WEBSOCKET_HOST?",
        ],
    );
    assert_eq!(settings.port("websocket.port"), Some(8765));
}

#[test]
fn a_wrong_table_is_refused() {
    check(
        Loader::new(KEYS.iter().chain(KEY_OF_TWO)),
        &["built in: title: two plugins bring a setting of this name"],
    );
    check(
        Loader::new(WRONG_DEFAULT),
        &["built in: a.port: `x` does not fit: expected a port from 0 to 65535"],
    );
}

#[test]
fn the_error_has_a_stable_code_and_its_parts() {
    let invalid = loader().set("--set", [("x", "1")]).load().unwrap_err();

    assert_eq!(
        (invalid.code(), invalid.is_retryable()),
        ("invalid_settings", false)
    );
    assert_eq!(invalid.problems()[0].layer, Layer::ZSpark);
    assert!(matches!(
        invalid.problems()[0].fault,
        Fault::UnknownKey { suggestion: None }
    ));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(yaml in "[ -~\\n\\t\u{e9}]{0,80}", lines in "[ -~\\n\\t\u{e9}]{0,80}") {
        let loader = loader()
            .machine("m.yaml", "/", yaml)
            .zenv(".zEnv", "/", lines)
            .set("--set", [("title", "still here")]);

        if let Ok(settings) = loader.load() {
            assert_eq!(settings.text("title"), Some("still here"));
        }
    }
}
