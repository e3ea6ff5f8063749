//! What these tests say to Redis, and a server that zcomm knows nothing of; projects are the suite's.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zcomm_core::net::port_holder;
use zcomm_core::service::ServiceState;
use zcomm_core::{Registry, Settings};
use zcomm_services::conformance;
use zcomm_services::{Manager, Port, StartOptions};

pub(crate) use zcomm_services::conformance::{is_alive, kill, until};

/// How long anything may take that is waited for.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A project that knows Redis; whatever its record names ends with it.
pub(crate) struct Project(conformance::Project);

impl Project {
    pub(crate) fn new() -> Self {
        Self(conformance::Project::new(zcomm_services_redis::PLUGIN))
    }
}

impl std::ops::Deref for Project {
    type Target = conformance::Project;

    fn deref(&self) -> &Self::Target {
        &self.0
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
