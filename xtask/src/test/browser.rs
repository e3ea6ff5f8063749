//! The client for browsers: its types, its served files, its tests on Node and in Chromium. Installs no browser.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::run::{Run, cargo_with};

/// Where the package lies.
pub(super) const CLIENT: &str = "zcomm-ws/client";

/// Fetches what the lock file names, then runs the package's own check and tests against a fresh program.
pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    let program = ["build", "--features", "full", "--bin", "zcomm"];
    run.must(&mut cargo_with(&program))?;
    let root = run.workspace().root.join(CLIENT);
    if !is_current(&root) {
        run.must(&mut npm(&["ci", "--no-audit", "--no-fund"]))?;
    }
    run.check(&mut npm(&["run", "check"]))?;
    let target = run.workspace().target.clone();
    run.node_tests(
        npm(&["test"])
            .env("ZCOMM_PROGRAM", target.join("debug/zcomm"))
            .env("ZCOMM_ARTEFACTS", target.join("browser")),
    )
}

/// Whether the packages were fetched after the lock file was last changed; npm writes a list of its own when it is done.
fn is_current(root: &Path) -> bool {
    let changed = |path: &str| std::fs::metadata(root.join(path)).and_then(|it| it.modified());
    match (
        changed("node_modules/.package-lock.json"),
        changed("package-lock.json"),
    ) {
        (Ok(fetched), Ok(locked)) => fetched >= locked,
        _ => false,
    }
}

fn npm(words: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(["--prefix", CLIENT]).args(words);
    command
}
