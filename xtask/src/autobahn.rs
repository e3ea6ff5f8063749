//! `cargo xtask autobahn`: the Autobahn test suite against the echo server. Judges the report, tests no frames itself.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::run::{Run, cargo_with};
use crate::step::{self, Step};
use crate::workspace::Workspace;

const SUITE: &str = "autobahntestsuite==0.8.2";
/// The last one that makes environments for Python 2.7.
const MAKER: &str = "virtualenv==20.15.1";
/// The last of its cases sends messages of 16 MiB.
const MESSAGE: u32 = 32 << 20;
/// Results that are as they should be.
const GOOD: [&str; 2] = ["OK", "INFORMATIONAL"];
const LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    step::run(&Workspace::load()?, &[step()], words)
}

pub(crate) fn step() -> Step {
    Step::new(
        "autobahn",
        "the Autobahn fuzzing client against `zcomm serve --handler echo`",
        all_cases,
    )
    .limit(LIMIT)
}

fn all_cases(run: &mut Run<'_>) -> Result<()> {
    let folder = run.workspace().target.join("autobahn");
    std::fs::create_dir_all(&folder)?;
    let client = install(run, &folder)?;
    run.must(&mut cargo_with(&[
        "build",
        "--package",
        "zcomm",
        "--features",
        "serve",
        "--bin",
        "zcomm",
    ]))?;
    let server = Server::start(&run.workspace().target.join("debug/zcomm"), &folder)?;
    let spec = folder.join("spec.json");
    std::fs::write(&spec, spec_for(&server.address, &folder).to_string())?;
    run.must(
        Command::new(client)
            .args(["-m", "fuzzingclient", "-s"])
            .arg(&spec)
            // It writes a twisted log into the folder it runs in.
            .env("PYTHONUNBUFFERED", "1"),
    )?;
    drop(server);
    judge(run, &folder.join("reports/index.json"))
}

/// The suite in an environment of its own; what is there stays.
fn install(run: &mut Run<'_>, folder: &Path) -> Result<PathBuf> {
    let client = folder.join("venv/bin/wstest");
    if client.is_file() {
        return Ok(client);
    }
    let python2 = python2().context(
        "the suite runs on Python 2.7 alone: put `python2.7` on PATH or into ~/.pyenv/versions, or --without autobahn",
    )?;
    let (maker, environment) = (folder.join("maker"), folder.join("venv"));
    run.must(Command::new("python3").args(["-m", "venv"]).arg(&maker))?;
    run.must(Command::new(maker.join("bin/pip")).args(["install", "--quiet", MAKER]))?;
    run.must(
        Command::new(maker.join("bin/virtualenv"))
            .arg("--python")
            .arg(python2)
            .arg(&environment),
    )?;
    run.must(Command::new(environment.join("bin/pip")).args(["install", "--quiet", SUITE]))?;
    Ok(client)
}

fn python2() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("python2.7"));
    // The stand-ins that pyenv puts on PATH know only the version that is switched on.
    let on_path = on_path.filter(|python| !python.to_string_lossy().contains("/shims/"));
    let home = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = home.and_then(|home| std::fs::read_dir(home.join("versions")).ok());
    let versions = versions.into_iter().flatten().flatten();
    on_path
        .chain(versions.map(|version| version.path().join("bin/python2.7")))
        .find(|python| python.is_file())
}

/// The server that is tested. It ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(program: &Path, folder: &Path) -> Result<Self> {
        let message = format!("websocket.max_message_size={MESSAGE}");
        let outbox = format!("websocket.outbox_size={MESSAGE}");
        let mut command = Command::new(program);
        command.args(["serve", "--handler", "echo", "--port", "0", "--compression"]);
        command.args(["--set", &message, "--set", &outbox]);
        // It sends 4 MiB in pieces of 64 bytes.
        command.args(["--set", "websocket.max_fragments=100000"]);
        // In a folder without settings of anybody.
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server could not be started")?;
        let output = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = address_in(&line).with_context(|| format!("no address in `{line}`"))?;
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the cases will have shown.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_in(line: &str) -> Option<String> {
    let start = line.find("ws://")?;
    let rest = &line[start..];
    let end = rest.find([' ', '\u{1b}', '\n']).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

fn spec_for(address: &str, folder: &Path) -> Value {
    json!({
        "outdir": folder.join("reports"),
        "servers": [{"agent": "zcomm", "url": address}],
        "cases": ["*"],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    })
}

/// Counts each case as a test.
fn judge(run: &mut Run<'_>, report: &Path) -> Result<()> {
    let text = std::fs::read(report).context("the suite left no report")?;
    let index: Value = serde_json::from_slice(&text)?;
    let cases = index["zcomm"].as_object().context("no case ran")?;
    if cases.is_empty() {
        bail!("no case ran");
    }
    for (number, case) in cases {
        match fault(case) {
            None => run.clean(),
            Some(fault) => run.finding(format!("case {number}: {fault}")),
        }
    }
    Ok(())
}

fn fault(case: &Value) -> Option<String> {
    let result = |key: &str| case[key].as_str().unwrap_or("missing").to_owned();
    let (behavior, close) = (result("behavior"), result("behaviorClose"));
    let good = GOOD.contains(&behavior.as_str()) && GOOD.contains(&close.as_str());
    (!good).then(|| format!("{behavior}, its close {close}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_between_colours() {
        let line = "echo on \u{1b}[1mws://127.0.0.1:4711/ws\u{1b}[0m for pages of this machine\n";

        assert_eq!(address_in(line).unwrap(), "ws://127.0.0.1:4711/ws");
        assert_eq!(address_in("error: no"), None);
    }

    #[test]
    fn only_ok_and_informational_are_good() {
        let fault_of = |behavior: &str, close: &str| {
            fault(&json!({"behavior": behavior, "behaviorClose": close}))
        };

        assert_eq!(fault_of("OK", "INFORMATIONAL"), None);
        assert_eq!(fault_of("OK", "FAILED").unwrap(), "OK, its close FAILED");
        assert!(fault_of("UNIMPLEMENTED", "OK").is_some());
        assert!(fault(&json!({})).is_some());
    }
}
