//! Which crate of ours may depend on which: the arrows of ARCHITECTURE.md, as a table. Third-party crates are deny.toml's.

use crate::workspace::Package;

use super::Finding;

const CORE: &str = "zcomm-core";
const SERVICES: &str = "zcomm-services";

/// Each crate and the crates of ours that it may depend on, for building and for tests alike.
const ARROWS: &[(&str, &[&str])] = &[
    (CORE, &[]),
    ("zcomm-http", &[CORE]),
    ("zcomm-ws", &[CORE]),
    ("zcomm-cache", &[CORE]),
    (SERVICES, &[CORE]),
    ("zcomm-services-postgres", &[CORE, SERVICES]),
    ("zcomm-services-redis", &[CORE, SERVICES]),
    ("zcomm-services-mongo", &[CORE, SERVICES]),
    ("zcomm-services-sqlite", &[CORE]),
    (
        "zcomm",
        &[
            CORE,
            "zcomm-http",
            "zcomm-ws",
            "zcomm-cache",
            SERVICES,
            "zcomm-services-postgres",
            "zcomm-services-redis",
            "zcomm-services-mongo",
            "zcomm-services-sqlite",
        ],
    ),
    ("zcomm-bench-cache", &[CORE, "zcomm-cache"]),
    ("zcomm-bench-data", &[CORE, "zcomm-services-sqlite"]),
    ("zcomm-bench-http", &[CORE, "zcomm-http"]),
    ("zcomm-bench-ws", &[CORE, "zcomm-ws"]),
    ("xtask", &[]),
];

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(outgoing).collect()
}

fn outgoing(package: &Package) -> Vec<Finding> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
        let text = "is in no row of the arrows: say what it may depend on";
        return vec![Finding::failure(&package.name, text)];
    };
    // A crate may name itself as a dev-dependency, to switch its own features on for its tests.
    let wrong = package
        .arrows
        .iter()
        .filter(|to| **to != package.name && !allowed.contains(&to.as_str()));
    let finding = |to| Finding::failure(&package.name, format!("must not depend on `{to}`"));
    wrong.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn texts(name: &str, arrows: &[&str]) -> Vec<String> {
        let package = Package {
            name: name.to_owned(),
            features: BTreeMap::new(),
            arrows: arrows.iter().map(|&arrow| arrow.to_owned()).collect(),
            targets: Vec::new(),
        };
        check(&[package])
            .into_iter()
            .map(|finding| finding.text)
            .collect()
    }

    #[test]
    fn an_arrow_that_points_outward_or_sideways_is_found() {
        assert!(texts("zcomm-http", &["zcomm-core", "zcomm-http"]).is_empty());
        assert_eq!(
            texts("zcomm-core", &["zcomm-http"]),
            ["must not depend on `zcomm-http`"]
        );
        assert_eq!(
            texts("zcomm-ws", &["zcomm-cache", "zcomm-core"]),
            ["must not depend on `zcomm-cache`"]
        );
        assert_eq!(texts("xtask", &["zcomm"]), ["must not depend on `zcomm`"]);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(
            texts("zcomm-utils", &[]),
            ["is in no row of the arrows: say what it may depend on"]
        );
    }
}
