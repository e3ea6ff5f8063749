//! A project of its own for each test, of which nothing stays: no process, no folder.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zcomm_core::net::port_holder;
use zcomm_core::service::ServiceState;
use zcomm_core::{Registry, Settings};
use zcomm_services::{Manager, Port, StartOptions};

/// How long anything may take that is waited for.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A project folder; whatever its records name is killed with it.
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
        manager(self.path())
    }

    /// The record of the started server, if there is one.
    pub(crate) fn record(&self) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(self.path().join(".zcomm/run/redis.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn pids(&self) -> Vec<u64> {
        let record = self.record().unwrap_or_default();
        let pid = |of: &str| record[of]["pid"].as_u64();
        ["guard", "process"].into_iter().filter_map(pid).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let folder = self
            .record()
            .and_then(|record| Some(PathBuf::from(record["folder"].as_str()?)));
        self.pids().into_iter().for_each(kill);
        if let Some(folder) = folder.filter(|folder| folder.join("throw-away").is_file()) {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub(crate) fn manager(project: &Path) -> Manager {
    let registry = Registry::of([zcomm_services_redis::PLUGIN]).unwrap();
    let settings = Settings::defaults(registry.keys());
    Manager::new(Arc::new(registry), settings, project)
}

/// What most tests start: somewhere, without a trace.
pub(crate) fn scratch() -> StartOptions {
    StartOptions::new().port(Port::AnyFree).throw_away()
}

/// SIGKILL, by the shell, because the standard library signals only children.
pub(crate) fn kill(pid: u64) {
    let _ = Command::new("/bin/sh")
        .args([
            "-c",
            "kill -s KILL \"$1\" 2>/dev/null",
            "sh",
            &pid.to_string(),
        ])
        .status();
}

/// A server that zcomm knows nothing of.
pub(crate) struct Foreign {
    child: Child,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl Foreign {
    pub(crate) async fn start() -> Self {
        // A test beside this one may be faster to the port that was free.
        for _ in 0..5 {
            let mut foreign = Self::spawn();
            let (port, pid) = (foreign.port, foreign.pid());
            let listens = || port_holder(port).is_some_and(|holder| holder.pid == pid);
            let start = Instant::now();
            while foreign.is_alive() && start.elapsed() < SOON {
                if listens() {
                    return foreign;
                }
                tokio::task::yield_now().await;
            }
        }
        panic!("no foreign server could be started");
    }

    fn spawn() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        drop(held);
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--dir", folder.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed: apt-get install redis-server");
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that has no event to wait for.
#[track_caller]
pub(crate) fn until(is_so: impl AsyncFn() -> bool) -> impl Future<Output = ()> {
    let asked_at = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        while !is_so().await {
            assert!(start.elapsed() < SOON, "it never came true: {asked_at}");
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Says one line to the server that the manager runs, and gives the first kilobyte of what it answers.
pub(crate) async fn say(manager: &Manager, line: &str) -> String {
    let info = manager.connection_info("redis").await.unwrap();
    assert_eq!(info.status, ServiceState::Running);
    let password = info.endpoint.password.as_ref().unwrap().expose();
    let mut stream = TcpStream::connect((info.endpoint.host.as_str(), info.endpoint.port))
        .await
        .unwrap();
    stream
        .write_all(format!("AUTH {password}\r\n{line}\r\nQUIT\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
        .trim_start_matches("+OK\r\n")
        .trim_end_matches("+OK\r\n")
        .to_owned()
}
