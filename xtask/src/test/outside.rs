//! Which tests need a program from outside, and so belong to the step that installs it. Installs nothing itself.

use std::process::Command;

use anyhow::Result;

use crate::install::{DOCKER, MONGO, POSTGRES, REDIS, Tool};
use crate::run::{Run, cargo_with};
use crate::workspace::Workspace;

/// How modules of such tests begin, in crates that have other tests too: `needs_redis` needs the tool `redis`.
pub(crate) const NEEDS: &str = "needs_";

/// Every tool that tests may need.
const TOOLS: &[&Tool] = &[&DOCKER, &MONGO, &POSTGRES, &REDIS];

/// Crates whose tests all need a tool, so that the names of their modules need not say it.
const WHOLE: &[(&str, &Tool)] = &[
    ("zcomm-services-postgres", &POSTGRES),
    ("zcomm-services-redis", &REDIS),
];

/// Tells tests which tool has to be there: its absence is a failure then.
const REQUIRE: &str = "ZCOMM_TEST_REQUIRE";

/// Runs the tests that need nothing but Rust.
pub(super) fn units(run: &mut Run<'_>) -> Result<()> {
    run.tests(&mut without_tools(run.workspace()))
}

/// The command that runs the tests that need nothing but Rust.
pub(crate) fn without_tools(workspace: &Workspace) -> Command {
    let mut command = others(workspace);
    command.args(skips());
    command
}

/// Runs the tests that need one tool: those of whole crates, then those in modules named after it.
pub(super) fn with_tool(run: &mut Run<'_>, tool: &Tool) -> Result<()> {
    let crates = whole(run.workspace(), |its| its.name == tool.name);
    if !crates.is_empty() {
        let chosen = crates.iter().flat_map(|name| ["-p", name]);
        let mut command = cargo_test(chosen);
        command.args(skips());
        run.some_tests(command.env(REQUIRE, tool.name))?;
    }
    let mut command = others(run.workspace());
    command.arg(format!("{NEEDS}{}", tool.name));
    run.tests(command.env(REQUIRE, tool.name))
}

/// Runs the tests in containers, of crates that belong to another tool and of the others.
pub(super) fn with_containers(
    run: &mut Run<'_>,
    tool: &Tool,
    prepare: &dyn Fn(&mut Command),
) -> Result<()> {
    let crates = whole(run.workspace(), |_| true);
    let chosen = crates.iter().flat_map(|name| ["-p", name]);
    let mut command = cargo_test(chosen);
    // Each starts a server of its own: more at once take longer than one after the other.
    command.args([&format!("{NEEDS}{}", tool.name), "--test-threads=2"]);
    prepare(&mut command);
    run.some_tests(command.env(REQUIRE, tool.name))?;
    let mut command = others(run.workspace());
    command.arg(format!("{NEEDS}{}", tool.name));
    prepare(&mut command);
    run.tests(command.env(REQUIRE, tool.name))
}

/// Leaves out the modules of such tests, and no test that has such a word in its name.
fn skips() -> impl Iterator<Item = String> {
    let module = |tool: &&Tool| format!("{NEEDS}{}::", tool.name);
    let pair = |module| ["--skip".to_owned(), module];
    TOOLS.iter().map(module).flat_map(pair)
}

/// All crates but those that belong to a tool; the same arguments each time, so that nothing is compiled twice.
fn others(workspace: &Workspace) -> Command {
    let excluded = whole(workspace, |_| true);
    let excluded = excluded.iter().flat_map(|name| ["--exclude", name]);
    cargo_test(std::iter::once("--workspace").chain(excluded))
}

fn whole(workspace: &Workspace, of: impl Fn(&Tool) -> bool) -> Vec<&'static str> {
    let crates = WHOLE
        .iter()
        .filter(|(name, tool)| of(tool) && workspace.package(name).is_some());
    crates.map(|(name, _)| *name).collect()
}

fn cargo_test<'a>(packages: impl Iterator<Item = &'a str>) -> Command {
    let mut command = cargo_with(&["test", "--all-features", "--no-fail-fast"]);
    command
        .args(packages)
        .args(["--lib", "--bins", "--tests", "--examples", "--"]);
    command
}
