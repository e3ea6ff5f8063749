//! A project of its own for each test, of which nothing stays: no process, no container, no folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use zcomm_core::settings::Loader;
use zcomm_core::{Plugin, Registry, Settings};

use super::Subject;
use crate::Manager;

/// How long anything may take that is waited for.
const SOON: Duration = Duration::from_secs(30);

/// The folder of a project; whatever its records name ends with it.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    plugin: Plugin,
}

impl Project {
    /// A new one that knows this plugin and no other.
    pub fn new(plugin: Plugin) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // Under root the server runs as another account, which has to get through.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("the folder is ours");
        Self { folder, plugin }
    }

    pub(super) fn of<S: Subject>() -> Self {
        Self::new(S::PLUGIN)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A manager of its services, with default settings. Each call is another program, as far as zcomm can tell.
    pub fn manager(&self) -> Manager {
        manager(self.plugin, self.path(), Vec::new())
    }

    /// The same with one setting, as `--set` takes it.
    pub fn manager_with(&self, key: &str, value: &str) -> Manager {
        let setting = (key.to_owned(), value.to_owned());
        manager(self.plugin, self.path(), vec![setting])
    }

    pub(super) fn manager_of<S: Subject>(&self) -> Manager {
        manager(self.plugin, self.path(), S::settings())
    }

    /// The record of the service that was started, if there is one.
    pub fn record(&self) -> Option<Value> {
        let file = format!(".zcomm/run/{}.json", self.plugin.name);
        serde_json::from_str(&fs::read_to_string(self.path().join(file)).ok()?).ok()
    }

    /// Kills what was started and not what guards it: the process by its number, the container by its name.
    pub(super) fn kill_server(&self) {
        let record = self.record().expect("a service was started");
        if let Some(pid) = record["process"]["pid"].as_u64() {
            return kill(pid);
        }
        engine(&record, &["kill"]);
    }

    /// Whether the process or the container of a record is still there.
    pub(super) fn server_is_alive(record: &Value) -> bool {
        if let Some(pid) = record["process"]["pid"].as_u64() {
            return is_alive(pid);
        }
        engine(record, &["container", "inspect"])
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let record = self.record().unwrap_or_default();
        for of in ["guard", "process"] {
            if let Some(pid) = record[of]["pid"].as_u64() {
                kill(pid);
            }
        }
        if record["container"].is_object() {
            engine(&record, &["rm", "--force", "--volumes"]);
        }
        let home = self.path().join(".zcomm/services").join(self.plugin.name);
        if let Some(volume) = volume(&home) {
            engine(&volume, &["volume", "rm", "--force"]);
        }
        // Where another account has to get through, the folder is a link to one elsewhere.
        if let Ok(elsewhere) = fs::read_link(&home) {
            let _ = fs::remove_dir_all(&elsewhere);
            let _ = elsewhere.parent().map(fs::remove_dir);
        }
        let folder = PathBuf::from(record["folder"].as_str().unwrap_or_default());
        if folder.join("throw-away").is_file() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The note of a container whose volume is still there, shaped like a record.
fn volume(home: &Path) -> Option<Value> {
    let text = fs::read_to_string(home.join("container.json")).ok()?;
    let container: Value = serde_json::from_str(&text).ok()?;
    Some(serde_json::json!({ "container": container }))
}

/// Runs an engine's command on the container of a record; says whether it went well.
fn engine(record: &Value, words: &[&str]) -> bool {
    let container = &record["container"];
    let text = |name: &str| container[name].as_str().unwrap_or_default().to_owned();
    let ended = Command::new(text("engine"))
        .args(words)
        .arg(text("name"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ended.is_ok_and(|status| status.success())
}

pub(super) fn manager(plugin: Plugin, project: &Path, settings: Vec<(String, String)>) -> Manager {
    let registry = Registry::of([plugin]).expect("one plugin is no duplicate");
    let settings = load(&registry, settings);
    Manager::new(Arc::new(registry), settings, project)
}

fn load(registry: &Registry, pairs: Vec<(String, String)>) -> Settings {
    let loader = Loader::new(registry.keys()).set("the suite", pairs);
    loader.load().expect("the subject's settings are valid")
}

/// Waits for something that has no event to wait for.
#[track_caller]
pub fn until(is_so: impl AsyncFn() -> bool) -> impl Future<Output = ()> {
    let asked_at = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        while !is_so().await {
            assert!(start.elapsed() < SOON, "it never came true: {asked_at}");
            tokio::task::yield_now().await;
        }
    }
}

/// SIGKILL, by the shell, because the standard library signals only children.
pub fn kill(pid: u64) {
    let words = ["-c", "kill -s KILL \"$1\" 2>/dev/null", "sh"];
    let _ = Command::new("/bin/sh")
        .args(words)
        .arg(pid.to_string())
        .status();
}

/// Whether a process still does something; one that has ended may wait for its parent to notice.
pub fn is_alive(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Puts something else in the place of all that the files below a folder say.
pub(super) fn overwrite(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let length = entry.metadata().map_or(0, |found| found.len());
        if path.is_dir() {
            overwrite(&path);
        } else if length > 0 {
            // A database of some hundred megabytes is spoiled by its first page, too.
            let garbage = vec![0xA5; usize::try_from(length.min(8192)).unwrap_or(8192)];
            let _ = fs::write(&path, garbage);
        }
    }
}
