//! The texts that are made from the table.

use super::*;

/// Takes the `#` from every line that is a key and not a sentence.
fn uncommented(file: &str) -> String {
    let line = |line: &str| match line.trim_start().strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => line.replacen('#', "", 1),
        _ => line.to_owned(),
    };
    file.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn the_default_machine_file_changes_nothing_as_it_stands() {
    let file = machine_yaml(&table());

    let settings = loader().machine("machine.yaml", "", file).load().unwrap();

    assert!(
        settings
            .explain()
            .iter()
            .all(|key| key.layer.is_none_or(|layer| layer == Layer::Defaults))
    );
}

#[test]
fn the_default_machine_file_holds_every_default() {
    let file = uncommented(&machine_yaml(&table()));

    let settings = loader().machine("machine.yaml", ".", file).load().unwrap();

    for key in settings.explain() {
        assert_eq!(
            key.layer,
            key.default.map(|_| Layer::Machine),
            "{}",
            key.key
        );
        if let (Some(below), Some(value)) = (key.shadowed.first(), &key.value) {
            assert_eq!(value, &below.value, "{}", key.key);
        }
    }
}

#[test]
fn the_page_has_a_row_for_every_key() {
    let page = markdown(&table());

    for key in table() {
        let start = format!("| `{}` | `{}` |", key.path, key.env.unwrap_or_default());
        assert!(page.contains(&start), "{start}");
        assert!(page.contains(key.doc), "{}", key.path);
    }
    assert!(page.contains("## `websocket`\n\nThe WebSocket server. Feature `ws`.\n"));
}

#[test]
fn every_row_says_what_it_is_for_and_is_named_alike() {
    for key in table() {
        assert!(key.doc.ends_with('.'), "{}", key.path);
        let env = key.path.replace('.', "_").to_uppercase();
        let expected = match key.section() {
            Some(_) => env,
            None => format!("ZCOMM_{env}"),
        };
        assert_eq!(key.env, Some(expected.as_str()));
    }
}

#[test]
fn the_defaults_are_those_of_the_guides() {
    let settings = Settings::defaults(table());

    assert_eq!(settings.text("websocket.host"), Some("127.0.0.1"));
    assert_eq!(settings.port("websocket.port"), Some(8765));
    assert!(!settings.flag("websocket.require_auth"));
    assert!(!settings.flag("websocket.ssl_enabled"));
    assert_eq!(settings.size("websocket.max_message_size"), Some(1 << 20));
    assert_eq!(settings.list("admin_roles"), ["admin"]);
}
