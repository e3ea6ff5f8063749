//! Measures the HTTP client against reqwest alone and a raw hyper client, on loopback, and what each of its layers costs.
//!
//! Prints Markdown, and with `--json FILE` writes every figure. `cargo xtask bench http` runs it. With `--profile zcomm` one
//! client runs alone and makes `--calls N`, for a profiler to look at: between two numbers of calls the instructions of
//! a call can be counted, on whatever machine.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod layers;
mod peer;
mod report;
mod rounds;
mod server;

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::peer::Call;
use crate::rounds::Rounds;
use crate::server::Server;

const OPTIONS: &str =
    "--rounds N, --window-ms N, --json FILE, --profile CLIENT, --calls N, --method GET|POST";

/// What the command line may say.
#[derive(Debug)]
struct Args {
    rounds: usize,
    window: Duration,
    json: Option<String>,
    profile: Option<usize>,
    calls: u32,
    call: Call,
}

fn main() -> Result<()> {
    let args = args()?;
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Some(client) = args.profile {
        let rounds = Rounds::new(&server, args.rounds, args.window)?;
        let rate = runtime.block_on(rounds.alone(client, args.call, args.calls))?;
        println!("{:.1} k/s", rate / 1000.0);
        return Ok(());
    }
    let (rates, costs) = runtime.block_on(async {
        let rounds = Rounds::new(&server, args.rounds, args.window)?;
        let mut rates = Vec::new();
        for call in [Call::Get, Call::Post] {
            for in_flight in [1, 64] {
                rates.push(rounds.run(call, in_flight).await?);
            }
        }
        anyhow::Ok((rates, layers::costs(args.rounds).await?))
    })?;

    print!("{}", report::markdown(&rates, &costs));
    if let Some(path) = args.json {
        let json = report::json(&rates, &costs);
        std::fs::write(&path, format!("{json:#}\n")).with_context(|| path.clone())?;
    }
    Ok(())
}

fn args() -> Result<Args> {
    let mut args = Args {
        rounds: 15,
        window: Duration::from_millis(400),
        json: None,
        profile: None,
        calls: 10_000,
        call: Call::Get,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words
            .next()
            .with_context(|| format!("`{word}` wants a value"))?;
        match word.as_str() {
            "--rounds" => args.rounds = value.parse()?,
            "--window-ms" => args.window = Duration::from_millis(value.parse()?),
            "--json" => args.json = Some(value),
            "--profile" => args.profile = Some(peer::place(&value)?),
            "--calls" => args.calls = value.parse()?,
            "--method" => args.call = Call::of(&value)?,
            _ => bail!("`{word}` is not an option: {OPTIONS}"),
        }
    }
    Ok(args)
}
