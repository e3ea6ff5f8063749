//! What servers that tests started may not leave: processes, and folders in memory. Removes nothing.

use std::path::Path;

use anyhow::Result;

use crate::run::Run;

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    let traces: Vec<String> = folders().chain(processes()).collect();
    if traces.is_empty() {
        run.clean();
    }
    for trace in traces {
        run.finding(trace);
    }
    Ok(())
}

fn folders() -> impl Iterator<Item = String> {
    let places = ["/dev/shm".into(), std::env::temp_dir()];
    let entries = places
        .into_iter()
        .flat_map(|place| std::fs::read_dir(place).into_iter().flatten());
    entries.flatten().filter_map(|entry| {
        let path = entry.path();
        // The mark of a folder that goes with its service.
        path.join("throw-away")
            .is_file()
            .then(|| format!("a throw-away folder is left: {}", path.display()))
    })
}

/// Guards, and servers whose data was in a folder that a test made.
fn processes() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let guards = words.contains("zcomm-guard") && words.starts_with("/bin/sh");
        let serves = works_in_scratch(&entry.path());
        (guards || serves)
            .then(|| format!("process {} is left: {words}", entry.file_name().display()))
    })
}

fn works_in_scratch(process: &Path) -> bool {
    let folder = std::fs::read_link(process.join("cwd"));
    folder.is_ok_and(|folder| {
        folder.starts_with("/dev/shm") && folder.to_string_lossy().contains("/zcomm-")
    })
}
