//! The file by which a server says that it has a data folder open: whether its word still holds. Starts nothing.

use std::fs;
use std::path::Path;

use zcomm_core::service::{ProcessRecipe, StartPlan};

use crate::Error;

/// Whose number stands in a lock file.
enum Holder {
    /// Nobody's, or that of a program that is surely no such server.
    Nobody,
    /// That of a process that works in the data folder.
    Server,
    /// Perhaps such a server, started from elsewhere: then the server that is to start finds out by itself.
    Unknown,
}

/// Refuses data that another server has open; removes a file whose process is gone, or is another program by now.
///
/// A server that finds the number of a living process in it takes that for another server, whoever it is by now.
pub(super) fn settle(
    service: &'static str,
    plan: &StartPlan,
    recipe: &ProcessRecipe,
) -> Result<(), Error> {
    let Some(file) = recipe.lock_file.as_deref() else {
        return Ok(());
    };
    let text = fs::read_to_string(file).unwrap_or_default();
    let first = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    let Some(pid) = first else { return Ok(()) };
    match holder(pid, &plan.data_dir, &recipe.program.name) {
        Holder::Server => Err(Error::DataInUse {
            service,
            folder: plan.data_dir.clone(),
            pid,
        }),
        Holder::Nobody => {
            tracing::info!(
                service,
                pid,
                "a lock file was left by a server that is gone"
            );
            fs::remove_file(file).map_err(Error::io("remove", file))
        }
        Holder::Unknown => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn holder(pid: u32, folder: &Path, program: &str) -> Holder {
    let process = Path::new("/proc").join(pid.to_string());
    if !process.exists() {
        return Holder::Nobody;
    }
    let works_in = fs::read_link(process.join("cwd")).ok();
    if works_in.is_some() && works_in == folder.canonicalize().ok() {
        return Holder::Server;
    }
    if is_another(&process, program) {
        return Holder::Nobody;
    }
    Holder::Unknown
}

/// Whether nothing that the system says of a process names that program.
#[cfg(target_os = "linux")]
fn is_another(process: &Path, program: &str) -> bool {
    let (Ok(comm), Ok(words)) = (
        fs::read_to_string(process.join("comm")),
        fs::read(process.join("cmdline")),
    ) else {
        return false;
    };
    // The system keeps fifteen bytes of a name.
    let short = program.get(..15).unwrap_or(program);
    let words = String::from_utf8_lossy(&words);
    let named = words
        .split(['\0', ' ', '/', ':'])
        .any(|part| part == program);
    // Not readable of another account's process; the other two are.
    let file = fs::read_link(process.join("exe")).unwrap_or_default();
    let file = file.file_name().unwrap_or_default().to_string_lossy();
    let is_file = file.trim_end_matches(" (deleted)") == program;
    comm.trim_end() != short && !named && !is_file
}

#[cfg(not(target_os = "linux"))]
fn holder(_pid: u32, _folder: &Path, _program: &str) -> Holder {
    Holder::Unknown
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use zcomm_core::service::{Endpoint, Program};

    use super::*;

    fn check(pid: u32, data_dir: &Path) -> (Result<(), Error>, bool) {
        check_of("zcomm-naps", pid, data_dir)
    }

    fn check_of(program: &str, pid: u32, data_dir: &Path) -> (Result<(), Error>, bool) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("postmaster.pid");
        fs::write(&file, format!("{pid}\n{}\n", data_dir.display())).expect("the folder is ours");
        let plan = StartPlan::new(Endpoint::local(1), "/x").data_dir(data_dir);

        let mut recipe = ProcessRecipe::new(Program::new(program));
        recipe.lock_file = Some(file.clone());

        (settle("naps", &plan, &recipe), file.exists())
    }

    #[test]
    fn a_file_of_a_process_that_is_gone_or_is_another_is_removed() {
        let data_dir = tempfile::tempdir().unwrap();
        let own = std::process::id();

        for pid in [u32::MAX, own] {
            let (settled, is_left) = check(pid, data_dir.path());
            assert!(settled.is_ok() && !is_left, "{pid}");
        }
    }

    #[test]
    fn a_server_that_was_started_from_elsewhere_keeps_its_file() {
        let data_dir = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let program = program.file_name().unwrap().to_str().unwrap();

        let (settled, is_left) = check_of(program, std::process::id(), data_dir.path());

        assert!(settled.is_ok() && is_left);
    }

    #[test]
    fn a_file_of_a_process_that_works_there_is_believed() {
        let own = std::process::id();

        let (settled, is_left) = check(own, &std::env::current_dir().unwrap());

        let error = settled.unwrap_err();
        assert_eq!(error.code(), "data_in_use");
        assert!(error.to_string().ends_with(&format!("by process {own}")));
        assert!(is_left);
    }
}
