//! `cargo xtask ci`: what the continuous integration runs. Format, lints, documentation, licences, then every test.

use std::process::ExitCode;

use anyhow::Result;

use crate::install::CARGO_DENY;
use crate::run::{Run, cargo_with};
use crate::step::{self, Step};
use crate::test;
use crate::workspace::Workspace;

pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut steps = vec![
        Step::new("format", "rustfmt has nothing to change", format),
        Step::new(
            "clippy",
            "no warnings in any target with all features",
            clippy,
        ),
        Step::new("docs", "documentation builds, no broken links", docs),
        Step::new(
            "deny",
            "licences, duplicates and sources of third-party crates",
            deny,
        )
        .needs(&[&CARGO_DENY]),
    ];
    steps.extend(test::steps(&workspace));
    step::run(&workspace, &steps, words)
}

fn format(run: &mut Run<'_>) -> Result<()> {
    run.check(&mut cargo_with(&["fmt", "--all", "--check"]))
}

fn clippy(run: &mut Run<'_>) -> Result<()> {
    let scope = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
    ];
    run.check(cargo_with(&scope).args(["--", "-D", "warnings"]))
}

fn docs(run: &mut Run<'_>) -> Result<()> {
    let mut command = cargo_with(&["doc", "--workspace", "--all-features", "--no-deps"]);
    run.check(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Without advisories: they need a database from the network, and change without the code changing.
fn deny(run: &mut Run<'_>) -> Result<()> {
    run.check(&mut cargo_with(&[
        "deny",
        "--workspace",
        "--all-features",
        "check",
        "licenses",
        "bans",
        "sources",
    ]))
}
