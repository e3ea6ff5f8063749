//! Starts one server: prepares its files, runs it behind a gate, opens the gate once everything is written down.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use zcomm_core::service::{DriverInfo, InitStep, ProcessRecipe, Program, StartPlan};

use super::template::{self, Kept};
use super::{Duty, Guard, ProcessId, Running, Unprivileged, find, last_lines, lockfile, version};
use crate::launch::LINES;
use crate::record::Record;
use crate::{Error, Source, folders};

/// Becomes the server when a line comes, and ends when the pipe closes first. Its number stays the server's.
const GATE: &str = r#"read -r go || exit 125; exec "$@" </dev/null"#;
/// How long making a data folder may take.
const INIT_WITHIN: Duration = Duration::from_secs(60);
/// What a server may know of our environment.
const PASSED_ON: [&str; 5] = ["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// All that is known before a server starts.
pub(crate) struct Launch<'a> {
    pub(crate) about: &'a DriverInfo,
    pub(crate) plan: &'a StartPlan,
    pub(crate) recipe: &'a ProcessRecipe,
    pub(crate) account: Option<Unprivileged>,
    /// Whose the record is.
    pub(crate) project: &'a Path,
    /// Where the record goes.
    pub(crate) record: PathBuf,
    pub(crate) detached: bool,
}

impl Launch<'_> {
    /// Starts the server. Whether it answers is for the caller to find out.
    pub(crate) async fn go(&self) -> Result<Running, Error> {
        self.check_way()?;
        let program = self.server().await?;
        let mut record = Record::of(self.project, Source::Process, self.plan, self.detached);
        record.save(&self.record)?;
        self.write_files()?;
        self.make_data(&program).await?;
        lockfile::settle(self.about.name, self.plan, self.recipe)?;
        let (mut child, gate) = self.behind_gate(&program)?;
        let process = child.id().and_then(ProcessId::of);
        let Some(process) = process else {
            return Err(self.ended(&child.wait().await));
        };
        let guard = self.guard(&process)?;
        record.guard = guard.as_ref().map(|guard| guard.id().clone());
        record.process = Some(process);
        record.save(&self.record)?;
        let running = Running::new(child, guard, self.record.clone());
        self.open(gate).await?;
        Ok(running)
    }

    /// The server's program: of the version that made the data, where there is data that only one can use.
    async fn server(&self) -> Result<PathBuf, Error> {
        let wanted = self
            .recipe
            .version_file
            .as_deref()
            .and_then(version::named_in);
        let first = self.find(&self.recipe.program)?;
        let Some(wanted) = wanted else {
            return Ok(first);
        };
        let chosen = version::choose(self.programs(&self.recipe.program), &wanted).await;
        chosen.map_err(|installed| Error::DataVersion {
            service: self.about.name,
            folder: self.plan.data_dir.clone(),
            made_by: wanted,
            installed,
        })
    }

    /// Every file of that program, those that the server's account can reach before the others.
    fn programs(&self, program: &Program) -> Vec<PathBuf> {
        let mut files = find::programs(program);
        if let Some(account) = &self.account {
            // A stable sort: among those it can reach, the preferred one stays first.
            files.sort_by_key(|file| account.stopped_at(file).is_some());
        }
        files
    }

    fn find(&self, program: &Program) -> Result<PathBuf, Error> {
        let first = self.programs(program).into_iter().next();
        first.ok_or_else(|| Error::NotInstalled {
            service: self.about.name,
            program: program.name.clone(),
            looked_in: program.look_in.clone(),
            hint: self.about.install_hint(),
        })
    }

    /// Sees to it that the server can reach its data before it fails in words of its own.
    fn check_way(&self) -> Result<(), Error> {
        let Some(account) = &self.account else {
            return Ok(());
        };
        let data_dir = &self.plan.data_dir;
        // A folder that is not there yet will be the account's.
        let there = if data_dir.is_dir() {
            Some(&**data_dir)
        } else {
            data_dir.parent()
        };
        let stopped_at = there.and_then(|folder| account.stopped_at(folder));
        stopped_at.map_or(Ok(()), |folder| {
            Err(Error::Unreachable {
                service: self.about.name,
                account: account.name.clone(),
                folder,
            })
        })
    }

    fn write_files(&self) -> Result<(), Error> {
        if !self.plan.persistent {
            folders::make_throw_away(&self.plan.folder, self.account.as_ref())?;
        } else if self.plan.data_dir != self.plan.folder.join("data") {
            folders::keep_data_dir(&self.plan.folder, &self.plan.data_dir)?;
        }
        folders::keep_first_password(self.plan)?;
        let own = std::iter::once(&self.plan.data_dir).chain(&self.recipe.folders);
        own.into_iter()
            .try_for_each(|folder| folders::own(folder, self.account.as_ref()))?;
        self.recipe.files.iter().try_for_each(|file| {
            folders::secret_file(&file.path, file.content.expose(), self.account.as_ref())
        })
    }

    /// Makes the data folder, by its steps or by a copy of one that they made before.
    async fn make_data(&self, program: &Path) -> Result<(), Error> {
        let data_dir = &self.plan.data_dir;
        let template = self.recipe.template.as_ref();
        let kept = template
            .filter(|_| template::is_empty(data_dir))
            .and_then(|_| Kept::of(self, program));
        let copied = match &kept {
            Some(kept) => kept.copy_to(self).await,
            None => false,
        };
        if !copied {
            for step in &self.recipe.init {
                self.init(step, program).await?;
            }
            if let Some(kept) = kept {
                kept.keep(data_dir).await;
            }
        }
        // Also where an earlier start was killed before it came to this.
        template.map_or(Ok(()), |template| template::fill_in(data_dir, template))
    }

    /// Runs a step that has not run yet, by a program that is installed with the server.
    async fn init(&self, step: &InitStep, server: &Path) -> Result<(), Error> {
        if step.marker.exists() {
            return Ok(());
        }
        let beside = find::beside(server, &step.program.name);
        let program = beside.map_or_else(|| self.find(&step.program), Ok)?;
        let mut command = self.command(program.as_os_str())?;
        command.args(&step.args).kill_on_drop(true);
        let mut child = command.spawn().map_err(Error::io("run", &program))?;
        let status = tokio::time::timeout(INIT_WITHIN, feed(&mut child, step.stdin.expose())).await;
        if matches!(&status, Ok(Ok(status)) if status.success()) {
            return mark(&step.marker);
        }
        let status = status.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        Err(Error::Init {
            service: self.about.name,
            program: step.program.name.clone(),
            status: in_words(&status),
            log: last_lines(&folders::log(&self.plan.folder), LINES),
        })
    }

    fn behind_gate(&self, program: &Path) -> Result<(Child, ChildStdin), Error> {
        let mut command = self.command(OsStr::new("/bin/sh"))?;
        command.args(["-c", GATE, "zcomm-gate"]).arg(program);
        command.args(&self.recipe.args).args(&self.plan.extra_args);
        let mut child = command.spawn().map_err(Error::io("run", program))?;
        let gate = child.stdin.take().expect("the command pipes its input");
        Ok((child, gate))
    }

    /// A command under the server's account, in its data folder, with little of our environment, writing to the log.
    fn command(&self, program: &OsStr) -> Result<Command, Error> {
        let log = folders::open_log(&self.plan.folder)?;
        let errors = log
            .try_clone()
            .map_err(Error::io("open", &self.plan.folder))?;
        let mut command = Command::new(program);
        let passed_on = PASSED_ON
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        command
            .env_clear()
            .envs(passed_on)
            .envs(
                self.recipe
                    .env
                    .iter()
                    .map(|(name, value)| (name, value.expose())),
            )
            .current_dir(&self.plan.data_dir)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // A Ctrl+C on the terminal is for the program, which stops its services in order.
            .process_group(0);
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        Ok(command)
    }

    fn guard(&self, process: &ProcessId) -> Result<Option<Guard>, Error> {
        if self.detached {
            return Ok(None);
        }
        let throw_away = (!self.plan.persistent).then_some(&*self.plan.folder);
        let duty = Duty::of(process, self.recipe, throw_away);
        let guard = Guard::post(&duty).map_err(Error::io("run", Path::new("/bin/sh")))?;
        Ok(Some(guard))
    }

    async fn open(&self, mut gate: ChildStdin) -> Result<(), Error> {
        let opened = gate.write_all(b"go\n").await;
        opened.map_err(Error::io("start", Path::new(&self.recipe.program.name)))
    }

    /// The error for a server that ended before it answered.
    pub(crate) fn ended(&self, status: &io::Result<ExitStatus>) -> Error {
        Error::Ended {
            service: self.about.name,
            status: in_words(status),
            log: last_lines(&folders::log(&self.plan.folder), LINES),
        }
    }
}

async fn feed(child: &mut Child, text: &str) -> io::Result<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever ends without reading says why by its status.
        let _ = stdin.write_all(text.as_bytes()).await;
    }
    child.wait().await
}

/// Notes that a step has run. The account owns the folder, so a link that it may have put there is not followed.
fn mark(marker: &Path) -> Result<(), Error> {
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(marker)
    {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::io("write", marker)(error))
        }
        _ => Ok(()),
    }
}

fn in_words(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}
