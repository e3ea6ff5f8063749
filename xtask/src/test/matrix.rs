//! The feature matrix: the facade with no feature, with each alone, and each example with what it asks for. Runs no tests.

use anyhow::Result;

use crate::command::Ended;
use crate::run::Run;
use crate::workspace::{FACADE, Workspace};

use super::facade_with;

/// Checks the facade with no features and with each of them: `serve` and `full` are features like any other.
///
/// Without dev-dependencies, which would lend the library features that a user's build does not have.
pub(super) fn features(run: &mut Run<'_>) -> Result<()> {
    let features = run.workspace().facade()?.features.keys();
    let names = features
        .map(String::as_str)
        .filter(|name| *name != "default");
    for name in std::iter::once("").chain(names) {
        let mut command = facade_with("check", name);
        command.args(["--lib", "--bins"]);
        run.check_that(&mut command, without_warnings)?;
    }
    Ok(())
}

/// Whether an example has been written already.
pub(super) fn has_examples(workspace: &Workspace) -> bool {
    let facade = workspace.package(FACADE);
    facade.is_some_and(|facade| facade.targets("example").next().is_some())
}

/// Checks that each example's `required-features` are enough for it.
pub(super) fn examples(run: &mut Run<'_>) -> Result<()> {
    for example in run.workspace().facade()?.targets("example") {
        let mut command = facade_with("check", &example.required_features.join(","));
        command.args(["--example", &example.name]);
        run.check_that(&mut command, without_warnings)?;
    }
    Ok(())
}

/// Cargo ends well despite warnings, and repeats those of earlier runs; its summary names each crate that has any.
fn without_warnings(ended: &Ended) -> bool {
    let warned = |line: &str| line.starts_with("warning: `") && line.contains(" generated ");
    ended.succeeded && !ended.output.lines().any(warned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(succeeded: bool, output: &str, good: bool) {
        let ended = Ended {
            line: String::new(),
            output: output.to_owned(),
            succeeded,
        };
        assert_eq!(without_warnings(&ended), good, "{output}");
    }

    #[test]
    fn a_build_with_warnings_of_ours_is_not_good() {
        check(true, "    Finished `dev` profile\n", true);
        check(false, "error: could not compile\n", false);
        check(
            true,
            "warning: unused import: `x`\nwarning: `zcomm` (lib) generated 1 warning\n    Finished\n",
            false,
        );
    }
}
