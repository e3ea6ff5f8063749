//! Runs one program with its output in a log file and a deadline over it. Judges only whether it succeeded.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const POLL: Duration = Duration::from_millis(50);

/// What is left of a program that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The command as one could type it.
    pub(crate) line: String,
    /// All that it printed, standard error included, in the order of printing.
    pub(crate) output: String,
    pub(crate) succeeded: bool,
}

/// A log file that the programs of one step write to, one after the other.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    deadline: Instant,
}

impl Log {
    /// An empty log for programs that all have to end before the deadline.
    pub(crate) fn create(path: PathBuf, deadline: Instant) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        File::create(&path).with_context(|| format!("log {}", path.display()))?;
        Ok(Self { path, deadline })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a program to its end, calling `tick` while it waits.
    ///
    /// # Errors
    ///
    /// If the program cannot be started, or did not end in time: then it was killed, with all that it started.
    pub(crate) fn run(&self, command: &mut Command, tick: &mut dyn FnMut()) -> Result<Ended> {
        let line = as_typed(command);
        let mut log = OpenOptions::new().append(true).open(&self.path)?;
        writeln!(log, "$ {line}")?;
        let start = log.metadata()?.len();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("`{line}` could not be started"))?;
        let status = self.wait(&mut child, tick)?;
        let written = std::fs::read(&self.path)?;
        let output = written.get(start as usize..).unwrap_or_default();
        let output = String::from_utf8_lossy(output).into_owned();
        let Some(status) = status else {
            bail!("`{line}` did not end in time and was killed; it printed:\n{output}");
        };
        Ok(Ended {
            line,
            output,
            succeeded: status.success(),
        })
    }

    fn wait(&self, child: &mut Child, tick: &mut dyn FnMut()) -> Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() > self.deadline {
                kill_with_descendants(child);
                return Ok(None);
            }
            tick();
            thread::sleep(POLL);
        }
    }
}

/// Kills a program that overran its time, and what it started: Cargo alone would leave the tests running.
fn kill_with_descendants(child: &mut Child) {
    let table = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output();
    let table = table.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let victims = descendants(child.id(), &table.unwrap_or_default());
    let victims = victims.iter().map(ToString::to_string);
    // Whoever ended in the meantime makes `kill` complain; the rest are killed all the same.
    let _ = Command::new("kill").arg("-9").args(victims).output();
    let _ = child.kill();
    let _ = child.wait();
}

fn descendants(of: u32, table: &str) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = table
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    let mut found = vec![of];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = pairs.iter().filter(|(_, its)| *its == parent);
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

fn as_typed(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let environment = command.get_envs().filter_map(|(name, value)| {
        let shown = name != "PATH" && name != "CARGO_TERM_COLOR";
        let value = value.filter(|_| shown)?;
        Some(format!("{}={:?}", name.to_string_lossy(), value))
    });
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    environment
        .chain([program.to_string_lossy().into_owned()])
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn log(folder: &TempDir, limit: Duration) -> Log {
        Log::create(folder.path().join("logs/step.log"), Instant::now() + limit).unwrap()
    }

    #[test]
    fn output_of_both_streams_is_kept_per_program() {
        let folder = TempDir::new().unwrap();
        let log = log(&folder, Duration::from_secs(60));

        log.run(Command::new("echo").arg("before"), &mut || ())
            .unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let ended = log.run(&mut command, &mut || ()).unwrap();

        assert!(!ended.succeeded);
        assert_eq!(ended.output, "out\nerr\n");
        assert_eq!(ended.line, "sh -c echo out; echo err >&2; exit 3");
        let whole = std::fs::read_to_string(log.path()).unwrap();
        assert!(whole.starts_with("$ echo before\nbefore\n$ sh"), "{whole}");
    }

    #[test]
    fn a_program_that_overruns_its_time_is_killed() {
        let folder = TempDir::new().unwrap();
        let log = log(&folder, Duration::ZERO);

        let error = log.run(
            Command::new("sh").args(["-c", "cat /dev/zero >/dev/null"]),
            &mut || (),
        );

        let message = error.unwrap_err().to_string();
        assert!(message.contains("did not end in time"), "{message}");
    }

    #[test]
    fn descendants_are_found_over_generations() {
        let table = "  1 0\n 10 1\n 11 10\n 12 11\n 20 1\n";

        assert_eq!(descendants(10, table), [10, 11, 12]);
        assert_eq!(descendants(20, ""), [20]);
    }
}
