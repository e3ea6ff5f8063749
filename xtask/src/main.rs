//! The project's own commands, `cargo xtask <command>`. This file only dispatches; each command has a file of its own.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};

mod args;
mod autobahn;
mod bench;
mod ci;
mod command;
mod docker;
mod features;
mod fuzz;
mod images;
mod install;
mod long;
mod report;
mod run;
mod standin;
mod step;
mod tally;
mod test;
mod tidy;
mod workspace;

const USAGE: &str = "\
usage: cargo xtask <command>

  test      set up what is missing and run every test: the one command before a change is offered
  ci        format, clippy, documentation, licences, then `test`: what the continuous integration runs
  tidy      check what no compiler checks: module docs, file length, dependency arrows, README …
  features  print the facade's feature table as it has to stand in README.md
  long      what is too slow for `test`: 10^6 operations, a soak, Autobahn, fuzzing, benches
  autobahn  run the Autobahn test suite against the echo server; needs Python 2.7
  fuzz      run the fuzz targets, $ZCOMM_FUZZ_RUNS inputs each
  bench     measure against others (`bench cache`, `data`, `http`, `ws`); `--record` puts the tables into docs/performance.md

`test`, `ci`, `long`, `autobahn` and `fuzz` are lists of steps and take:
  --without NAME   leave out a step, or every step that needs a tool (`--without redis`)
  --only STEP      run only this step; can be given several times
  --list           print the steps and what they need, run nothing
";

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut words: Vec<String>) -> Result<ExitCode> {
    if words.is_empty() || words.iter().any(|word| word == "--help" || word == "-h") {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let command = words.remove(0);
    match command.as_str() {
        "test" => test::run(words),
        "ci" => ci::run(words),
        "tidy" => tidy::run(&words),
        "features" => features::run(&words),
        "long" => long::run(words),
        "bench" => bench::run(words),
        "autobahn" => autobahn::run(words),
        "fuzz" => fuzz::run(words),
        other => bail!("there is no command `{other}`\n\n{USAGE}"),
    }
}
