//! What Cargo knows of this workspace: packages, features, targets, arrows; and which files belong to it. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The facade: the root package, whose features are the product's.
pub(crate) const FACADE: &str = "zcomm";

/// The workspace, as `cargo metadata` tells it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// The crates of this workspace that it depends on, for whatever purpose.
    pub(crate) arrows: BTreeSet<String>,
    pub(crate) targets: Vec<Target>,
}

/// One thing that Cargo builds of a crate.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) required_features: Vec<String>,
}

impl Workspace {
    /// Asks Cargo. Needs no network and resolves no versions.
    pub(crate) fn load() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--format-version=1", "--no-deps"])
            .output()
            .context("cargo metadata could not be started")?;
        if !output.status.success() {
            bail!(
                "cargo metadata: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Self::of_metadata(&serde_json::from_slice(&output.stdout)?)
    }

    /// The package called `name`, if it exists already.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The facade's package.
    pub(crate) fn facade(&self) -> Result<&Package> {
        self.package(FACADE)
            .with_context(|| format!("the workspace has no package `{FACADE}`"))
    }

    /// A text file of the project, by its path from the root; `None` where there is none.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(path)).ok()
    }

    /// All files of the project, committed or about to be: what Git does not ignore, with `/` between the parts.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        // A checkout may belong to another user than the one who tests it, as in containers.
        let output = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z"])
            .args(["--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .context("git could not be started; it lists the files to check")?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        }
        let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
        let files: BTreeSet<&str> = names.split_terminator('\0').collect();
        Ok(files
            .into_iter()
            .filter(|file| self.root.join(file).is_file())
            .map(str::to_owned)
            .collect())
    }

    fn of_metadata(metadata: &Value) -> Result<Self> {
        let packages = list(&metadata["packages"]);
        let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
        Ok(Self {
            root: PathBuf::from(text(&metadata["workspace_root"])?),
            target: PathBuf::from(text(&metadata["target_directory"])?),
            packages: packages
                .iter()
                .map(|package| Package::of_metadata(package, &names))
                .collect::<Result<_>>()?,
        })
    }
}

impl Package {
    /// The targets of one kind: `example`, `test`, `bin` …
    pub(crate) fn targets<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Target> {
        self.targets
            .iter()
            .filter(move |target| target.kind == kind)
    }

    fn of_metadata(package: &Value, own: &BTreeSet<&str>) -> Result<Self> {
        let mut features = BTreeMap::new();
        for (name, parts) in package["features"].as_object().into_iter().flatten() {
            features.insert(name.clone(), texts(parts)?);
        }
        Ok(Self {
            name: text(&package["name"])?,
            features,
            arrows: list(&package["dependencies"])
                .iter()
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| own.contains(name))
                .map(str::to_owned)
                .collect(),
            targets: list(&package["targets"])
                .iter()
                .map(Target::of_metadata)
                .collect::<Result<_>>()?,
        })
    }
}

impl Target {
    fn of_metadata(target: &Value) -> Result<Self> {
        Ok(Self {
            name: text(&target["name"])?,
            kind: text(&target["kind"][0])?,
            required_features: texts(&target["required-features"])?,
        })
    }
}

/// The Cargo that runs us, so that a toolchain chosen on the command line stays chosen.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Whether a file holds tests and nothing else.
pub(crate) fn is_test_file(path: &str) -> bool {
    let inside = Path::new(path)
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .any(|part| part.as_os_str() == "tests");
    inside || path.ends_with("/tests.rs")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().context("cargo metadata lacks a text")?;
    Ok(text.to_owned())
}

fn texts(value: &Value) -> Result<Vec<String>> {
    list(value).iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_becomes_packages_with_arrows_among_themselves() {
        let metadata = json!({
            "workspace_root": "/src/zcomm",
            "target_directory": "/src/zcomm/target",
            "packages": [
                {
                    "name": "zcomm",
                    "features": {"http": ["dep:zcomm-http"]},
                    "dependencies": [{"name": "zcomm-http"}, {"name": "serde"}],
                    "targets": [
                        {"name": "zcomm", "kind": ["lib"]},
                        {"name": "client", "kind": ["example"], "required-features": ["http"]},
                    ],
                },
                {"name": "zcomm-http", "features": {}, "dependencies": [], "targets": []},
            ],
        });

        let workspace = Workspace::of_metadata(&metadata).unwrap();

        let facade = workspace.facade().unwrap();
        assert_eq!(facade.features["http"], ["dep:zcomm-http"]);
        assert_eq!(facade.arrows, BTreeSet::from(["zcomm-http".to_owned()]));
        let example = facade.targets("example").next().unwrap();
        assert_eq!(example.name, "client");
        assert_eq!(example.required_features, ["http"]);
        assert!(workspace.package("zcomm-ws").is_none());
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        assert!(is_test_file("zcomm-core/tests/it/main.rs"));
        assert!(is_test_file("zcomm-core/src/settings/tests.rs"));
        assert!(is_test_file("zcomm-core/src/settings/tests/faults.rs"));
        assert!(!is_test_file("zcomm-core/src/settings/mod.rs"));
        assert!(!is_test_file("src/attests.rs"));
    }
}
