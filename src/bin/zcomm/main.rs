//! The program `zcomm`: the same as the library, from a shell. Parses, dispatches, and says how it ended.

mod args;
#[cfg(feature = "ws-client")]
mod call;
mod config;
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
mod data;
mod duration;
mod failure;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "ws-client")]
mod listen;
mod missing;
mod output;
mod plugins;
mod port;
#[cfg(feature = "bifrost")]
mod serve;
#[cfg(feature = "services")]
mod services;
#[cfg(any(feature = "services", feature = "ws-client"))]
mod signal;
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
mod store;
mod token;

#[cfg(any(
    feature = "http",
    feature = "services",
    feature = "bifrost",
    feature = "sqlite",
    feature = "ws-client"
))]
use std::future::Future;
use std::process::ExitCode;

#[cfg(any(
    feature = "http",
    feature = "services",
    feature = "bifrost",
    feature = "sqlite",
    feature = "ws-client"
))]
use anyhow::Context;
use clap::Parser;

use crate::args::{Args, Command};
use crate::output::Outcome;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Ok(Outcome::Wrong) => ExitCode::from(2),
        Err(error) => failure::report(&error),
    }
}

fn run(args: &Args) -> anyhow::Result<Outcome> {
    match &args.command {
        Command::Port(port) => port::run(args, port),
        Command::Config(config) => config::run(args, config),
        Command::Plugins(plugins) => plugins::run(args, plugins),
        Command::Token(token) => token::run(args, token),
        Command::Completions { shell } => Ok(args::completions(*shell)),
        #[cfg(feature = "http")]
        Command::Http(http) => http::run(args, http),
        #[cfg(not(feature = "http"))]
        Command::Http(_) => missing::command("http", "http"),
        #[cfg(feature = "ws-client")]
        Command::Call(call) => call::run(args, call),
        #[cfg(not(feature = "ws-client"))]
        Command::Call(_) => missing::command("call", "ws-client"),
        #[cfg(feature = "ws-client")]
        Command::Listen(listen) => listen::run(args, listen),
        #[cfg(not(feature = "ws-client"))]
        Command::Listen(_) => missing::command("listen", "ws-client"),
        #[cfg(feature = "bifrost")]
        Command::Serve(serve) => serve::run(args, serve),
        #[cfg(not(feature = "bifrost"))]
        Command::Serve(_) => missing::command("serve", "bifrost"),
        #[cfg(any(feature = "bifrost", feature = "sqlite"))]
        Command::Data(data) => data::run(args, data),
        #[cfg(not(any(feature = "bifrost", feature = "sqlite")))]
        Command::Data(_) => missing::command("data", "sqlite"),
        #[cfg(feature = "services")]
        Command::Up(up) => services::up(args, up),
        #[cfg(not(feature = "services"))]
        Command::Up(_) => missing::command("up", "services"),
        #[cfg(feature = "services")]
        Command::Down(down) => services::down(args, down),
        #[cfg(not(feature = "services"))]
        Command::Down(_) => missing::command("down", "services"),
        #[cfg(feature = "services")]
        Command::Status(status) => services::status::run(args, status),
        #[cfg(not(feature = "services"))]
        Command::Status(_) => missing::command("status", "services"),
        #[cfg(feature = "services")]
        Command::Restart(wanted) => services::restart(args, wanted),
        #[cfg(not(feature = "services"))]
        Command::Restart(_) => missing::command("restart", "services"),
        #[cfg(feature = "services")]
        Command::Logs(wanted) => services::logs::run(args, wanted),
        #[cfg(not(feature = "services"))]
        Command::Logs(_) => missing::command("logs", "services"),
        #[cfg(feature = "services")]
        Command::Env(wanted) => services::env::run(args, wanted),
        #[cfg(not(feature = "services"))]
        Command::Env(_) => missing::command("env", "services"),
        #[cfg(feature = "services")]
        Command::Connect(wanted) => services::connect::run(args, wanted),
        #[cfg(not(feature = "services"))]
        Command::Connect(_) => missing::command("connect", "services"),
    }
}

/// Waits for what a command does, on a runtime that ends with it.
#[cfg(any(
    feature = "http",
    feature = "services",
    feature = "bifrost",
    feature = "sqlite",
    feature = "ws-client"
))]
fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.context("cannot start a runtime")?.block_on(work)
}
