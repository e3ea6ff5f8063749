//! `cargo xtask long`: what is too slow for every change, in one registry. Each further entry gets a file of its own.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::autobahn;
use crate::run::Run;
use crate::step::{self, Step};
use crate::test;
use crate::workspace::Workspace;

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
        autobahn::step(),
    ];
    step::run(&workspace, &steps, words)
}

fn properties(run: &mut Run<'_>) -> Result<()> {
    let mut command = test::without_tools(run.workspace());
    run.tests(command.env("PROPTEST_CASES", CASES))
}
