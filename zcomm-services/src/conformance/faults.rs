//! The cases of what is in the way: taken ports, strangers, spoiled data, missing programs, folders without room.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use zcomm_core::service::{
    ConnectionInfo, DriverInfo, Endpoint, Probe, Program, Recipes, ServiceDriver, ServiceState,
    StartPlan,
};

use super::life::at;
use super::project::{manager, until};
use super::{Project, Subject, kept, scratch};
use crate::Source;

/// What a start that cannot succeed may take: it must not end by its time-out.
const AT_ONCE: Duration = Duration::from_secs(50);

/// A server that says `words` to whoever comes, and then holds the line.
async fn stranger(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(words).await;
            held.push(stream);
        }
    });
    port
}

/// A port that another program has is an error that says which.
pub async fn a_taken_port_is_named_with_who_has_it<S: Subject>() {
    let port = stranger(b"220 mail ready\r\n").await;
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();

    for options in [at(port), kept::<S>().port(at(port).port)] {
        let error = manager.start(S::PLUGIN.name, options).await;
        let error = error.expect_err("somebody has the port");

        assert_eq!(error.code(), "port_taken", "{error}");
        let pid = format!("(pid {})", std::process::id());
        assert!(error.to_string().contains(&pid), "{error}");
    }
    assert_eq!(project.record(), None);
}

/// Servers of other kinds are told from it by what they say.
pub async fn another_server_is_not_taken_for_it<S: Subject>() {
    for words in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-ERR unknown command\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let port = stranger(words).await;
        let probe = S::Driver::default().probe(&Endpoint::local(port)).await;

        let said = String::from_utf8_lossy(words);
        assert!(!probe.is_running(), "{said:?}: {probe:?}");
        assert_ne!(probe.state, ServiceState::Stopped, "{said:?}");
        assert!(probe.detail.is_some(), "{said:?}");
    }
}

/// A port that never says anything is told within the limit.
pub async fn a_silent_port_is_not_taken_for_it<S: Subject>() {
    let at = Endpoint::local(stranger(b"").await).within(Duration::from_millis(100));
    let start = Instant::now();

    let probe = S::Driver::default().probe(&at).await;

    assert!(
        !probe.is_running() && probe.state != ServiceState::Stopped,
        "{probe:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// Data that no server can use fails the start, at once, and is as spoiled afterwards as it was before.
pub async fn a_corrupt_data_folder_fails_by_name_and_is_left_alone<S: Subject>() {
    if S::SOURCE == Source::Container {
        // Its data is in a volume, where nobody but the engine reaches it.
        return;
    }
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();
    let name = S::PLUGIN.name;
    let first = manager.start(name, kept::<S>()).await.expect("it starts");
    let info = manager.connection_info(name).await.expect("it is known");
    S::put(&info, "green").await;
    manager.stop(name).await.expect("it is ours to stop");
    let data_dir = first.data_dir.expect("a process has a data folder");
    S::spoil(&data_dir);
    let before = names(&data_dir);
    let start = Instant::now();

    let error = manager.start(name, kept::<S>()).await;

    let error = error.expect_err("the data is spoiled");
    let codes = ["ended", "init_failed", "data_version", "not_ready"];
    assert!(codes.contains(&error.code()), "{error}");
    assert!(start.elapsed() < AT_ONCE, "{error}");
    let after = names(&data_dir);
    let missing: Vec<_> = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .collect();
    assert!(
        missing.len() <= 1,
        "a lock file may go, nothing else: {missing:?}"
    );
    assert_eq!(project.record(), None);
}

/// A program that is not installed is named, with where it was looked for and what installs it.
pub async fn a_missing_program_is_named_with_a_hint<S: Subject>() {
    if S::SOURCE != Source::Process {
        return;
    }
    let project = Project::of::<S>();
    let plugin = S::PLUGIN.driver(|_| Ok(Arc::new(Uninstalled(S::Driver::default()))));
    let manager = manager(plugin, project.path(), S::settings());

    let error = manager.start(S::PLUGIN.name, scratch::<S>()).await;

    let error = error.expect_err("the program is not there");
    assert_eq!(error.code(), "not_installed");
    let text = error.to_string();
    assert!(text.contains("zcomm-no-such-server"), "{text}");
    let hint = S::Driver::default().about().install_hint();
    assert!(hint.is_none_or(|hint| text.contains(hint)), "{text}");
    assert_eq!(project.record(), None);
}

/// A project in a folder that cannot be written to is an error that names it.
pub async fn a_read_only_folder_fails_by_name<S: Subject>() {
    // Root may write to any folder of a disk; that of the processes takes no files of anybody.
    let folder = Path::new("/proc");
    let manager = manager(S::PLUGIN, folder, S::settings());

    let error = manager.start(S::PLUGIN.name, kept::<S>()).await;

    let error = error.expect_err("the folder takes no files");
    assert_eq!(error.code(), "io");
    assert!(error.to_string().contains("/proc/.zcomm"), "{error}");
}

/// A disk without room fails the start, at once, in the words of whoever met it.
///
/// Only root can make a small disk; for others the case ends before it begins.
pub async fn a_full_disk_fails_by_name<S: Subject>() {
    let project = Project::of::<S>();
    let Some(disk) = SmallDisk::mount(project.path().join("small")) else {
        return;
    };
    if S::SOURCE != Source::Process {
        return;
    }
    let manager = manager(S::PLUGIN, &disk.0, S::settings());
    let start = Instant::now();

    let error = manager.start(S::PLUGIN.name, kept::<S>()).await;

    let error = error.expect_err("the disk is full");
    assert!(
        ["io", "init_failed", "ended"].contains(&error.code()),
        "{error}"
    );
    assert!(start.elapsed() < AT_ONCE, "{error}");
}

/// A start that nobody waits for any more ends what it began.
pub async fn a_start_that_is_dropped_leaves_nothing<S: Subject>() {
    let project = Project::of::<S>();
    let manager = project.manager_of::<S>();
    let name = S::PLUGIN.name;
    let starting = manager.start(name, scratch::<S>());
    let begun = until(async || {
        let record = project.record().unwrap_or_default();
        record["guard"].is_object()
    });

    tokio::select! {
        biased;
        _ = starting => {}
        () = begun => {}
    }
    let record = project.record().unwrap_or_default();
    let stopped = manager
        .stop(name)
        .await
        .expect("what was begun is ours to stop");

    assert!(!stopped.running);
    until(async || record.is_null() || !Project::server_is_alive(&record)).await;
    assert_eq!(project.record(), None);
    let folder = PathBuf::from(record["folder"].as_str().unwrap_or_default());
    until(async || !folder.join("throw-away").exists()).await;
}

/// The files of a folder, with their lengths.
fn names(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.append(&mut names(&path));
        } else if let Ok(found) = entry.metadata() {
            all.insert(path, found.len());
        }
    }
    all
}

/// A driver whose program is nowhere.
struct Uninstalled<D>(D);

#[async_trait]
impl<D: ServiceDriver> ServiceDriver for Uninstalled<D> {
    fn about(&self) -> &DriverInfo {
        self.0.about()
    }

    fn recipes(&self, plan: &StartPlan) -> Recipes {
        let mut recipes = self.0.recipes(plan);
        if let Some(process) = &mut recipes.process {
            process.program = Program::new("zcomm-no-such-server");
        }
        recipes
    }

    async fn probe(&self, at: &Endpoint) -> Probe {
        self.0.probe(at).await
    }

    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
        self.0.connection_info(at, probe)
    }
}

/// A disk of some kilobytes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir(&at).expect("the folder above is ours");
        let words = ["-t", "tmpfs", "-o", "size=64k,mode=755", "zcomm-small"];
        let mounted = Command::new("mount").args(words).arg(&at).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let disk = Self(at);
        let filler = disk.0.join("filler");
        // Room for records, and for no data.
        fs::write(&filler, vec![1; 40 * 1024]).expect("so much fits");
        fs::set_permissions(&disk.0, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Some(disk)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
