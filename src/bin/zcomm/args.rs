//! What the command line may say, and the settings that its flags amount to.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use zcomm::{Comm, CommBuilder};

#[cfg(any(feature = "bifrost", feature = "sqlite"))]
use crate::data;
#[cfg(feature = "http")]
use crate::http;
#[cfg(not(all(
    feature = "http",
    feature = "bifrost",
    feature = "services",
    feature = "ws-client"
)))]
use crate::missing;
use crate::output::{self, Outcome};
#[cfg(feature = "bifrost")]
use crate::serve;
#[cfg(feature = "services")]
use crate::services;
#[cfg(feature = "ws-client")]
use crate::{call, listen};
use crate::{config, plugins, port, token};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and the answer is yes
  1  done, and the answer is no: a port is taken, a status is 400 or above, a service that was named
     does not run
  2  the command line or a setting is wrong
  3  this build lacks the command or the plugin
  4  it could not be done: the network, a file, a service

Settings are merged from defaults, the machine file, the environment, .zEnv and --set; the later wins. \
`zcomm config explain` shows each value and where it is from.";

/// The communication layer of an application, from a shell
#[derive(Debug, Parser)]
#[command(name = "zcomm", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Args {
    /// Sets a setting, above every file and variable; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,

    /// The project's folder, in place of the working directory
    #[arg(long, global = true, value_name = "FOLDER")]
    project: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says whether ports are available, and who holds them
    Port(port::Args),
    /// Shows and checks the settings
    Config(config::Args),
    /// Lists the plugins of this build
    Plugins(plugins::Args),
    /// Makes, lists and revokes access tokens
    Token(token::Args),
    /// Sends an HTTP request
    #[cfg(feature = "http")]
    Http(http::Args),
    /// Sends an HTTP request (not in this build)
    #[cfg(not(feature = "http"))]
    Http(missing::Args),
    /// Asks a zBifrost server something over a socket
    #[cfg(feature = "ws-client")]
    Call(call::Args),
    /// Asks a zBifrost server something over a socket (not in this build)
    #[cfg(not(feature = "ws-client"))]
    Call(missing::Args),
    /// Prints what a server sends unasked
    #[cfg(feature = "ws-client")]
    Listen(listen::Args),
    /// Prints what a server sends unasked (not in this build)
    #[cfg(not(feature = "ws-client"))]
    Listen(missing::Args),
    /// Serves zBifrost to browsers and programs
    #[cfg(feature = "bifrost")]
    Serve(serve::Args),
    /// Serves zBifrost to browsers and programs (not in this build)
    #[cfg(not(feature = "bifrost"))]
    Serve(missing::Args),
    /// Reads and writes rows, and shows and migrates their models
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    Data(data::Args),
    /// Reads and writes rows (not in this build)
    #[cfg(not(any(feature = "bifrost", feature = "sqlite")))]
    Data(missing::Args),
    /// Starts local services and leaves them running
    #[cfg(feature = "services")]
    Up(services::UpArgs),
    /// Starts local services and leaves them running (not in this build)
    #[cfg(not(feature = "services"))]
    Up(missing::Args),
    /// Stops local services that zcomm started
    #[cfg(feature = "services")]
    Down(services::DownArgs),
    /// Stops local services that zcomm started (not in this build)
    #[cfg(not(feature = "services"))]
    Down(missing::Args),
    /// Shows what local services do
    #[cfg(feature = "services")]
    Status(services::status::Args),
    /// Shows what local services do (not in this build)
    #[cfg(not(feature = "services"))]
    Status(missing::Args),
    /// Stops local services and starts them again
    #[cfg(feature = "services")]
    Restart(services::RestartArgs),
    /// Stops local services and starts them again (not in this build)
    #[cfg(not(feature = "services"))]
    Restart(missing::Args),
    /// Prints what a local service wrote
    #[cfg(feature = "services")]
    Logs(services::logs::Args),
    /// Prints what a local service wrote (not in this build)
    #[cfg(not(feature = "services"))]
    Logs(missing::Args),
    /// Prints the variables by which programs find local services
    #[cfg(feature = "services")]
    Env(services::env::Args),
    /// Prints the variables by which programs find local services (not in this build)
    #[cfg(not(feature = "services"))]
    Env(missing::Args),
    /// Opens a local service's own client
    #[cfg(feature = "services")]
    Connect(services::connect::Args),
    /// Opens a local service's own client (not in this build)
    #[cfg(not(feature = "services"))]
    Connect(missing::Args),
    /// Prints a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Args {
    /// A builder with what every command takes.
    pub(crate) fn builder(&self) -> CommBuilder {
        let builder = self.with_pairs(Comm::builder());
        match &self.project {
            Some(folder) => builder.project(folder),
            None => builder,
        }
    }

    fn with_pairs(&self, builder: CommBuilder) -> CommBuilder {
        self.set.iter().fold(builder, |builder, (key, value)| {
            builder.set_from("--set", key, value)
        })
    }

    /// The plugins and the table of settings alone: for commands that must work when the settings are wrong.
    pub(crate) fn bare(&self) -> anyhow::Result<Comm> {
        Ok(self.with_pairs(Comm::builder().isolated()).build()?)
    }

    /// Settings, plugins and the ways into each part.
    pub(crate) fn comm(&self) -> anyhow::Result<Comm> {
        let comm = self.builder().build()?;
        output::warn(comm.warnings());
        Ok(comm)
    }
}

pub(crate) fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "zcomm", &mut script);
    output::raw(&script);
    Outcome::Done
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write it as KEY=VALUE, for example websocket.port=9000")?;
    if key.trim().is_empty() {
        return Err("the part before `=` is empty; write it as KEY=VALUE".to_owned());
    }
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_put_together_without_contradictions() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_value_may_hold_the_sign_that_parts_it() {
        assert_eq!(
            pair("websocket.token=a=b"),
            Ok(("websocket.token".to_owned(), "a=b".to_owned()))
        );
        assert!(pair("websocket.port").is_err());
        assert!(pair("=1").is_err());
    }
}
