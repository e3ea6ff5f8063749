//! Runs the commands of service managers, and lets tests see which would be run. Knows none of them.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Command;

use crate::Error;

/// How long a service manager may take to start or stop a service.
const DONE_WITHIN: Duration = Duration::from_secs(90);

/// Who runs commands.
#[async_trait]
pub(crate) trait Commands: Send + Sync {
    /// Runs one to its end, and gives what it printed.
    async fn run(&self, words: &[&str]) -> Result<String, Error>;

    /// Whether we may do what only root may.
    fn is_root(&self) -> bool;
}

/// Runs them for real.
pub(crate) struct Shell;

#[async_trait]
impl Commands for Shell {
    async fn run(&self, words: &[&str]) -> Result<String, Error> {
        let failed = |status: String, said: String| Error::Command {
            command: words.join(" "),
            status,
            said,
        };
        let [program, arguments @ ..] = words else {
            return Ok(String::new());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            // Whoever would ask for something finds nobody there.
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = match tokio::time::timeout(DONE_WITHIN, command.output()).await {
            Ok(output) => output.map_err(|error| failed(error.to_string(), String::new()))?,
            Err(_) => {
                return Err(failed(
                    format!("no end within {DONE_WITHIN:?}"),
                    String::new(),
                ));
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(failed(output.status.to_string(), text(&output.stderr)))
    }

    fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}
