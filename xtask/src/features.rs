//! `cargo xtask features`: the facade's feature table, made of the comments in Cargo.toml.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::args;
use crate::workspace::Workspace;

const HEADER: &str = "| feature | what it brings |";

/// A feature of the facade and the comment above it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) brings: String,
}

pub(crate) fn run(words: &[String]) -> Result<ExitCode> {
    args::none(words)?;
    let workspace = Workspace::load()?;
    let manifest = workspace
        .text("Cargo.toml")
        .context("Cargo.toml cannot be read")?;
    print!("{}", table(&features(&manifest)));
    Ok(ExitCode::SUCCESS)
}

/// The features of a manifest, in its order, without `default`.
pub(crate) fn features(manifest: &str) -> Vec<Feature> {
    let section = manifest
        .lines()
        .skip_while(|line| line.trim() != "[features]")
        .skip(1);
    let mut features = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut inside_list = false;
    for line in section
        .map(str::trim)
        .take_while(|line| !starts_section(line))
    {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        if !inside_list && let Some((name, _)) = line.split_once('=') {
            let name = name.trim().trim_matches('"').to_owned();
            features.push(Feature {
                name,
                brings: comment.join(" "),
            });
        }
        comment.clear();
        inside_list = (inside_list || line.contains('[')) && !line.contains(']');
    }
    features.retain(|feature| feature.name != "default");
    features
}

/// The table as it has to stand in README.md; a cell ends without the comment's full stop.
pub(crate) fn table(features: &[Feature]) -> String {
    let mut table = format!("{HEADER}\n|---|---|\n");
    for Feature { name, brings } in features {
        let brings = brings.trim_end_matches('.');
        table.push_str(&format!("| `{name}` | {brings} |\n"));
    }
    table
}

/// The feature table of a README, or nothing if it has none.
pub(crate) fn table_in(readme: &str) -> String {
    let rows = readme.lines().skip_while(|line| line.trim() != HEADER);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| format!("{}\n", row.trim_end())).collect()
}

fn starts_section(line: &str) -> bool {
    line.starts_with('[')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "zcomm"

[features]
default = []
# An HTTP client.
http = ["dep:zcomm-http"]
# All that `zcomm serve` needs,
# in one word.
serve = [
    "bifrost", # the protocol
    "cache",
]
plain = []

[dependencies]
other = "1"
"#;

    #[test]
    fn comments_above_features_say_what_they_bring() {
        let features = features(MANIFEST);

        let rows: Vec<_> = features
            .iter()
            .map(|f| (f.name.as_str(), f.brings.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                ("http", "An HTTP client."),
                ("serve", "All that `zcomm serve` needs, in one word."),
                ("plain", ""),
            ]
        );
    }

    #[test]
    fn the_printed_table_is_found_again_in_a_readme() {
        let table = table(&features(MANIFEST));

        let readme = format!("# zcomm\n\n| a | b |\n|---|---|\n\n{table}\nMore text.\n");

        assert_eq!(table_in(&readme), table);
        assert_eq!(table_in("# zcomm\n"), "");
    }
}
