//! For each key and each pair of layers: the later wins, and `explain` says where from.

use super::*;

/// Two values that the key takes, as a user writes them, neither of them its default.
fn samples(key: &Key) -> [String; 2] {
    let numbers = |unit: &str, step: u64| {
        let least = key
            .range
            .map_or(1, |(least, _)| least.max(1))
            .div_ceil(step);
        let not_default = (least..).map(|number| format!("{number}{unit}"));
        let mut found = not_default.filter(|text| Some(text.as_str()) != key.default);
        [(); 2].map(|()| found.next().expect("numbers do not end"))
    };
    match key.kind {
        Kind::Text | Kind::List => ["one".into(), "two".into()],
        Kind::Path => ["/one".into(), "/two".into()],
        Kind::Url => ["redis://one".into(), "redis://two".into()],
        Kind::Flag => ["true".into(), "false".into()],
        Kind::Port | Kind::Count => numbers("", 1),
        Kind::Size => numbers("KiB", 1024),
        Kind::Duration => numbers("s", 1000),
        Kind::Choice(words) => [words[0].into(), words[1].into()],
    }
}

/// Puts a value into a layer; `None` where the key cannot be set there.
fn put<'a>(loader: Loader<'a>, layer: Layer, key: &Key, text: &str) -> Option<Loader<'a>> {
    Some(match layer {
        Layer::Defaults => return key.default.map(|_| loader),
        Layer::Machine => {
            loader.machine("machine.yaml", "/etc", format!("\n{}: {text}\n", key.path))
        }
        Layer::Environment => loader.environment([(key.env?, text)]),
        Layer::ZEnv => loader.zenv(
            ".zEnv",
            "/srv",
            format!("# a comment\n\n{}={text}\n", key.env?),
        ),
        Layer::ZSpark => loader.set("--set", [(key.path, text)]),
    })
}

fn origin(layer: Layer, key: &Key) -> String {
    match layer {
        Layer::Defaults => "built in".to_owned(),
        Layer::Machine => "machine.yaml:2".to_owned(),
        Layer::Environment => key.env.expect("put found a variable").to_owned(),
        Layer::ZEnv => ".zEnv:3".to_owned(),
        Layer::ZSpark => "--set".to_owned(),
    }
}

fn shown(key: &Key, layer: Layer, text: &str) -> String {
    match (key.secret, layer, key.default) {
        (true, ..) => "***".to_owned(),
        (false, Layer::Defaults, Some(default)) => default.to_owned(),
        _ => text.to_owned(),
    }
}

fn check(key: &Key, lower: Layer, higher: Layer) -> bool {
    let [below, above] = samples(key);
    let Some(loader) = put(loader(), lower, key, &below) else {
        return false;
    };
    let Some(loader) = put(loader, higher, key, &above) else {
        return false;
    };

    let settings = loader
        .load()
        .unwrap_or_else(|error| panic!("{}: {error}", key.path));
    let explained = settings.explain_key(key.path).unwrap();

    let case = format!("{}: {lower} below {higher}", key.path);
    assert_eq!(explained.value, Some(shown(key, higher, &above)), "{case}");
    assert_eq!(explained.layer, Some(higher), "{case}");
    assert_eq!(
        explained.origin.unwrap().to_string(),
        origin(higher, key),
        "{case}"
    );
    let next = explained.shadowed.first().expect("something is overridden");
    assert_eq!(next.value, shown(key, lower, &below), "{case}");
    assert_eq!(
        (next.layer, next.origin.to_string()),
        (lower, origin(lower, key)),
        "{case}"
    );
    true
}

#[test]
fn of_two_layers_the_later_wins_for_every_key() {
    let mut checked = 0;
    for key in table() {
        for (at, higher) in Layer::ALL.into_iter().enumerate() {
            for lower in &Layer::ALL[..at] {
                checked += usize::from(check(key, *lower, higher));
            }
        }
    }

    let with_default = table().iter().filter(|key| key.default.is_some()).count();
    let without = table().len() - with_default;
    assert_eq!(checked, with_default * 10 + without * 6);
}

#[test]
fn what_all_five_layers_set_is_shadowed_in_order() {
    let settings = loader()
        .machine("machine.yaml", "/etc", "websocket: {port: 1}\n")
        .environment([("WEBSOCKET_PORT", "2")])
        .zenv(".zEnv", "/srv", "WEBSOCKET_PORT=3\n")
        .spark(serde_json::json!({"websocket": {"port": 4}}))
        .set("--set", [("websocket.port", "5")])
        .load()
        .unwrap();

    assert_eq!(
        settings.explain_key("websocket.port").unwrap().to_string(),
        "websocket.port = 5  (zSpark, --set)\n\
         \x20   instead of 4  (zSpark)\n\
         \x20   instead of 3  (.zEnv, .zEnv:1)\n\
         \x20   instead of 2  (environment, WEBSOCKET_PORT)\n\
         \x20   instead of 1  (machine file, machine.yaml:1)\n\
         \x20   instead of 8765  (default)",
    );
}

#[test]
fn a_later_pair_wins_over_an_earlier_one() {
    let settings = loader()
        .set("--set", [("websocket.port", "1"), ("websocket.port", "2")])
        .set("--port", [("websocket.port", "3")])
        .load()
        .unwrap();

    assert_eq!(settings.port("websocket.port"), Some(3));
}

#[test]
fn a_key_that_nobody_sets_is_explained_as_such() {
    let settings = Settings::defaults(table());

    let explained = settings.explain_key("websocket.ssl_cert").unwrap();

    assert_eq!((explained.value, explained.layer), (None, None));
    assert_eq!(settings.path("websocket.ssl_cert"), None);
    assert_eq!(settings.explain().len(), table().len());
}

#[test]
fn null_leaves_the_layer_below_in_force() {
    let settings = loader()
        .machine("machine.yaml", "/etc", "title:\nwebsocket:\n")
        .zenv(".zEnv", "/srv", "WEBSOCKET_SSL_CERT=certs/a.pem\n")
        .spark(serde_json::json!({"websocket": {"ssl_cert": null}, "title": null}))
        .load()
        .unwrap();

    assert_eq!(
        settings.path("websocket.ssl_cert"),
        Some("/srv/certs/a.pem".as_ref())
    );
    assert_eq!(settings.text("title"), Some("zcomm"));
}

#[test]
fn any_variable_can_be_read_and_the_project_file_wins() {
    let settings = loader()
        .environment([("SHOP_KEY", "env"), ("ONLY_ENV", "1")])
        .zenv(".zEnv", "/srv", "SHOP_KEY='from file'\n")
        .load()
        .unwrap();

    assert_eq!(settings.var("SHOP_KEY"), Some("from file"));
    assert_eq!(settings.var("ONLY_ENV"), Some("1"));
    assert_eq!(settings.var("NOBODY"), None);
    assert_eq!(settings.warnings(), []);
}
