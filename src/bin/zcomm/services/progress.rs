//! What a person at a terminal sees while services start: a line each, with the time it takes. Elsewhere nothing.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::output;

/// How often the lines move.
const TICK: Duration = Duration::from_millis(80);

/// The lines of several services.
pub(super) struct Progress(Option<MultiProgress>);

/// The line of one.
pub(super) struct Shown(Option<ProgressBar>);

impl Progress {
    /// Shows nothing unless it is wanted and somebody looks.
    pub(super) fn new(wanted: bool) -> Self {
        let seen = wanted && io::stderr().is_terminal();
        Self(seen.then(MultiProgress::new))
    }

    pub(super) fn begin(&self, name: &str, doing: &str) -> Shown {
        let Some(all) = &self.0 else {
            return Shown(None);
        };
        let style = ProgressStyle::with_template("{spinner} {prefix} {msg} {elapsed}");
        let line = all.add(ProgressBar::new_spinner());
        line.set_style(style.expect("the template is one of ours"));
        line.set_prefix(name.to_owned());
        line.set_message(doing.to_owned());
        line.enable_steady_tick(TICK);
        Shown(Some(line))
    }

    /// Prints a line of the result above those that still move.
    pub(super) fn line(&self, text: &str) {
        match &self.0 {
            Some(all) => all.suspend(|| output::line(text)),
            None => output::line(text),
        }
    }
}

impl Shown {
    pub(super) fn end(self) {
        if let Some(line) = self.0 {
            line.finish_and_clear();
        }
    }
}
