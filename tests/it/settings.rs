//! Every key of every plugin × every pair of layers: the later wins, readers and `explain` agree. Made of the table.

use std::path::Path;

use zcomm::Comm;
use zcomm::core::settings::{Key, Kind, Layer, Loader, Settings};

fn keys() -> Vec<&'static Key> {
    Comm::builder().isolated().build().unwrap().keys().collect()
}

/// Two values that the key takes; the second is not its default, so it can only be there because it won.
fn samples(key: &Key) -> [String; 2] {
    let other = |text: &str| Some(text) != key.default;
    let (least, most) = key.range.unwrap_or((1, u64::MAX));
    let numbers = |unit: &str, step: u64| {
        let within =
            (least.div_ceil(step).max(1)..=most / step).map(|number| format!("{number}{unit}"));
        let mut found = within.filter(|text| other(text));
        [(); 2].map(|()| found.next().unwrap())
    };
    match key.kind {
        Kind::Text | Kind::List => ["one".into(), "two".into()],
        Kind::Path => ["/one".into(), "/two".into()],
        Kind::Url => ["http://one".into(), "http://two".into()],
        Kind::Flag if key.default == Some("true") => ["true".into(), "false".into()],
        Kind::Flag => ["false".into(), "true".into()],
        Kind::Port | Kind::Count => numbers("", 1),
        Kind::Size => numbers("KiB", 1024),
        Kind::Duration => numbers("s", 1000),
        Kind::Choice(words) => {
            let winner = words.iter().rev().find(|word| other(word)).unwrap();
            let loser = words.iter().find(|word| word != &winner).unwrap();
            [(*loser).into(), (*winner).into()]
        }
        _ => panic!("`{}` is of a kind that has no samples yet", key.path),
    }
}

/// Puts a value into a layer; `None` where the key cannot be set there.
fn put<'a>(loader: Loader<'a>, layer: Layer, key: &Key, text: &str) -> Option<Loader<'a>> {
    Some(match layer {
        Layer::Defaults => return key.default.map(|_| loader),
        Layer::Machine => loader.machine("machine.yaml", "/etc", format!("{}: {text}\n", key.path)),
        Layer::Environment => loader.environment([(key.env?, text)]),
        Layer::ZEnv => loader.zenv(".zEnv", "/srv", format!("{}={text}\n", key.env?)),
        _ => loader.set("--set", [(key.path, text)]),
    })
}

/// What the program itself reads, as a user would write it.
fn read(settings: &Settings, key: &Key) -> String {
    let path = key.path;
    match key.kind {
        _ if key.secret => settings.secret(path).unwrap().expose().to_owned(),
        Kind::Flag => settings.flag(path).to_string(),
        Kind::Port => settings.port(path).unwrap().to_string(),
        Kind::Count => settings.count(path).unwrap().to_string(),
        Kind::Size => format!("{}KiB", settings.size(path).unwrap() / 1024),
        Kind::Duration => format!("{}s", settings.duration(path).unwrap().as_secs()),
        Kind::List => settings.list(path).join(", "),
        Kind::Path => settings.path(path).unwrap().display().to_string(),
        _ => settings.text(path).unwrap().to_owned(),
    }
}

#[test]
fn the_later_layer_wins_for_every_key() {
    let keys = keys();
    let mut pairs = 0;
    for key in &keys {
        let [below, above] = samples(key);
        for (index, lower) in Layer::ALL.into_iter().enumerate() {
            for higher in Layer::ALL.into_iter().skip(index + 1) {
                let loader = Loader::new(keys.iter().copied());
                let loader = put(loader, lower, key, &below);
                let Some(loader) = loader.and_then(|loader| put(loader, higher, key, &above))
                else {
                    continue;
                };

                let settings = loader
                    .load()
                    .unwrap_or_else(|error| panic!("{}: {error}", key.path));
                let explained = settings.explain_key(key.path).unwrap();

                let case = format!("{} from {lower:?} and {higher:?}", key.path);
                assert_eq!(read(&settings, key), above, "{case}");
                assert_eq!(explained.layer, Some(higher), "{case}");
                assert_eq!(explained.shadowed[0].layer, lower, "{case}");
                let shown = if key.secret { "***" } else { above.as_str() };
                assert_eq!(explained.value.as_deref(), Some(shown), "{case}");
                pairs += 1;
            }
        }
    }
    // Each key that has a variable and a default meets all ten pairs; none may drop out unseen.
    let full = keys
        .iter()
        .filter(|key| key.env.is_some() && key.default.is_some())
        .count();
    assert!(
        pairs >= full * 10 && full > 40,
        "{pairs} pairs of {full} full keys"
    );
}

#[test]
fn every_secret_may_stand_in_a_file() {
    let keys = keys();
    let secrets: Vec<&Key> = keys
        .iter()
        .copied()
        .filter(|key| key.secret && key.env.is_some())
        .collect();
    let read_file = |path: &Path| Ok(format!("from {}\n", path.display()));

    for key in &secrets {
        let variable = format!("{}_FILE", key.env.unwrap());
        let loader = Loader::new(keys.iter().copied()).files(&read_file);
        let loader = loader.environment([(variable.as_str(), "/run/secret")]);
        let in_file = loader.load().unwrap();
        let loader = Loader::new(keys.iter().copied()).files(&read_file);
        let loader = loader.environment([(variable.as_str(), "/run/secret")]);
        let overridden = loader
            .set("--set", [(key.path, "http://in-code")])
            .load()
            .unwrap();

        assert_eq!(read(&in_file, key), "from /run/secret", "{}", key.path);
        assert_eq!(read(&overridden, key), "http://in-code", "{}", key.path);
    }
    assert!(secrets.len() >= 4, "{}", secrets.len());
}
