//! The table of keys as text: the documentation's page, and a machine file to start from.

use std::fmt::Write as _;

use super::keys::Section;
use super::{Key, Kind, value};

/// Renders the table as a Markdown page, a heading for each section.
pub fn markdown(keys: &[&Key]) -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Five layers, and the later wins: defaults, machine file, environment, `.zEnv`, zSpark (values in\n\
         code, and the program's flags). **`.zEnv` beats the environment.** A variable of a secret with\n\
         `_FILE` behind it names a file that holds the value.\n",
    );
    for (section, rows) in sections(keys) {
        let heading = match section {
            Some(name) => format!("\n## `{name}`\n\n{}", about(name)),
            None => "\n## General\n".to_owned(),
        };
        page.push_str(&heading);
        page.push_str("\n| key | variable | takes | default | what for |\n|---|---|---|---|---|\n");
        for key in rows {
            page.push_str(&row(key));
        }
    }
    page
}

/// Renders a machine file in which every value is there, commented out, with what it is for.
pub fn machine_yaml(keys: &[&Key]) -> String {
    let mut file = String::from(
        "# zcomm's machine file: what holds for every project on this machine.\n\
         # Take the `#` from a line to set it; what stands here already are the defaults.\n",
    );
    for (section, rows) in sections(keys) {
        let indent = match section {
            Some(name) => {
                let _ = write!(file, "\n{name}:\n");
                "  "
            }
            None => "",
        };
        for key in rows {
            file.push_str(&lines(key, indent));
        }
    }
    file
}

/// The rows by section, those without one first, else in the order in which they come.
fn sections<'k>(keys: &[&'k Key]) -> Vec<(Option<&'static str>, Vec<&'k Key>)> {
    let mut groups: Vec<(Option<&'static str>, Vec<&'k Key>)> = vec![(None, Vec::new())];
    for key in keys {
        let section = key.section();
        match groups.iter_mut().find(|(name, _)| *name == section) {
            Some((_, rows)) => rows.push(key),
            None => groups.push((section, vec![key])),
        }
    }
    groups.retain(|(_, rows)| !rows.is_empty());
    groups
}

fn about(section: &str) -> String {
    Section::named(section).map_or_else(String::new, |known| {
        format!("{} Feature `{}`.\n", known.doc, known.feature)
    })
}

fn row(key: &Key) -> String {
    let code = |text: Option<&str>| match text {
        None | Some("") => "–".to_owned(),
        Some(text) => format!("`{text}`"),
    };
    format!(
        "| `{}` | {} | {} | {} | {} |\n",
        key.path,
        code(key.env),
        takes(key),
        code(key.default),
        key.doc.replace('|', "\\|"),
    )
}

fn takes(key: &Key) -> String {
    match (key.secret, key.kind) {
        (true, kind) => format!("secret {}", kind.name()),
        (false, Kind::Text) => "text".to_owned(),
        (false, _) => value::allowed(key),
    }
}

fn lines(key: &Key, indent: &str) -> String {
    let name = key
        .section()
        .map_or(key.path, |section| &key.path[section.len() + 1..]);
    let variable = key.env.map_or_else(String::new, |env| format!(" ({env})"));
    // A key without a default shows its name alone: `null` sets nothing.
    let value = key
        .default
        .map_or_else(String::new, |text| format!(" {}", quoted(key, text)));
    format!(
        "\n{indent}# {}{variable}\n{indent}#{name}:{value}\n",
        key.doc
    )
}

fn quoted(key: &Key, text: &str) -> String {
    match key.kind {
        Kind::List => format!("[{text}]"),
        _ if text.is_empty() => "\"\"".to_owned(),
        _ => text.to_owned(),
    }
}
