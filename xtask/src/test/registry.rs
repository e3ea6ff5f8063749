//! The registry matrix: `tests/registry.rs` of the facade, linked anew with no plugin, with each alone, and with all.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::run::Run;
use crate::workspace::{FACADE, Workspace};

use super::facade_with;

/// The test that is linked again for each row of the matrix.
const TEST: &str = "registry";

/// The feature that brings every plugin.
const ALL: &str = "full";

/// Features that enable a crate of ours without bringing a plugin, and why. All others are in the matrix by themselves.
const NO_PLUGIN: &[(&str, &str)] = &[
    ("services", "carries out what drivers say, is none"),
    ("test-util", "for tests"),
    ("conformance", "for tests"),
];

/// Whether the test has been written already.
pub(super) fn exists(workspace: &Workspace) -> bool {
    let facade = workspace.package(FACADE);
    facade.is_some_and(|facade| facade.targets("test").any(|test| test.name == TEST))
}

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    for features in matrix(&run.workspace().facade()?.features) {
        let mut command = facade_with("test", &features);
        run.some_tests(command.args(["--test", TEST]))?;
    }
    Ok(())
}

/// None, each that enables a crate of ours directly, all.
fn matrix(features: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let own = |part: &String| {
        part.starts_with("dep:zcomm-") || (part.starts_with("zcomm-") && part.contains('/'))
    };
    let excepted = |name: &str| NO_PLUGIN.iter().any(|(other, _)| *other == name);
    let plugins = features
        .iter()
        .filter(|(name, parts)| parts.iter().any(own) && !excepted(name))
        .map(|(name, _)| name.clone());
    let all = features.contains_key(ALL).then(|| ALL.to_owned());
    std::iter::once(String::new())
        .chain(plugins)
        .chain(all)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_enable_a_crate_of_ours_are_in_the_matrix() {
        let features = [
            ("cache", vec!["dep:zcomm-cache"]),
            ("cli", vec!["dep:clap"]),
            ("full", vec!["http", "jwt", "cache", "cli"]),
            ("http", vec!["dep:zcomm-http"]),
            ("services", vec!["dep:zcomm-services"]),
            ("jwt", vec!["zcomm-core/jwt"]),
        ];
        let features = features.map(|(name, parts)| {
            (
                name.to_owned(),
                parts.into_iter().map(str::to_owned).collect(),
            )
        });

        assert_eq!(
            matrix(&BTreeMap::from(features)),
            ["", "cache", "http", "jwt", "full"]
        );
    }
}
