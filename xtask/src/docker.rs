//! A Docker daemon for the tests: the one that answers, else one that is started for a step and stopped after it.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// How long the daemon may take until it answers, and to stop.
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// The label of every container that zcomm or its tests make.
const LABEL: &str = "dev.zcomm.project";

/// A daemon that answers.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// Nothing where one ran already, which stays.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    child: Child,
    folder: PathBuf,
}

impl Daemon {
    /// Finds or starts one.
    ///
    /// # Errors
    ///
    /// If none answers and none can be started here: then with the last lines of its log.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        if answers(None) {
            return Ok(Self { own: None });
        }
        let own = Own::start(workspace)?;
        let host = own.host();
        let start = Instant::now();
        let mut daemon = Self { own: Some(own) };
        while !answers(Some(&host)) {
            daemon.must_live()?;
            if start.elapsed() > READY_WITHIN {
                bail!(
                    "dockerd does not answer within {READY_WITHIN:?}: {}",
                    daemon.log()
                );
            }
            std::thread::sleep(PAUSE);
        }
        Ok(daemon)
    }

    /// Has a command, and what it starts, talk to this daemon.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(own) = &self.own {
            command.env("DOCKER_HOST", own.host());
        }
    }

    /// The `docker` command.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(words);
        self.tell(&mut command);
        command
    }

    /// What is left of containers that tests made: there should be none.
    pub(crate) fn leftovers(&self) -> Result<Vec<String>> {
        let label = format!("label={LABEL}");
        let format = "{{.Names}}";
        let words = ["ps", "--all", "--filter", &label, "--format", format];
        let output = self.command(&words).output().context("docker ps")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn must_live(&mut self) -> Result<()> {
        let Some(own) = &mut self.own else {
            return Ok(());
        };
        match own.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("dockerd ended ({status}): {}", self.log()),
        }
    }

    fn log(&self) -> String {
        let file = self.own.as_ref().map(|own| own.folder.join("log"));
        let text = file.and_then(|file| std::fs::read_to_string(file).ok());
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Own {
    fn start(workspace: &Workspace) -> Result<Self> {
        // Its sockets have paths of a hundred bytes at most, so they are not below the target folder.
        let folder = std::env::temp_dir().join(format!("zcomm-dockerd-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let log = std::fs::File::create(folder.join("log"))?;
        // Should this program be killed, the daemon gets a signal, too.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", "dockerd"])
            .arg(format!("--host=unix://{}", folder.join("sock").display()))
            .arg(format!(
                "--data-root={}",
                workspace.target.join("xtask/docker").display()
            ))
            .arg(format!("--exec-root={}", folder.join("exec").display()))
            .arg(format!("--pidfile={}", folder.join("pid").display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let child = command.spawn().context("dockerd could not be started")?;
        Ok(Self { child, folder })
    }

    fn host(&self) -> String {
        format!("unix://{}", self.folder.join("sock").display())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() > STOP_WITHIN {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            std::thread::sleep(PAUSE);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn answers(host: Option<&str>) -> bool {
    let mut command = Command::new("docker");
    command.args(["version", "--format", "{{.Server.Version}}"]);
    if let Some(host) = host {
        command.env("DOCKER_HOST", host);
    }
    let output = command.stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}
