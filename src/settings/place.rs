//! Where the machine file may be, by operating system. Looks at names only, opens nothing.

use std::path::{Path, PathBuf};

/// The variable that names the machine file.
pub(super) const VARIABLE: &str = "ZCOMM_CONFIG";

/// What the other places have in common.
const FILE: &str = "zcomm/machine.yaml";

/// The machine file that somebody asked for, or the places that are looked at, the nearest first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Named(PathBuf),
    AnyOf(Vec<PathBuf>),
}

impl Place {
    /// Decides by the variables; `os` is a name as in [`std::env::consts::OS`].
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>, os: &str) -> Self {
        // A variable that is set to nothing, as compose files do it, is not set.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(named) = variable(VARIABLE) {
            return Self::Named(named.into());
        }
        let own = config_folder(variable, os).map(|folder| folder.join(FILE));
        let everybodys = (os != "windows").then(|| Path::new("/etc").join(FILE));
        Self::AnyOf(own.into_iter().chain(everybodys).collect())
    }
}

/// The folder where this system keeps the configuration of a user's programs.
fn config_folder(variable: impl Fn(&str) -> Option<String>, os: &str) -> Option<PathBuf> {
    let home = |below: &str| variable("HOME").map(|home| Path::new(&home).join(below));
    match os {
        "windows" => variable("APPDATA").map(PathBuf::from),
        "macos" => home("Library/Application Support"),
        _ => variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            // XDG Base Directory Specification: relative paths in these variables are ignored.
            .filter(|folder| folder.is_absolute())
            .or_else(|| home(".config")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(os: &str, variables: &[(&str, &str)], expected: &[&str]) {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let place = Place::of(|name| find(name).map(|(_, value)| (*value).to_owned()), os);
        let paths = expected.iter().map(PathBuf::from).collect();
        assert_eq!(place, Place::AnyOf(paths));
    }

    #[test]
    fn each_system_has_its_own_folder() {
        check(
            "linux",
            &[("HOME", "/home/ada")],
            &[
                "/home/ada/.config/zcomm/machine.yaml",
                "/etc/zcomm/machine.yaml",
            ],
        );
        check(
            "linux",
            &[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "/x")],
            &["/x/zcomm/machine.yaml", "/etc/zcomm/machine.yaml"],
        );
        check(
            "macos",
            &[("HOME", "/Users/ada"), ("XDG_CONFIG_HOME", "/x")],
            &[
                "/Users/ada/Library/Application Support/zcomm/machine.yaml",
                "/etc/zcomm/machine.yaml",
            ],
        );
        check(
            "windows",
            &[("APPDATA", "/a"), ("HOME", "/h")],
            &["/a/zcomm/machine.yaml"],
        );
    }

    #[test]
    fn variables_that_help_nobody_are_ignored() {
        check(
            "linux",
            &[("ZCOMM_CONFIG", ""), ("HOME", "")],
            &["/etc/zcomm/machine.yaml"],
        );
        check(
            "linux",
            &[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")],
            &["/h/.config/zcomm/machine.yaml", "/etc/zcomm/machine.yaml"],
        );
    }

    #[test]
    fn a_named_file_is_the_only_place() {
        let place = Place::of(|name| Some(format!("/of/{name}")), "linux");

        assert_eq!(place, Place::Named("/of/ZCOMM_CONFIG".into()));
    }
}
