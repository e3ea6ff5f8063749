//! The file by which a server says that it has a data folder open: whether its word still holds. Starts nothing.

use std::fs;
use std::path::Path;

use zcomm_core::service::StartPlan;

use crate::Error;

/// Refuses data that another server has open; removes a file whose process is gone, or is not that server any more.
///
/// A server that finds the number of a living process in it takes that for another server, whoever it is by now.
pub(super) fn settle(
    service: &'static str,
    plan: &StartPlan,
    file: Option<&Path>,
) -> Result<(), Error> {
    let Some(file) = file else { return Ok(()) };
    let text = fs::read_to_string(file).unwrap_or_default();
    let first = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    let Some(pid) = first else { return Ok(()) };
    match is_in(pid, &plan.data_dir) {
        Some(true) => Err(Error::DataInUse {
            service,
            folder: plan.data_dir.clone(),
            pid,
        }),
        Some(false) => {
            tracing::info!(
                service,
                pid,
                "a lock file was left by a server that is gone"
            );
            fs::remove_file(file).map_err(Error::io("remove", file))
        }
        None => Ok(()),
    }
}

/// Whether that process works in that folder, as a server does in the one of its data. Unknown where the system does
/// not say: then the server finds out by itself.
#[cfg(target_os = "linux")]
fn is_in(pid: u32, folder: &Path) -> Option<bool> {
    let process = Path::new("/proc").join(pid.to_string());
    if !process.exists() {
        return Some(false);
    }
    let works_in = fs::read_link(process.join("cwd")).ok()?;
    Some(works_in == folder.canonicalize().ok()?)
}

#[cfg(not(target_os = "linux"))]
fn is_in(_pid: u32, _folder: &Path) -> Option<bool> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use zcomm_core::service::Endpoint;

    use super::*;

    fn check(pid: u32, data_dir: &Path) -> (Result<(), Error>, bool) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("postmaster.pid");
        fs::write(&file, format!("{pid}\n{}\n", data_dir.display())).expect("the folder is ours");
        let plan = StartPlan::new(Endpoint::local(1), "/x").data_dir(data_dir);

        (settle("naps", &plan, Some(&file)), file.exists())
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
    fn a_file_of_a_process_that_works_there_is_believed() {
        let own = std::process::id();

        let (settled, is_left) = check(own, &std::env::current_dir().unwrap());

        let error = settled.unwrap_err();
        assert_eq!(error.code(), "data_in_use");
        assert!(error.to_string().ends_with(&format!("by process {own}")));
        assert!(is_left);
    }
}
