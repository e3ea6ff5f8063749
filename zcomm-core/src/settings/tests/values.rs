//! How each kind is read, from each form in which it can be written.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::*;

fn yaml(text: &str) -> Settings {
    loader()
        .machine("machine.yaml", "/etc/zcomm", text)
        .load()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn flags_are_read_in_any_case() {
    for (text, on) in [
        ("true", true),
        ("YES", true),
        ("On", true),
        ("1", true),
        ("False", false),
        ("no", false),
        ("OFF", false),
        ("0", false),
    ] {
        let written = format!("websocket:\n  require_auth: {text}\n");
        assert_eq!(yaml(&written).flag("websocket.require_auth"), on, "{text}");
        let variable = loader().environment([("WEBSOCKET_REQUIRE_AUTH", text)]);
        let settings = variable.load().unwrap();
        assert_eq!(settings.flag("websocket.require_auth"), on, "{text}");
    }
}

#[test]
fn lists_are_read_from_commas_and_from_lists() {
    let expected = ["https://a.example", "file://"];
    for text in [
        "websocket:\n  allowed_origins: [https://a.example, 'file://']\n",
        "websocket:\n  allowed_origins:\n    - https://a.example\n    - file://\n",
        "websocket:\n  allowed_origins: https://a.example, file://,\n",
        "websocket.allowed_origins: https://a.example,file://\n",
    ] {
        assert_eq!(
            yaml(text).list("websocket.allowed_origins"),
            expected,
            "{text}"
        );
    }
    assert_eq!(yaml("admin_roles: []\n").list("admin_roles"), [""; 0]);
}

#[test]
fn numbers_keep_what_was_written() {
    let settings = yaml(
        "title: 007\nrequest_timeout: 2m\n\
         websocket: {max_message_size: 2MiB, max_connections: 50, port: 0, token: 0123}\n",
    );

    assert_eq!(settings.text("title"), Some("007"));
    assert_eq!(
        settings.duration("request_timeout"),
        Some(Duration::from_secs(120))
    );
    assert_eq!(settings.size("websocket.max_message_size"), Some(2 << 20));
    assert_eq!(settings.count("websocket.max_connections"), Some(50));
    assert_eq!(settings.port("websocket.port"), Some(0));
    assert_eq!(settings.secret("websocket.token").unwrap().expose(), "0123");
}

#[test]
fn an_alias_is_read_where_it_was_defined() {
    let settings =
        yaml("title: &name 1e3\nlogger_path: &logs ./l\nschema_path: *logs\ncursor_key: *name\n");

    assert_eq!(settings.secret("cursor_key").unwrap().expose(), "1e3");
    assert_eq!(
        settings.path("schema_path"),
        Some(Path::new("/etc/zcomm/l"))
    );
}

#[test]
fn a_choice_is_read_in_any_case_and_spelled_as_in_the_table() {
    let settings = yaml("deployment: DEVELOPMENT\nlogger: prod\n");

    assert_eq!(settings.text("deployment"), Some("Development"));
    assert_eq!(settings.text("logger"), Some("PROD"));
}

#[test]
fn the_example_of_the_guides_is_read() {
    let settings = loader()
        .zenv(
            ".zEnv",
            "/srv",
            "# secrets\nexport WEBSOCKET_TOKEN=demo_secure_token_123 # mine\n",
        )
        .spark(serde_json::json!({
            "deployment": "Production",
            "title": "websocket-secure",
            "logger": "INFO",
            "logger_path": "./logs",
            "websocket": {
                "port": 8766,
                "require_auth": true,
                "ssl_enabled": true,
                "ssl_cert": "certs/demo.cert",
                "allowed_origins": ["http://localhost", "http://127.0.0.1", "file://"],
            },
        }))
        .load()
        .unwrap();

    assert_eq!(settings.port("websocket.port"), Some(8766));
    assert!(settings.flag("websocket.require_auth"));
    assert_eq!(settings.list("websocket.allowed_origins").len(), 3);
    assert_eq!(
        settings.path("websocket.ssl_cert"),
        Some(Path::new("certs/demo.cert"))
    );
    let token = settings.secret("websocket.token").unwrap();
    assert_eq!(token.expose(), "demo_secure_token_123");
}

#[test]
fn relative_paths_belong_to_the_file_that_gives_them() {
    let key = "logger_path";
    let machine = loader().machine("m.yaml", "/etc/zcomm", "logger_path: ./logs\n");
    let zenv = loader().zenv(".zEnv", "/srv/shop", "ZCOMM_LOGGER_PATH=logs\n");
    let environment = loader().environment([("ZCOMM_LOGGER_PATH", "logs")]);
    let absolute = loader().zenv(".zEnv", "/srv/shop", "ZCOMM_LOGGER_PATH=/var/log\n");

    for (loader, path) in [
        (machine, "/etc/zcomm/logs"),
        (zenv, "/srv/shop/logs"),
        (environment, "logs"),
        (absolute, "/var/log"),
    ] {
        assert_eq!(loader.load().unwrap().path(key), Some(Path::new(path)));
    }
}

#[test]
fn a_secret_is_read_from_the_file_that_a_variable_names() {
    let read = |path: &Path| -> io::Result<String> {
        assert_eq!(path, Path::new("/srv/run/token"));
        Ok("from-file\r\n".to_owned())
    };

    let settings = loader()
        .environment([("WEBSOCKET_TOKEN", "from-env")])
        .zenv(".zEnv", "/srv", "WEBSOCKET_TOKEN_FILE=run/token\n")
        .files(&read)
        .load()
        .unwrap();

    assert_eq!(
        settings.secret("websocket.token").unwrap().expose(),
        "from-file"
    );
    let origin = settings
        .explain_key("websocket.token")
        .unwrap()
        .origin
        .unwrap();
    assert_eq!(origin.to_string(), "/srv/run/token, named by .zEnv:1");
}

#[test]
fn lines_of_the_project_file_are_counted_over_quoted_breaks() {
    let text = "\u{feff}A='one\ntwo'\n\n# c\nB=\"x\n\ny\" \nWEBSOCKET_PORT=1\nLAST=1 ";
    let settings = loader().zenv(".zEnv", "/srv", text).load().unwrap();

    assert_eq!(settings.var("A"), Some("one\ntwo"));
    assert_eq!(settings.var("LAST"), Some("1"));
    let origin = settings
        .explain_key("websocket.port")
        .unwrap()
        .origin
        .unwrap();
    assert_eq!(origin.to_string(), ".zEnv:8");
}

#[test]
fn a_clone_shares_what_it_reads() {
    let settings = Settings::defaults(table());
    let clone = settings.clone();

    assert!(std::ptr::eq(
        settings.text("title").unwrap(),
        clone.text("title").unwrap()
    ));
    assert!(clone.knows("title") && !clone.knows("nothing"));
}

#[cfg(debug_assertions)]
#[test]
fn a_key_that_no_table_has_stops_a_debug_build_with_its_name() {
    let settings = Settings::defaults(table());
    let asked = |read: fn(&Settings) -> bool| {
        let caught = std::panic::catch_unwind(|| read(&settings)).unwrap_err();
        *caught.downcast::<String>().unwrap()
    };

    assert_eq!(
        asked(|settings| settings.text("websocket.prot").is_none()),
        "cannot read the setting `websocket.prot` as text: no plugin of this build has this key",
    );
    assert_eq!(
        asked(|settings| settings.port("title").is_none()),
        "cannot read the setting `title` as port: the key is of another kind",
    );
}
