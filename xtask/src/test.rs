//! `cargo xtask test`: every test there is, and the set-up they need. Lists the steps; longer ones have files of their own.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::install::{CHROMIUM, DOCKER, MONGO, NODE, PIP, POSTGRES, PYTHON, REDIS};
use crate::run::{Run, cargo_with};
use crate::step::{self, Step};
use crate::tidy;
use crate::workspace::{FACADE, Workspace};

mod browser;
mod containers;
mod matrix;
mod outside;
mod registry;
mod traces;

pub(crate) use outside::{NEEDS, without_tools};

pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    step::run(&workspace, &steps(&workspace), words)
}

/// The steps, as far as what they test exists.
pub(crate) fn steps(workspace: &Workspace) -> Vec<Step> {
    let mut steps = vec![
        Step::new(
            "units",
            "unit and integration tests that need no server or browser",
            outside::units,
        )
        .needs(&[&PYTHON]),
        Step::new("doctests", "examples in the documentation", doctests),
        Step::new(
            "features",
            "each feature of the facade compiles alone, without a warning",
            matrix::features,
        ),
    ];
    if matrix::has_examples(workspace) {
        steps.push(Step::new(
            "examples",
            "each example builds with exactly the features it asks for",
            matrix::examples,
        ));
    }
    if registry::exists(workspace) {
        steps.push(Step::new(
            "registry",
            "what is enabled is registered, and nothing else",
            registry::run,
        ));
    }
    if workspace.package("zcomm-services-redis").is_some() {
        steps.push(Step::new("redis", "tests with a real Redis server", redis).needs(&[&REDIS]));
    }
    if workspace.package("zcomm-services-postgres").is_some() {
        let what = "tests with a real PostgreSQL server";
        steps.push(Step::new("postgres", what, postgres).needs(&[&POSTGRES]));
    }
    if workspace.root.join(browser::CLIENT).exists() {
        let what = "the client for browsers, on Node and in Chromium";
        steps.push(Step::new("browser", what, browser::run).needs(&[&NODE, &CHROMIUM]));
    }
    if workspace.package("zcomm-services-mongo").is_some() {
        let what = "tests with MongoDB, or a server of its protocol";
        steps.push(Step::new("mongo", what, mongo).needs(&[&PIP, &MONGO]));
    }
    if workspace.package("zcomm-services").is_some() {
        let what = "tests with real databases in containers";
        let step = Step::new("containers", what, containers::run);
        steps.push(step.needs(&[&PIP, &DOCKER, &POSTGRES, &REDIS]));
        let what = "no process and no folder of a test is left";
        steps.push(Step::new("traces", what, traces::run));
    }
    // Further steps with tools of their own stand here.
    steps.push(Step::new("tidy", "what no compiler checks", tidy::step));
    steps
}

fn doctests(run: &mut Run<'_>) -> Result<()> {
    run.tests(&mut cargo_with(&[
        "test",
        "--workspace",
        "--all-features",
        "--doc",
        "--no-fail-fast",
    ]))
}

fn postgres(run: &mut Run<'_>) -> Result<()> {
    outside::with_tool(run, &POSTGRES)
}

fn mongo(run: &mut Run<'_>) -> Result<()> {
    outside::with_tool(run, &MONGO)
}

fn redis(run: &mut Run<'_>) -> Result<()> {
    outside::with_tool(run, &REDIS)
}

/// A Cargo command on the facade alone, with these features and no others.
fn facade_with(command: &str, features: &str) -> Command {
    let mut command = cargo_with(&[command, "-p", FACADE, "--no-default-features"]);
    if !features.is_empty() {
        command.args(["--features", features]);
    }
    command
}
