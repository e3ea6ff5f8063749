//! A list of steps, run one after the other, with one result each. Knows no particular step.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::args::Selection;
use crate::install::Tool;
use crate::report;
use crate::run::Run;
use crate::tally::Tally;
use crate::workspace::Workspace;

/// A step that runs longer than this hangs, unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// One line of the table at the end.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) tools: &'static [&'static Tool],
    limit: Duration,
    run: fn(&mut Run<'_>) -> Result<()>,
}

impl Step {
    pub(crate) fn new(
        name: &'static str,
        about: &'static str,
        run: fn(&mut Run<'_>) -> Result<()>,
    ) -> Self {
        Self {
            name,
            about,
            tools: &[],
            limit: LIMIT,
            run,
        }
    }

    /// Has these tools installed before anything runs.
    pub(crate) fn needs(mut self, tools: &'static [&'static Tool]) -> Self {
        self.tools = tools;
        self
    }

    /// Gives the step as much time as it needs at most.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The option that switched this step off, if one did.
    fn switched_off(&self, selection: &Selection) -> Option<String> {
        let answers_to =
            |name: &str| self.name == name || self.tools.iter().any(|tool| tool.name == name);
        let without = selection.without.iter().find(|name| answers_to(name));
        if let Some(name) = without {
            return Some(format!("--without {name}"));
        }
        let chosen =
            selection.only.is_empty() || selection.only.iter().any(|name| name == self.name);
        (!chosen).then(|| "--only others".to_owned())
    }
}

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Something it needs is missing: counts as a failure.
    CannotRun,
    /// Switched off by this option: counts as skipped.
    NotRun(String),
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) step: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) tally: Tally,
    pub(crate) took: Duration,
    pub(crate) installed: Vec<String>,
}

/// Runs what the options select, prints the table, and makes the exit code of it.
pub(crate) fn run(workspace: &Workspace, steps: &[Step], words: Vec<String>) -> Result<ExitCode> {
    let selection = Selection::try_from(words)?;
    refuse_unknown_names(steps, &selection)?;
    if selection.list {
        report::list(steps);
        return Ok(ExitCode::SUCCESS);
    }
    if steps
        .iter()
        .all(|step| step.switched_off(&selection).is_some())
    {
        bail!("these options leave no step to run");
    }
    let set_up = set_up(workspace, steps, &selection)?;
    let mut rows = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if step.switched_off(&selection).is_none() {
            report::begins(index + 1, steps.len(), step);
        }
        rows.push(run_one(workspace, step, &selection, &set_up)?);
    }
    let total = report::table(&rows);
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What became of each tool: what was installed for it, or why it is not there.
type SetUp = BTreeMap<&'static str, Result<Option<String>, String>>;

/// Installs all that is missing before the first step runs, so that nobody waits for an error that was certain.
fn set_up(workspace: &Workspace, steps: &[Step], selection: &Selection) -> Result<SetUp> {
    let mut done = SetUp::new();
    let wanted = steps
        .iter()
        .filter(|step| step.switched_off(selection).is_none());
    for tool in wanted.flat_map(|step| step.tools) {
        if done.contains_key(tool.name) {
            continue;
        }
        let mut run = Run::start(workspace, &format!("setup-{}", tool.name), LIMIT)?;
        let result = tool.ensure(&mut run).map_err(|error| format!("{error:#}"));
        run.stop();
        report::set_up(tool.name, &result);
        done.insert(tool.name, result);
    }
    Ok(done)
}

fn run_one(
    workspace: &Workspace,
    step: &Step,
    selection: &Selection,
    set_up: &SetUp,
) -> Result<Row> {
    let mut row = Row {
        step: step.name,
        outcome: Outcome::CannotRun,
        tally: Tally::FAILED,
        took: Duration::ZERO,
        installed: Vec::new(),
    };
    if let Some(option) = step.switched_off(selection) {
        row.outcome = Outcome::NotRun(option);
        row.tally = Tally::SKIPPED;
        return Ok(row);
    }
    let tools: Vec<_> = step
        .tools
        .iter()
        .filter_map(|tool| set_up.get(tool.name))
        .collect();
    if let Some(Err(reason)) = tools.iter().find(|result| result.is_err()) {
        report::ended(&row.outcome, row.tally, row.took);
        report::failures(
            std::slice::from_ref(reason),
            &workspace.target.join("xtask"),
        );
        return Ok(row);
    }
    row.installed = tools.into_iter().flatten().flatten().cloned().collect();
    let mut run = Run::start(workspace, step.name, step.limit)?;
    let result = (step.run)(&mut run);
    (row.tally, row.outcome, row.took) = run.finish(result);
    Ok(row)
}

fn refuse_unknown_names(steps: &[Step], selection: &Selection) -> Result<()> {
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    let tools = steps
        .iter()
        .flat_map(|step| step.tools)
        .map(|tool| tool.name);
    let known: Vec<&str> = names.iter().copied().chain(tools).collect();
    let without = selection
        .without
        .iter()
        .find(|name| !known.contains(&name.as_str()));
    let only = selection
        .only
        .iter()
        .find(|name| !names.contains(&name.as_str()));
    match without.or(only) {
        Some(name) => bail!("there is no step `{name}`; there are: {}", names.join(", ")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::REDIS;

    fn steps() -> Vec<Step> {
        vec![
            Step::new("units", "", |_| Ok(())),
            Step::new("servers", "", |_| Ok(())).needs(&[&REDIS]),
        ]
    }

    fn selection(without: &[&str], only: &[&str]) -> Selection {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Selection {
            without: own(without),
            only: own(only),
            list: false,
        }
    }

    #[test]
    fn a_step_goes_off_by_its_name_or_by_a_tool_it_needs() {
        let steps = steps();
        let off = |without: &[&str], only: &[&str]| {
            let selection = selection(without, only);
            let options = steps.iter().map(|step| step.switched_off(&selection));
            options.collect::<Vec<_>>()
        };

        assert_eq!(off(&[], &[]), [None, None]);
        assert_eq!(
            off(&["units"], &[]),
            [Some("--without units".to_owned()), None]
        );
        assert_eq!(
            off(&["redis"], &[]),
            [None, Some("--without redis".to_owned())]
        );
        assert_eq!(
            off(&[], &["units"]),
            [None, Some("--only others".to_owned())]
        );
    }

    #[test]
    fn a_name_that_no_step_has_is_an_error() {
        assert!(refuse_unknown_names(&steps(), &selection(&["redis"], &["units"])).is_ok());

        let error = refuse_unknown_names(&steps(), &selection(&["dokcer"], &[])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no step `dokcer`; there are: units, servers"
        );
        assert!(refuse_unknown_names(&steps(), &selection(&[], &["redis"])).is_err());
    }
}
