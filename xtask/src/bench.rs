//! `cargo xtask bench NAME`: builds one benchmark alone, runs it, and with `--record` puts its tables into the documents.

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run::{Run, cargo_with};
use crate::step::Step;
use crate::workspace::{Workspace, cargo};

/// Where the tables stand, between two comments with the name of the benchmark.
const DOCUMENT: &str = "docs/performance.md";

/// The benchmarks, and the crate that each is.
const BENCHES: &[(&str, &str)] = &[
    ("cache", "zcomm-bench-cache"),
    ("data", "zcomm-bench-data"),
    ("http", "zcomm-bench-http"),
    ("ws", "zcomm-bench-ws"),
];

pub(crate) fn run(mut words: Vec<String>) -> Result<ExitCode> {
    let record = words.iter().position(|word| word == "--record");
    let record = record.map(|place| words.remove(place)).is_some();
    let [name] = words.as_slice() else {
        bail!("which benchmark? {}", names());
    };
    let found = BENCHES.iter().find(|(known, _)| known == name);
    let (name, package) = found.with_context(|| format!("no `{name}`: {}", names()))?;

    let workspace = Workspace::load()?;
    let tables = measure(&workspace, name, package)?;
    print!("{tables}");
    if record {
        let path = workspace.root.join(DOCUMENT);
        let document = std::fs::read_to_string(&path).context(DOCUMENT)?;
        std::fs::write(&path, with_tables(&document, name, &tables)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One step for each benchmark: it runs, and its figures are in the step's log.
pub(crate) fn steps() -> Vec<Step> {
    const NIGHT: Duration = Duration::from_secs(12 * 60 * 60);
    let step = |name, about, bench: fn(&mut Run<'_>) -> Result<()>| {
        Step::new(name, about, bench).limit(NIGHT)
    };
    vec![
        step("bench-cache", "the cache beside moka", |run| {
            log(run, "zcomm-bench-cache")
        }),
        step("bench-data", "the SQLite store beside rusqlite", |run| {
            log(run, "zcomm-bench-data")
        }),
        step("bench-http", "the HTTP client beside its peers", |run| {
            log(run, "zcomm-bench-http")
        }),
        step("bench-ws", "the WebSocket server beside its peers", |run| {
            log(run, "zcomm-bench-ws")
        }),
    ]
}

fn log(run: &mut Run<'_>, package: &str) -> Result<()> {
    run.check(&mut cargo_with(&["run", "--release", "-p", package]))
}

fn names() -> String {
    let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Runs the benchmark's program, and gives back the Markdown that it prints.
fn measure(workspace: &Workspace, name: &str, package: &str) -> Result<String> {
    let json = workspace.target.join("bench").join(format!("{name}.json"));
    std::fs::create_dir_all(json.parent().unwrap_or(Path::new(".")))?;
    let output = cargo()
        .args(["run", "--quiet", "--release", "-p", package, "--", "--json"])
        .arg(&json)
        .current_dir(&workspace.root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("the benchmark `{name}` ended with {}", output.status);
    }
    eprintln!("every figure is in {}", json.display());
    Ok(String::from_utf8(output.stdout)?)
}

/// The document with new tables between the comments of this benchmark.
fn with_tables(document: &str, name: &str, tables: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- bench {name} -->"), "<!-- end -->");
    let parts = document.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(end)?;
        Some((before, after))
    });
    let (before, after) =
        parts.with_context(|| format!("{DOCUMENT} lacks `{begin}` with an `{end}` after it"))?;
    let tables = tables.trim();
    Ok(format!("{before}{begin}\n\n{tables}\n\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_those_of_the_same_benchmark_and_no_others() {
        let document =
            "# A\n<!-- bench a -->\nold\n<!-- end -->\nB\n<!-- bench b -->\n<!-- end -->\n";

        let changed = with_tables(document, "a", "| new |\n").unwrap();

        assert_eq!(
            changed,
            "# A\n<!-- bench a -->\n\n| new |\n\n<!-- end -->\nB\n<!-- bench b -->\n<!-- end -->\n"
        );
        assert_eq!(with_tables(&changed, "a", "| new |\n").unwrap(), changed);
        assert!(with_tables(document, "c", "").is_err());
    }
}
