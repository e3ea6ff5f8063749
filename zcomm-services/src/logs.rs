//! What services wrote: the end of it, or line by line as it comes. Keeps no log itself.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use zcomm_core::net::port_holder;
use zcomm_core::service::Endpoint;

use crate::container::Engine;
use crate::manager::{Manager, Service};
use crate::record::Record;
use crate::system::{Shell, Unit};
use crate::{Error, folders, owner, process};

/// How often a log file that is followed is looked at.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest line that is followed as one.
const LONGEST: usize = 64 * 1024;

/// Where the log of a service is.
enum Log {
    File(PathBuf),
    /// An engine and a container.
    Container(Engine, String),
    Unit(Unit),
}

impl Manager {
    /// The last lines that a service wrote, at most `count`; of one of this project also after it ended.
    ///
    /// # Errors
    ///
    /// [`Error::NoLog`] if this project did not start it, and it is not known where it logs.
    pub async fn logs(&self, name: &str, count: usize) -> Result<Vec<String>, Error> {
        let service = self.service(name)?;
        match self.find_log(&service).await? {
            Log::File(file) => Ok(process::last_lines(&file, count)),
            Log::Container(engine, name) => Ok(engine.logs(&name, count).await),
            Log::Unit(unit) => {
                let lines = unit.last_lines(count, &Shell).await;
                lines.ok_or(Error::NoLog {
                    service: service.name,
                })
            }
        }
    }

    /// The last lines, at most `count`, and then each further one as it is written.
    ///
    /// The stream ends when the log is removed, as that of throw-away data is.
    ///
    /// # Errors
    ///
    /// Those of [`logs`](Self::logs).
    pub async fn follow(
        &self,
        name: &str,
        count: usize,
    ) -> Result<impl Stream<Item = String> + Send + Unpin + use<>, Error> {
        let service = self.service(name)?;
        let follow = match self.find_log(&service).await? {
            Log::File(file) => Follow::file(file, count).await?,
            Log::Container(engine, name) => {
                let count = count.to_string();
                let words = ["-c", r#"exec "$0" logs --follow --tail "$1" "$2" 2>&1"#];
                Follow::command("/bin/sh", &words, &[engine.name(), &count, &name])?
            }
            Log::Unit(Unit::Systemd(name)) => {
                let count = count.to_string();
                let words = ["--follow", "--no-pager", "--quiet", "--unit"];
                Follow::command("journalctl", &words, &[&name, "--lines", &count])?
            }
            Log::Unit(_) => {
                let service = service.name;
                return Err(Error::NoLog { service });
            }
        };
        let lines = unfold(follow, |mut follow| async {
            let line = follow.next().await?;
            Some((line, follow))
        });
        Ok(Box::pin(lines))
    }

    async fn find_log(&self, service: &Service) -> Result<Log, Error> {
        let (endpoint, alive) = self.whereabouts(service).await?;
        let record = alive.map_or_else(|| self.record(service), |record| Ok(Some(record)))?;
        if let Some(log) = record.as_ref().and_then(of_record) {
            return Ok(log);
        }
        if record.is_none()
            && let Some(log) = of_stranger(&endpoint).await
        {
            return Ok(log);
        }
        let folder = record.map(|record| record.folder);
        let folder = folder.unwrap_or_else(|| self.project().kept(service.name));
        let file = folders::log(&folder);
        if file.is_file() {
            return Ok(Log::File(file));
        }
        Err(Error::NoLog {
            service: service.name,
        })
    }
}

fn of_record(record: &Record) -> Option<Log> {
    if let Some(container) = &record.container {
        return Some(Log::Container(container.engine, container.name.clone()));
    }
    record.unit.clone().map(Log::Unit)
}

/// The log of a server that somebody else started, where its unit or its container can be found.
async fn of_stranger(endpoint: &Endpoint) -> Option<Log> {
    let holder = port_holder(endpoint.port)?;
    if let Some(unit) = owner::unit_of(holder.pid) {
        return Some(Log::Unit(Unit::Systemd(unit)));
    }
    let engine = Engine::find("it").await.ok()?;
    let publishes = format!("publish={}", endpoint.port);
    let words = ["ps", "--quiet", "--filter", &publishes];
    let found = engine.run(words).await.ok()?;
    let id = found.split_whitespace().next()?.to_owned();
    Some(Log::Container(engine, id))
}

/// A log that is being followed.
enum Follow {
    File {
        path: PathBuf,
        file: BufReader<File>,
        /// What was read of a line whose end is not written yet.
        begun: Vec<u8>,
        /// Lines from before, the last one first.
        earlier: Vec<String>,
    },
    Command {
        lines: Lines<BufReader<ChildStdout>>,
        /// Ended with the stream.
        _child: Child,
    },
}

impl Follow {
    async fn file(path: PathBuf, count: usize) -> Result<Self, Error> {
        let mut earlier = process::last_lines(&path, count);
        earlier.reverse();
        let mut file = File::open(&path).await.map_err(Error::io("open", &path))?;
        let end = file.seek(std::io::SeekFrom::End(0)).await;
        end.map_err(Error::io("read", &path))?;
        Ok(Self::File {
            path,
            file: BufReader::new(file),
            begun: Vec::new(),
            earlier,
        })
    }

    fn command(program: &str, words: &[&str], more: &[&str]) -> Result<Self, Error> {
        let mut command = tokio::process::Command::new(program);
        command
            .args(words)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(Error::io("run", program.as_ref()))?;
        let output = child.stdout.take().expect("the command pipes its output");
        Ok(Self::Command {
            lines: BufReader::new(output).lines(),
            _child: child,
        })
    }

    async fn next(&mut self) -> Option<String> {
        match self {
            Self::Command { lines, .. } => lines.next_line().await.ok()?,
            Self::File {
                path,
                file,
                begun,
                earlier,
            } => {
                if let Some(line) = earlier.pop() {
                    return Some(line);
                }
                loop {
                    let room = (LONGEST - begun.len()) as u64;
                    file.take(room).read_until(b'\n', begun).await.ok()?;
                    if begun.ends_with(b"\n") || begun.len() == LONGEST {
                        let line = String::from_utf8_lossy(begun).trim_end().to_owned();
                        begun.clear();
                        return Some(line);
                    }
                    if !path.exists() {
                        return None;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
