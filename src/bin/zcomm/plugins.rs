//! `zcomm plugins`: what this build can do, and what it would take to do more.

use serde_json::{Value, json};
use zcomm::core::{Fix, Plugin, PluginKind};

use crate::output::{self, Cell, Outcome};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &crate::args::Args, plugins: &Args) -> anyhow::Result<Outcome> {
    let comm = args.bare()?;
    let all = comm.registry().plugins();
    if plugins.json {
        output::json(&Value::Array(all.iter().map(to_json).collect()));
        return Ok(Outcome::Done);
    }
    if all.is_empty() {
        output::line("this build has no plugins");
    } else {
        let rows: Vec<[Cell; 4]> = all.iter().map(to_row).collect();
        output::table(["NAME", "BRINGS", "CRATE", "ALSO CALLED"], &rows);
    }
    let absent: Vec<String> = comm
        .registry()
        .absent()
        .map(|(name, fix)| format!("{name} ({})", feature(&fix)))
        .collect();
    if !absent.is_empty() {
        output::line(&format!("\nnot in this build: {}", absent.join(", ")));
    }
    Ok(Outcome::Done)
}

fn feature(fix: &Fix) -> String {
    match fix {
        Fix::Feature { feature, .. } => format!("feature `{feature}`"),
        _ => "another crate".to_owned(),
    }
}

fn to_row(plugin: &Plugin) -> [Cell; 4] {
    [
        plugin.name.into(),
        brings(plugin).into(),
        plugin.package.into(),
        plugin.aliases.join(", ").into(),
    ]
}

fn to_json(plugin: &Plugin) -> Value {
    json!({
        "name": plugin.name,
        "brings": kinds(plugin),
        "crate": plugin.package,
        "aliases": plugin.aliases,
        "settings": plugin.keys.iter().map(|key| key.path).collect::<Vec<_>>(),
    })
}

fn kinds(plugin: &Plugin) -> Vec<&'static str> {
    plugin.kinds().into_iter().map(PluginKind::as_str).collect()
}

/// What a person reads: parts, or that there are only settings.
fn brings(plugin: &Plugin) -> String {
    let kinds = kinds(plugin);
    if kinds.is_empty() {
        "settings".to_owned()
    } else {
        kinds.join(", ")
    }
}
