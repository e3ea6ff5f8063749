//! Which of several installed versions made a data folder, and can use it. Starts no server.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// No version is longer than this.
const LONGEST: u64 = 64;
/// How long a program may take to say its version.
const SAID_WITHIN: Duration = Duration::from_secs(5);

/// The version that a file names, if it is there.
pub(crate) fn named_in(file: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(file).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned())
}

/// The program of that version, or else the versions of all that there are.
pub(crate) async fn choose(programs: Vec<PathBuf>, wanted: &str) -> Result<PathBuf, Vec<String>> {
    let mut others = Vec::new();
    for program in programs {
        if is_in_folder_of(&program, wanted) {
            return Ok(program);
        }
        match said_by(&program).await {
            Some(version) if fits(&version, wanted) => return Ok(program),
            version => others.extend(version),
        }
    }
    others.dedup();
    Err(others)
}

/// Whether a folder on the way to the program is named after the version: `/usr/lib/postgresql/15/bin`.
fn is_in_folder_of(program: &Path, version: &str) -> bool {
    let real = program.canonicalize().unwrap_or_default();
    let named = |folder: &Path| folder.file_name().is_some_and(|name| name == version);
    real.ancestors().skip(1).any(named)
}

/// The first word of `program --version` that begins with a digit.
async fn said_by(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(SAID_WITHIN, command.output())
        .await
        .ok()?
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_whitespace();
    words
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

/// Whether a version is the one that is given in part: 15.18 is 15, and 150 is not.
pub(crate) fn fits(version: &str, part: &str) -> bool {
    let rest = version.strip_prefix(part);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(folder: &Path, name: &str, version: &str) -> PathBuf {
        let file = folder.join(name);
        fs::write(
            &file,
            format!("#!/bin/sh\necho made-up {version} \\(zcomm\\)\n"),
        )
        .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    #[tokio::test]
    async fn the_program_of_the_version_is_chosen_and_not_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let old = program(folder.path(), "old", "9.6.24");
        let new = program(folder.path(), "new", "15.18");

        assert_eq!(
            choose(vec![new.clone(), old.clone()], "9.6").await,
            Ok(old.clone())
        );
        assert_eq!(
            choose(vec![new, old], "14").await,
            Err(vec!["15.18".to_owned(), "9.6.24".to_owned()])
        );
    }

    #[test]
    fn a_part_of_a_version_ends_at_a_point() {
        assert!(fits("15.18", "15") && fits("15", "15"));
        assert!(!fits("150", "15") && !fits("9.6", "15"));
    }
}
