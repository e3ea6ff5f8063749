//! Images of databases for the tests: those that are there, else pulled ones, else built from Debian packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::docker::Daemon;
use crate::run::Run;

/// Set, an image that is not there is pulled before one is built: it needs a registry that can be reached.
const PULL: &str = "ZCOMM_TEST_PULL";

/// An image that tests start.
#[derive(Debug)]
pub(crate) struct Image {
    /// The variable by which tests learn its name.
    variable: &'static str,
    official: &'static str,
    /// The tag of the one that is built.
    own: &'static str,
    packages: &'static [&'static str],
    /// Packages of Python, from PyPI.
    python: Option<&'static str>,
    dockerfile: &'static str,
    entrypoint: &'static str,
}

pub(crate) const IMAGES: &[Image] = &[
    Image {
        variable: "ZCOMM_TEST_POSTGRES_IMAGE",
        official: "postgres:17",
        own: "zcomm-test/postgres:15",
        packages: &["postgresql-15", "postgresql-client-15"],
        python: None,
        dockerfile: include_str!("../images/postgres/Dockerfile"),
        entrypoint: include_str!("../images/postgres/docker-entrypoint.sh"),
    },
    Image {
        variable: "ZCOMM_TEST_REDIS_IMAGE",
        official: "redis:7",
        own: "zcomm-test/redis:7",
        packages: &["redis-tools"],
        python: None,
        dockerfile: include_str!("../images/redis/Dockerfile"),
        entrypoint: include_str!("../images/redis/docker-entrypoint.sh"),
    },
    // No package holds mongod itself: another server of its protocol stands in, under a name that says so.
    Image {
        variable: "ZCOMM_TEST_MONGO_IMAGE",
        official: "mongo:7",
        own: "zcomm-test/mongo-standin:secantus",
        packages: &["python3", "libstdc++6"],
        python: Some(STANDIN),
        dockerfile: include_str!("../images/mongo/Dockerfile"),
        entrypoint: include_str!("../images/mongo/docker-entrypoint.sh"),
    },
];

/// The server that stands in for MongoDB.
pub(crate) const STANDIN: &str = "SecantusDB==0.7.0b3";
const ROOTFS: &str = include_str!("../images/rootfs.sh");

impl Image {
    /// Sees to it that there is one, and says which, as the variable for the tests.
    pub(crate) fn ensure(
        &self,
        daemon: &Daemon,
        run: &mut Run<'_>,
    ) -> Result<(&'static str, &'static str)> {
        let found = [self.official, self.own]
            .into_iter()
            .find(|tag| is_there(daemon, tag));
        if let Some(tag) = found {
            return Ok((self.variable, tag));
        }
        if std::env::var_os(PULL).is_some() {
            let pulled = run.must(&mut daemon.command(&["pull", "--quiet", self.official]));
            if pulled.is_ok() {
                return Ok((self.variable, self.official));
            }
        }
        self.build(daemon, run).with_context(|| {
            format!(
                "there is no `{}`, and none can be built here",
                self.official
            )
        })?;
        Ok((self.variable, self.own))
    }

    fn build(&self, daemon: &Daemon, run: &mut Run<'_>) -> Result<()> {
        let folder = run.workspace().target.join("xtask/images");
        let context = folder.join(self.variable);
        let root = context.join("rootfs");
        std::fs::create_dir_all(&context)?;
        let script = folder.join("rootfs.sh");
        std::fs::write(&script, ROOTFS)?;
        let mut command = Command::new("bash");
        command
            .arg(&script)
            .args([&root, &folder.join("debs")])
            .args(self.packages)
            .env("LC_ALL", "C");
        run.must(&mut command)?;
        if let Some(package) = self.python {
            with_python(&root, package, run)?;
        }
        let entrypoint = root.join("usr/local/bin/docker-entrypoint.sh");
        std::fs::write(&entrypoint, self.entrypoint)?;
        let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&entrypoint, runnable)?;
        std::fs::write(context.join("Dockerfile"), self.dockerfile)?;
        let mut build = daemon.command(&["build", "--quiet", "--tag", self.own]);
        // The newer builder is a program of its own, which Debian's package does not bring.
        build.arg(&context).env("DOCKER_BUILDKIT", "0");
        run.must(&mut build)?;
        std::fs::remove_dir_all(&root)?;
        Ok(())
    }
}

fn is_there(daemon: &Daemon, tag: &str) -> bool {
    let output = daemon.command(&["image", "inspect", tag]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Puts a package of Python into the tree, in the form that the tree's own Python takes.
fn with_python(root: &Path, package: &str, run: &mut Run<'_>) -> Result<()> {
    let names = std::fs::read_dir(root.join("usr/bin"))?.flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let version = names
        .filter_map(|name| Some(name.strip_prefix("python3.")?.to_owned()))
        .find(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        .context("the tree has no Python")?;
    let link = root.join("usr/bin/python3");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(format!("python3.{version}"), &link)?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--pre",
        "--no-compile",
        "--target",
    ])
    .arg(root.join("opt/standin"))
    .args(["--python-version", &format!("3.{version}")])
    .args(["--only-binary=:all:", package]);
    run.must(&mut pip).map(drop)
}
