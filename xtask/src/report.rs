//! What a list of steps prints: progress, failures, the table at the end. Decides nothing.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::step::{Outcome, Row, Step};
use crate::tally::Tally;

/// Shows that a step still runs: a moving line on a terminal, a line per minute elsewhere.
#[derive(Debug)]
pub(crate) struct Ticker {
    name: String,
    start: Instant,
    shown: u64,
    every: u64,
}

impl Ticker {
    pub(crate) fn start(name: &str) -> Self {
        let every = if std::io::stdout().is_terminal() {
            1
        } else {
            60
        };
        Self {
            name: name.to_owned(),
            start: Instant::now(),
            shown: 0,
            every,
        }
    }

    pub(crate) fn tick(&mut self) {
        let seconds = self.start.elapsed().as_secs();
        if seconds < self.shown + self.every {
            return;
        }
        self.shown = seconds;
        let minutes = minutes(self.start.elapsed());
        if self.every == 1 {
            print!("\r\x1b[K      {} … {minutes}", self.name);
            let _ = std::io::stdout().flush();
        } else {
            println!("      {} … {minutes}", self.name);
        }
    }

    /// Clears the moving line; how long it ran.
    pub(crate) fn stop(&self) -> Duration {
        if self.every == 1 && self.shown > 0 {
            print!("\r\x1b[K");
        }
        self.start.elapsed()
    }
}

pub(crate) fn list(steps: &[Step]) {
    for step in steps {
        let tools: Vec<&str> = step.tools.iter().map(|tool| tool.name).collect();
        let needs = if tools.is_empty() {
            String::new()
        } else {
            format!(" (needs {})", tools.join(", "))
        };
        println!("{:<12} {}{needs}", step.name, step.about);
    }
}

pub(crate) fn installs(tool: &str) {
    println!("[setup] {tool} is missing and will be installed");
}

pub(crate) fn set_up(tool: &str, result: &Result<Option<String>, String>) {
    match result {
        Ok(None) => {}
        Ok(Some(installed)) => println!("[setup] {tool} is there: installed {installed}"),
        Err(_) => println!("[setup] {tool} could not be installed"),
    }
}

pub(crate) fn begins(number: usize, of: usize, step: &Step) {
    println!("[{number}/{of}] {}: {}", step.name, step.about);
}

pub(crate) fn ended(outcome: &Outcome, tally: Tally, took: Duration) {
    println!("      {}: {tally} in {}", describe(outcome), minutes(took));
}

/// The whole output of what failed; everything else stays in the log.
pub(crate) fn failures(failures: &[String], log: &Path) {
    for failure in failures {
        println!("\n{}\n", failure.trim_end());
    }
    if !failures.is_empty() {
        println!("      log: {}", log.display());
    }
}

/// Prints the table, and below it, on a line of its own, the sum that it returns.
pub(crate) fn table(rows: &[Row]) -> Tally {
    let mut total = Tally::default();
    for row in rows {
        total += row.tally;
    }
    println!("\n{}", render(rows));
    println!("{total}");
    total
}

fn render(rows: &[Row]) -> String {
    let mut lines = vec![["step", "result", "seconds", "tests", "installed"].map(str::to_owned)];
    for row in rows {
        lines.push([
            row.step.to_owned(),
            describe(&row.outcome),
            format!("{:.1}", row.took.as_secs_f64()),
            row.tally.ran().to_string(),
            row.installed.join(", "),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let [first, second] = [width(0), width(1)].map(|width| width.unwrap_or(0));
    let mut text = String::new();
    for [step, result, seconds, tests, installed] in &lines {
        let line =
            format!("{step:<first$}  {result:<second$}  {seconds:>7}  {tests:>6}  {installed}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Failed => "FAILED".to_owned(),
        Outcome::CannotRun => "COULD NOT RUN".to_owned(),
        Outcome::NotRun(option) => format!("not run ({option})"),
    }
}

fn minutes(took: Duration) -> String {
    format!("{:.1} min", took.as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_what_was_not_run_and_why() {
        let row = |step, outcome, passed, installed: &[&str]| Row {
            step,
            outcome,
            tally: Tally {
                passed,
                failed: 0,
                skipped: 0,
            },
            took: Duration::from_millis(61_250),
            installed: installed.iter().map(|&name| name.to_owned()).collect(),
        };
        let rows = [
            row("units", Outcome::Passed, 1234, &[]),
            row("redis", Outcome::Failed, 3, &["redis-server"]),
            row(
                "docker",
                Outcome::NotRun("--without docker".to_owned()),
                0,
                &[],
            ),
            row("browser", Outcome::CannotRun, 0, &[]),
        ];

        assert_eq!(
            render(&rows),
            "\
step     result                      seconds   tests  installed
units    passed                         61.2    1234
redis    FAILED                         61.2       3  redis-server
docker   not run (--without docker)     61.2       0
browser  COULD NOT RUN                  61.2       0
"
        );
    }
}
