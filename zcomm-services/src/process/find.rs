//! Where a program is: `PATH`, then the folders its recipe names. Runs nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use zcomm_core::service::Program;

/// All files of that program, the one to be preferred first.
///
/// A folder with `*` stands for all that match, the highest version first.
pub(crate) fn programs(wanted: &Program) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).collect::<Vec<_>>();
    let elsewhere = wanted.look_in.iter().flat_map(|folder| matching(folder));
    let file = format!("{}{}", wanted.name, env::consts::EXE_SUFFIX);
    on_path
        .into_iter()
        .chain(elsewhere)
        .map(|folder| folder.join(&file))
        .filter(|candidate| is_executable(candidate))
        .collect()
}

/// The program of that name in the folder of another, or in the one that a link leads to: of the same version.
pub(crate) fn beside(other: &Path, name: &str) -> Option<PathBuf> {
    let real = other.canonicalize().ok()?;
    let folders = [real.parent()?, other.parent()?];
    let candidates =
        folders.map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)));
    candidates
        .into_iter()
        .find(|candidate| is_executable(candidate))
}

/// The folders that a pattern with at most one `*` per component matches, the highest version first.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in Path::new(pattern) {
        let text = component.to_string_lossy();
        let Some((before, after)) = text.split_once('*') else {
            found.iter_mut().for_each(|folder| folder.push(component));
            continue;
        };
        found = found
            .iter()
            .flat_map(|folder| entries(folder, before, after))
            .collect();
    }
    found
}

fn entries(folder: &Path, before: &str, after: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.len() >= before.len() + after.len())
        .filter(|name| name.starts_with(before) && name.ends_with(after))
        .collect();
    names.sort_by_key(|name| std::cmp::Reverse(numbers(name)));
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// The numbers in a name, so that 15 comes after 9.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_highest_version_wins() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "16"] {
            fs::create_dir_all(root.path().join(version).join("bin")).unwrap();
        }
        for version in ["9.6", "15"] {
            let file = root.path().join(version).join("bin/zcomm-made-up");
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let pattern = format!("{}/*/bin", root.path().display());

        let found = programs(&Program::new("zcomm-made-up").also_in([pattern]));

        let expected =
            ["15", "9.6"].map(|version| root.path().join(version).join("bin/zcomm-made-up"));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_may_not_be_run_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("zcomm-made-up"), "").unwrap();

        let wanted = Program::new("zcomm-made-up").also_in([folder.path().display().to_string()]);

        assert_eq!(programs(&wanted), Vec::<PathBuf>::new());
    }
}
