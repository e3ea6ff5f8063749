//! A project of its own for each test, of which nothing stays: no process, no folder.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use zcomm_core::{Registry, Settings};
use zcomm_services::{Manager, Port, StartOptions};

/// A project folder; whatever its record names is killed with it.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Under root the server runs as another account, which has to get through.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn manager(&self) -> Manager {
        let registry = Registry::of([zcomm_services_postgres::PLUGIN]).unwrap();
        let settings = Settings::defaults(registry.keys());
        Manager::new(Arc::new(registry), settings, self.path())
    }

    /// The record of the started server, if there is one.
    pub(crate) fn record(&self) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(self.path().join(".zcomm/run/postgresql.json")).ok()?;
        serde_json::from_str(&text).ok()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let record = self.record().unwrap_or_default();
        for (of, signal) in [("guard", "KILL"), ("process", "QUIT")] {
            if let Some(pid) = record[of]["pid"].as_u64() {
                send(pid, signal);
            }
        }
        let folder = PathBuf::from(record["folder"].as_str().unwrap_or_default());
        if folder.join("throw-away").is_file() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// By the shell, because the standard library signals only children.
pub(crate) fn send(pid: u64, signal: &str) {
    let _ = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" \"$2\" 2>/dev/null", "sh", signal])
        .arg(pid.to_string())
        .status();
}

/// What most tests start: somewhere, without a trace.
pub(crate) fn scratch() -> StartOptions {
    StartOptions::new().port(Port::AnyFree).throw_away()
}

/// What PostgreSQL's own client prints for a query.
pub(crate) fn psql(url: &str, query: &str) -> String {
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command",
            query,
            url,
        ])
        .output()
        .expect("psql is installed: apt-get install postgresql");
    let text = if output.status.success() {
        output.stdout
    } else {
        output.stderr
    };
    String::from_utf8(text).unwrap().trim().to_owned()
}

pub(crate) fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
