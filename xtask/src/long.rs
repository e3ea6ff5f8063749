//! `cargo xtask long`: what is too slow for every change, in one registry. Each further entry gets a file of its own.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::autobahn;
use crate::bench;
use crate::fuzz;
use crate::run::{Run, cargo_with};
use crate::step::{self, Step};
use crate::test;
use crate::workspace::{FACADE, Workspace};

/// A hundred times what a property test does by itself.
const CASES: &str = "25600";

const NIGHT: Duration = Duration::from_secs(12 * 60 * 60);

pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let steps = [
        Step::new(
            "properties",
            "property tests with a hundred times the cases",
            properties,
        )
        .limit(NIGHT),
        Step::new(
            "isolation",
            "10^6 operations, none of which shows what is another's",
            isolation,
        )
        .limit(NIGHT),
        Step::new(
            "soak",
            "ten minutes of mixed load, after which a server holds no more than before",
            soak,
        )
        .limit(NIGHT),
        autobahn::step(),
    ];
    let steps: Vec<Step> = steps
        .into_iter()
        .chain(fuzz::steps())
        .chain(bench::steps())
        .collect();
    step::run(&workspace, &steps, words)
}

fn isolation(run: &mut Run<'_>) -> Result<()> {
    let mut command = cargo_with(&[
        "test",
        "-p",
        FACADE,
        "--all-features",
        "--test",
        "it",
        "isolation::nobody_is_shown",
    ]);
    run.tests(command.env("ZCOMM_TEST_OPERATIONS", "1000000"))
}

fn soak(run: &mut Run<'_>) -> Result<()> {
    let mut command = cargo_with(&[
        "test",
        "-p",
        FACADE,
        "--all-features",
        "--test",
        "it",
        "soak::",
    ]);
    run.tests(command.env("ZCOMM_TEST_SOAK_SECONDS", "600"))
}

fn properties(run: &mut Run<'_>) -> Result<()> {
    let mut command = test::without_tools(run.workspace());
    run.tests(command.env("PROPTEST_CASES", CASES))
}
