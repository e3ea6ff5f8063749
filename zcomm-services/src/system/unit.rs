//! One service of systemd, Homebrew or Windows, and the words that start, stop and show it. Runs nothing by itself.

use serde::{Deserialize, Serialize};
use zcomm_core::service::{Os, SystemUnits};

use super::Commands;
use crate::Error;

/// A service that the operating system manages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "name", rename_all = "lowercase")]
pub(crate) enum Unit {
    /// A unit of systemd.
    Systemd(String),
    /// A formula of Homebrew.
    Brew(String),
    /// A service of Windows.
    Windows(String),
}

impl Unit {
    /// The first of these names that this system has.
    pub(crate) async fn find(units: &SystemUnits, os: Os, commands: &dyn Commands) -> Option<Self> {
        let (names, make): (_, fn(String) -> Self) = match os {
            Os::Linux => (&units.systemd, Self::Systemd),
            Os::Macos => (&units.brew, Self::Brew),
            Os::Windows => (&units.windows, Self::Windows),
            _ => return None,
        };
        for name in names {
            let unit = make(name.clone());
            let known = match &unit {
                Self::Systemd(name) => commands.run(&["systemctl", "cat", name]).await,
                Self::Brew(name) => commands.run(&["brew", "services", "info", name]).await,
                Self::Windows(name) => commands.run(&["sc", "query", name]).await,
            };
            if known.is_ok() {
                return Some(unit);
            }
        }
        None
    }

    /// Whether it is one of these names, on this system or another.
    pub(crate) fn is_among(&self, units: &SystemUnits) -> bool {
        match self {
            Self::Systemd(name) => units.systemd.contains(name),
            Self::Brew(name) => units.brew.contains(name),
            Self::Windows(name) => units.windows.contains(name),
        }
    }

    pub(crate) async fn start(&self, commands: &dyn Commands) -> Result<(), Error> {
        self.tell("start", commands).await
    }

    pub(crate) async fn stop(&self, commands: &dyn Commands) -> Result<(), Error> {
        self.tell("stop", commands).await
    }

    /// Whether its manager says that it runs.
    pub(crate) async fn is_active(&self, commands: &dyn Commands) -> bool {
        match self {
            Self::Systemd(name) => {
                let words = ["systemctl", "is-active", "--quiet", name];
                commands.run(&words).await.is_ok()
            }
            Self::Brew(name) => {
                let words = ["brew", "services", "info", name, "--json"];
                let said = commands.run(&words).await;
                said.is_ok_and(|said| said.contains("\"running\": true"))
            }
            Self::Windows(name) => {
                let said = commands.run(&["sc", "query", name]).await;
                said.is_ok_and(|said| said.contains("RUNNING"))
            }
        }
    }

    /// Refuses one that runs already: somebody else started it, who alone may stop it.
    pub(crate) async fn must_be_idle(
        &self,
        service: &'static str,
        commands: &dyn Commands,
    ) -> Result<(), Error> {
        if !self.is_active(commands).await {
            return Ok(());
        }
        let name = self.name();
        let command = match self {
            Self::Systemd(_) => format!("systemctl stop {name}"),
            Self::Brew(_) => format!("brew services stop {name}"),
            Self::Windows(_) => format!("net stop {name}"),
        };
        Err(Error::NotOurs {
            service,
            owner: format!("the system, which runs {name} already"),
            command,
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Systemd(name) | Self::Brew(name) | Self::Windows(name) => name,
        }
    }

    /// The last lines of its log, where its manager keeps one.
    pub(crate) async fn last_lines(
        &self,
        count: usize,
        commands: &dyn Commands,
    ) -> Option<Vec<String>> {
        let Self::Systemd(name) = self else {
            return None;
        };
        let count = count.to_string();
        let words = [
            "journalctl",
            "--unit",
            name,
            "--lines",
            &count,
            "--no-pager",
            "--quiet",
        ];
        let text = commands.run(&words).await.ok()?;
        Some(text.lines().map(str::to_owned).collect())
    }

    /// Homebrew's services are the user's own; the others are root's, and `sudo -n` fails where it would ask.
    async fn tell(&self, verb: &str, commands: &dyn Commands) -> Result<(), Error> {
        let words: Vec<&str> = match self {
            Self::Systemd(name) if commands.is_root() => vec!["systemctl", verb, name],
            Self::Systemd(name) => vec!["sudo", "-n", "systemctl", verb, name],
            Self::Brew(name) => vec!["brew", "services", verb, name],
            Self::Windows(name) => vec!["net", verb, name],
        };
        commands.run(&words).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    /// Runs nothing: notes the words, and fails for those that hold `missing`.
    #[derive(Default)]
    struct Recorder {
        root: bool,
        ran: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Commands for Recorder {
        async fn run(&self, words: &[&str]) -> Result<String, Error> {
            let command = words.join(" ");
            self.ran.lock().unwrap().push(command.clone());
            if command.contains("missing") {
                let (status, said) = ("exit status: 1".to_owned(), "no such unit".to_owned());
                return Err(Error::Command {
                    command,
                    status,
                    said,
                });
            }
            Ok("line one\nline two".to_owned())
        }

        fn is_root(&self) -> bool {
            self.root
        }
    }

    fn units() -> SystemUnits {
        SystemUnits::new()
            .systemd(["missing", "naps"])
            .brew(["naps"])
            .windows(["Naps"])
    }

    #[track_caller]
    fn ran(commands: &Recorder, expected: &[&str]) {
        assert_eq!(*commands.ran.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn the_first_unit_that_exists_is_started_without_ever_asking_for_a_password() {
        let commands = Recorder::default();

        let unit = Unit::find(&units(), Os::Linux, &commands).await.unwrap();
        unit.start(&commands).await.unwrap();
        unit.stop(&commands).await.unwrap();

        let expected = [
            "systemctl cat missing",
            "systemctl cat naps",
            "sudo -n systemctl start naps",
            "sudo -n systemctl stop naps",
        ];
        ran(&commands, &expected);
    }

    #[tokio::test]
    async fn root_goes_without_sudo() {
        let commands = Recorder {
            root: true,
            ..Recorder::default()
        };

        Unit::Systemd("naps".into()).start(&commands).await.unwrap();

        ran(&commands, &["systemctl start naps"]);
    }

    #[tokio::test]
    async fn brew_and_windows_have_words_of_their_own() {
        let commands = Recorder::default();

        for os in [Os::Macos, Os::Windows] {
            let unit = Unit::find(&units(), os, &commands).await.unwrap();
            unit.start(&commands).await.unwrap();
        }

        let expected = [
            "brew services info naps",
            "brew services start naps",
            "sc query Naps",
            "net start Naps",
        ];
        ran(&commands, &expected);
    }

    #[tokio::test]
    async fn a_refusal_is_the_managers_own() {
        let commands = Recorder::default();

        let error = Unit::Systemd("missing".into()).start(&commands).await;

        assert_eq!(
            error.unwrap_err().to_string(),
            "`sudo -n systemctl start missing` failed (exit status: 1): no such unit"
        );
    }

    #[tokio::test]
    async fn one_that_runs_already_is_neither_started_nor_ours() {
        let commands = Recorder::default();
        let (active, idle) = (
            Unit::Systemd("naps".into()),
            Unit::Systemd("missing".into()),
        );

        let refused = active.must_be_idle("naps", &commands).await.unwrap_err();
        let allowed = idle.must_be_idle("naps", &commands).await;

        assert!(allowed.is_ok());
        assert_eq!(
            refused.to_string(),
            "naps was not started by this project but by the system, which runs naps already; stop it with \
             `systemctl stop naps`"
        );
        let asked = [
            "systemctl is-active --quiet naps",
            "systemctl is-active --quiet missing",
        ];
        ran(&commands, &asked);
    }

    #[tokio::test]
    async fn the_journal_is_the_log_of_a_unit() {
        let (unit, commands) = (Unit::Systemd("naps".into()), Recorder::default());

        let lines = unit.last_lines(2, &commands).await;

        assert_eq!(lines.unwrap(), ["line one", "line two"]);
    }
}
