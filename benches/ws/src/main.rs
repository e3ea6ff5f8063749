//! Measures the WebSocket server against a bare socket and against fastwebsockets, tungstenite and axum, on loopback.
//!
//! Prints Markdown, and with `--json FILE` writes every figure. `cargo xtask bench ws` runs it. The server has one core and
//! the load generator the other; `serve NAME` is one server alone, for a profiler to look at, and `--only TEXT` runs the
//! cases whose names contain a text.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod cases;
mod load;
mod machine;
mod report;
mod rounds;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cases::CASES;
use crate::report::Report;
use crate::rounds::Arena;
use crate::server::Orders;

/// What the command line may say.
#[derive(Debug)]
struct Args {
    rounds: usize,
    window: Duration,
    idle: usize,
    only: Option<String>,
    json: Option<String>,
}

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = words.split_first()
        && first == "serve"
    {
        server::run(orders(rest)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let args = args(words)?;
    if let Some(status) = machine::again_with_priority()? {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        return Ok(ExitCode::from(code.unwrap_or(1)));
    }
    measure(args)
}

fn measure(args: Args) -> Result<ExitCode> {
    let arena = Arena::new(args.rounds, args.window)?;
    let wanted = |name: &str| args.only.as_ref().is_none_or(|text| name.contains(text));
    let mut report = Report::default();
    machine::pin(machine::LOAD_CORE)?;
    for case in CASES.iter().filter(|case| wanted(case.name)) {
        eprintln!("{}", case.name);
        report.figures.push(arena.run(case)?);
    }
    if wanted("idle") && args.idle > 0 {
        eprintln!("idle connections");
        report.idle = arena.idle(args.idle)?;
    }
    print!("{}", report.markdown());
    if let Some(path) = args.json {
        std::fs::write(&path, format!("{:#}\n", report.json())).with_context(|| path.clone())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn args(words: Vec<String>) -> Result<Args> {
    let mut args = Args {
        rounds: 5,
        window: Duration::from_millis(400),
        idle: 10_000,
        only: None,
        json: None,
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let value = words
            .next()
            .with_context(|| format!("`{word}` wants a value"))?;
        match word.as_str() {
            "--rounds" => args.rounds = value.parse()?,
            "--window-ms" => args.window = Duration::from_millis(value.parse()?),
            "--idle" => args.idle = value.parse()?,
            "--only" => args.only = Some(value),
            "--json" => args.json = Some(value),
            _ => bail!(
                "`{word}` is not an option: --rounds N, --window-ms N, --idle CONNECTIONS, --only TEXT, --json FILE"
            ),
        }
    }
    Ok(args)
}

fn orders(words: &[String]) -> Result<Orders> {
    let mut words = words.iter();
    let name = words.next().context("which server?")?.clone();
    let mut orders = Orders {
        name,
        fan_out: false,
        workers: 1,
        tls: None,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--fan-out" => orders.fan_out = true,
            "--workers" => orders.workers = words.next().context("how many?")?.parse()?,
            "--tls" => orders.tls = Some(words.next().context("which folder?")?.into()),
            other => bail!("`{other}` is not an option: --fan-out, --workers N, --tls FOLDER"),
        }
    }
    Ok(orders)
}
