//! `cargo xtask fuzz`: each fuzz target for as many inputs as it takes. The targets themselves are in the folder `fuzz`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::install::CARGO_FUZZ;
use crate::run::{Run, cargo_with};
use crate::step::{self, Step};
use crate::workspace::Workspace;

/// Inputs for each target, unless the environment names another number.
const RUNS: &str = "100000000";
const RUNS_VARIABLE: &str = "ZCOMM_FUZZ_RUNS";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    step::run(&Workspace::load()?, &steps(), words)
}

/// One step for each target, so that a finding in one doesn't keep the others from being looked at.
pub(crate) fn steps() -> Vec<Step> {
    let step = |name, about, target: fn(&mut Run<'_>) -> Result<()>| {
        Step::new(name, about, target)
            .needs(&[&CARGO_FUZZ])
            .limit(DAY)
    };
    vec![
        step("parser", "frames out of arbitrary bytes", |run| {
            fuzz(run, "parser")
        }),
        step("decoder", "events out of arbitrary bytes", |run| {
            fuzz(run, "decoder")
        }),
        step("assembler", "messages out of arbitrary fragments", |run| {
            fuzz(run, "assembler")
        }),
        step("handshake", "arbitrary heads of both sides", |run| {
            fuzz(run, "handshake")
        }),
        step("deflate", "arbitrary offers and compressed bytes", |run| {
            fuzz(run, "deflate")
        }),
    ]
}

/// The fuzzer goes on where the last run ended: its corpus lies beside the seeds, and no commit holds it.
fn fuzz(run: &mut Run<'_>, target: &str) -> Result<()> {
    let runs = std::env::var(RUNS_VARIABLE).unwrap_or_else(|_| RUNS.to_owned());
    let mut command = cargo_with(&["fuzz", "run", "--fuzz-dir", "fuzz"]);
    // No unsafe code is in it, so there is nothing for a sanitizer to find but time to lose.
    command.args(["--sanitizer", "none", target, "--"]);
    command
        .arg(format!("-runs={runs}"))
        .arg("-print_final_stats=1");
    // What instruments the code is not stable yet; the compiler is the one of everything else.
    run.check(command.env("RUSTC_BOOTSTRAP", "1"))
}
