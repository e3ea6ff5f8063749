//! What a step does its work with: runs programs, counts how they ended, keeps the output of what failed.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::command::{Ended, Log};
use crate::install::search_path;
use crate::report::{self, Ticker};
use crate::step::Outcome;
use crate::tally::Tally;
use crate::workspace::{Workspace, cargo};

/// The work of one step.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    workspace: &'a Workspace,
    log: Log,
    ticker: Ticker,
    tally: Tally,
    failures: Vec<String>,
}

impl<'a> Run<'a> {
    pub(crate) fn start(workspace: &'a Workspace, name: &str, limit: Duration) -> Result<Self> {
        let path = workspace.target.join("xtask").join(format!("{name}.log"));
        Ok(Self {
            workspace,
            log: Log::create(path, Instant::now() + limit)?,
            ticker: Ticker::start(name),
            tally: Tally::default(),
            failures: Vec::new(),
        })
    }

    pub(crate) fn workspace(&self) -> &'a Workspace {
        self.workspace
    }

    /// Runs a program that has to succeed for anything further to make sense.
    pub(crate) fn must(&mut self, command: &mut Command) -> Result<String> {
        let ended = self.execute(command)?;
        if !ended.succeeded {
            bail!("`{}` failed:\n{}", ended.line, ended.output);
        }
        Ok(ended.output)
    }

    /// Runs a program that counts as one test, and goes on if it fails.
    pub(crate) fn check(&mut self, command: &mut Command) -> Result<()> {
        self.check_that(command, |ended| ended.succeeded)
    }

    /// As [`check`](Self::check), but the caller judges.
    pub(crate) fn check_that(
        &mut self,
        command: &mut Command,
        good: fn(&Ended) -> bool,
    ) -> Result<()> {
        let ended = self.execute(command)?;
        let good = good(&ended);
        self.tally += Tally::of_check(good);
        if !good {
            self.fail(&ended);
        }
        Ok(())
    }

    /// Runs a `cargo test` and counts the tests in it.
    pub(crate) fn tests(&mut self, command: &mut Command) -> Result<()> {
        self.count_tests(command).map(drop)
    }

    /// As [`tests`](Self::tests), but a run that goes well without a single test is a failure.
    pub(crate) fn some_tests(&mut self, command: &mut Command) -> Result<()> {
        let ended = self.count_tests(command)?;
        if ended.succeeded && Tally::of_cargo_test(&ended.output).ran() == 0 {
            bail!("`{}` found no tests", ended.line);
        }
        Ok(())
    }

    /// Runs tests on Node and counts them; a run without a single one is a failure.
    pub(crate) fn node_tests(&mut self, command: &mut Command) -> Result<()> {
        let ended = self.count(command, Tally::of_node_test)?;
        if ended.succeeded && Tally::of_node_test(&ended.output).ran() == 0 {
            bail!("`{}` found no tests", ended.line);
        }
        Ok(())
    }

    /// Counts a finding of our own as one failed test.
    pub(crate) fn finding(&mut self, text: String) {
        self.tally += Tally::FAILED;
        self.failures.push(text);
    }

    /// Counts a check of our own that found nothing.
    pub(crate) fn clean(&mut self) {
        self.tally += Tally::PASSED;
    }

    fn count_tests(&mut self, command: &mut Command) -> Result<Ended> {
        self.count(command, Tally::of_cargo_test)
    }

    fn count(&mut self, command: &mut Command, tally: fn(&str) -> Tally) -> Result<Ended> {
        let ended = self.execute(command)?;
        let tally = tally(&ended.output);
        self.tally += tally;
        if !ended.succeeded {
            if tally.failed == 0 {
                // It did not even compile, or a test took the whole process down.
                self.tally += Tally::FAILED;
            }
            self.fail(&ended);
        }
        Ok(ended)
    }

    fn execute(&mut self, command: &mut Command) -> Result<Ended> {
        command
            .current_dir(&self.workspace.root)
            .env("PATH", search_path(self.workspace))
            .env("CARGO_TERM_COLOR", "never");
        let ticker = &mut self.ticker;
        self.log.run(command, &mut || ticker.tick())
    }

    fn fail(&mut self, ended: &Ended) {
        self.failures
            .push(format!("$ {}\n{}", ended.line, ended.output));
    }

    /// Ends the display of a run that has no result of its own.
    pub(crate) fn stop(&self) -> Duration {
        self.ticker.stop()
    }

    /// Reports the result and hands it over.
    pub(crate) fn finish(mut self, result: Result<()>) -> (Tally, Outcome, Duration) {
        if let Err(error) = result {
            self.tally += Tally::FAILED;
            self.failures.push(format!("{error:#}"));
        }
        let took = self.stop();
        let outcome = if self.tally.failed == 0 {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        report::ended(&outcome, self.tally, took);
        report::failures(&self.failures, self.log.path());
        (self.tally, outcome, took)
    }
}

/// A `cargo` command for a step to complete.
pub(crate) fn cargo_with(words: &[&str]) -> Command {
    let mut command = cargo();
    command.args(words);
    command
}
