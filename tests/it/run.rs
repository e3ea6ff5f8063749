//! Runs the program in a folder of its own, with no settings but those that a test gives.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

/// Longer than anything that works takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Project {
    folder: TempDir,
}

/// How a run ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    /// The program, to be given arguments and variables.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zcomm"));
        command.current_dir(self.folder()).env_clear();
        // The machine's own configuration is none of the tests' business.
        command.env("XDG_CONFIG_HOME", self.folder());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.program();
        command.args(arguments);
        Ran::of(command)
    }
}

impl Ran {
    /// Runs it to its end, which has to come within a minute.
    #[track_caller]
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        Self::end_of(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// Waits for the end of a program that runs already, both its outputs being pipes.
    #[track_caller]
    pub(crate) fn end_of(mut child: Child) -> Self {
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (out, err) = (whole(out), whole(err));
        let text = |pipe: &Receiver<String>| pipe.recv_timeout(PATIENCE).ok();
        let (Some(out), Some(err)) = (text(&out), text(&err)) else {
            let _ = child.kill();
            panic!("it does not end");
        };
        Self {
            status: child.wait().unwrap().code().unwrap_or(-1),
            out,
            err,
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Everything that a pipe brings, read on a thread that ends with the pipe.
fn whole(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, text) = channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        if pipe.read_to_end(&mut all).is_ok() {
            let _ = sender.send(String::from_utf8_lossy(&all).into_owned());
        }
    });
    text
}

/// A port that nobody holds, from below those that systems give out: no other test binds it meanwhile.
pub(crate) fn free_port() -> u16 {
    let start = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (start..32_000).find(is_free).unwrap()
}
