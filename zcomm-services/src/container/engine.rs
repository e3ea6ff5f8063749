//! The `docker` or `podman` command: finds the one that works, runs it, reads what it says. Knows no recipes.

use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use zcomm_core::Secret;

use crate::Error;

/// What is tried, in this order.
const KNOWN: [Engine; 2] = [Engine::Docker, Engine::Podman];
/// How long an engine may take to say that it is there, and to do something that is no download.
const SAID_WITHIN: Duration = Duration::from_secs(10);
const DONE_WITHIN: Duration = Duration::from_secs(60);
/// How long the download of an image may take.
const FETCHED_WITHIN: Duration = Duration::from_secs(15 * 60);

/// A command that manages containers. There are no others: a record names one, and what it names is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    Docker,
    Podman,
}

/// One call of an engine.
#[derive(Default)]
pub(super) struct Call<'a> {
    pub(super) words: Vec<String>,
    /// Variables of the engine's own environment: their values stand on no command line.
    pub(super) env: Vec<(&'a str, &'a Secret)>,
    pub(super) input: &'a [u8],
    pub(super) within: Option<Duration>,
}

impl Engine {
    /// The first that is installed and whose daemon, if it has one, answers.
    pub(crate) async fn find(service: &'static str) -> Result<Self, Error> {
        let mut said = Vec::new();
        for engine in KNOWN {
            let format = "{{.Server.Version}}";
            let mut call = Call::of(["version", "--format", format]);
            call.within = Some(SAID_WITHIN);
            match engine.call(call).await {
                Ok(_) => return Ok(engine),
                Err(error) => said.push(error.to_string()),
            }
        }
        Err(Error::NoEngine { service, said })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// Runs it, and gives what it printed.
    pub(crate) async fn run<W: Into<String>>(
        &self,
        words: impl IntoIterator<Item = W>,
    ) -> Result<String, Error> {
        self.call(Call::of(words)).await
    }

    /// Fetches an image that is not there.
    pub(super) async fn fetch(&self, image: &str) -> Result<(), Error> {
        if self.run(["image", "inspect", image]).await.is_ok() {
            return Ok(());
        }
        let mut call = Call::of(["pull", "--quiet", image]);
        call.within = Some(FETCHED_WITHIN);
        self.call(call).await.map(drop)
    }

    /// The last lines that a container wrote; none if they cannot be read.
    pub(crate) async fn logs(&self, container: &str, count: usize) -> Vec<String> {
        let tail = count.to_string();
        let mut command = self.command();
        let output = command.args(["logs", "--tail", &tail, container]).output();
        let Ok(Ok(output)) = tokio::time::timeout(DONE_WITHIN, output).await else {
            return Vec::new();
        };
        // Which of the two a server writes to is its own affair; within each the order is kept.
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(str::to_owned).collect()
    }

    pub(super) async fn call(&self, call: Call<'_>) -> Result<String, Error> {
        let said = |status: String, said: String| Error::Command {
            // Its words name no secret, but may be many.
            command: format!(
                "{} {}",
                self.name(),
                call.words.first().map_or("", String::as_str)
            ),
            status,
            said,
        };
        let mut command = self.command();
        command
            .args(&call.words)
            .envs(call.env.iter().map(|(name, value)| (name, value.expose())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| said(error.to_string(), String::new()))?;
        let mut stdin = child.stdin.take().expect("the command pipes its input");
        let work = async {
            // Whoever ends without reading says why by its status.
            let _ = stdin.write_all(call.input).await;
            drop(stdin);
            child.wait_with_output().await
        };
        let within = call.within.unwrap_or(DONE_WITHIN);
        let output = match tokio::time::timeout(within, work).await {
            Ok(output) => output.map_err(|error| said(error.to_string(), String::new()))?,
            Err(_) => return Err(said(format!("no answer within {within:?}"), String::new())),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(said(output.status.to_string(), text(&output.stderr)))
    }

    /// The command itself, which is ended with whoever waits for it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.name());
        // A Ctrl+C on the terminal is for the program.
        command.process_group(0).kill_on_drop(true);
        command
    }
}

impl Call<'_> {
    pub(super) fn of<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}
