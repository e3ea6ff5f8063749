//! `zcomm up`, `down`, `restart`: local services from a shell. They outlive the command that starts them.

use std::path::PathBuf;
use std::time::Instant;

use futures_util::future::join_all;
use serde_json::{Value, json};
use zcomm::services::{Error, Manager, Port, Source, StartOptions, Status};

use crate::failure::Failure;
use crate::output::{self, GOOD, HEAD, Outcome};

pub(crate) mod connect;
pub(crate) mod env;
pub(crate) mod logs;
mod progress;
mod purge;
pub(crate) mod status;

use progress::Progress;

#[derive(clap::Args, Debug)]
pub(crate) struct UpArgs {
    /// The services; without any, those of the setting `services`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Another port than the service's own; 0 takes any that is free
    #[arg(long)]
    port: Option<u16>,
    /// Keeps the data in memory where the system can, and forgets it at the end
    #[arg(long)]
    throw_away: bool,
    /// Takes it from here and nowhere else
    #[arg(long, value_enum)]
    source: Option<SourceArg>,
    /// The version it must have, as far as it is given
    #[arg(long)]
    version: Option<String>,
    /// The user that a new data folder belongs to
    #[arg(long)]
    user: Option<String>,
    /// The database that a new data folder gets
    #[arg(long)]
    database: Option<String>,
    /// The folder of its data
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// The image with its tag, should it become a container
    #[arg(long)]
    image: Option<String>,
    /// An argument for the server itself; may be repeated
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SourceArg {
    /// One that runs already
    Adopted,
    /// A binary of this machine
    Process,
    /// Docker or Podman
    Container,
    /// The operating system's service manager
    System,
}

#[derive(clap::Args, Debug)]
pub(crate) struct DownArgs {
    /// The services; without any, those of the setting `services`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Removes all their data, too, after asking
    #[arg(long)]
    purge: bool,
    /// Does not ask
    #[arg(long, requires = "purge")]
    yes: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct RestartArgs {
    /// The services; without any, those of the setting `services`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn up(args: &crate::args::Args, up: &UpArgs) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let names = named(&comm, &up.names, "up")?;
    let services = comm.services();
    let start = async |name: &str| services.start(name, up.options()).await;
    crate::wait(each(&names, up.json, "starting", start))
}

impl UpArgs {
    fn options(&self) -> StartOptions {
        let port = self.port.map_or(Port::Default, Port::from);
        let mut options = StartOptions::new().port(port).detached();
        options.throw_away = self.throw_away;
        options.source = self.source.map(Source::from);
        options.version.clone_from(&self.version);
        options.user.clone_from(&self.user);
        options.database.clone_from(&self.database);
        options.data_dir.clone_from(&self.data_dir);
        options.image.clone_from(&self.image);
        options.extra_args.clone_from(&self.arguments);
        options
    }
}

impl From<SourceArg> for Source {
    fn from(source: SourceArg) -> Self {
        match source {
            SourceArg::Adopted => Self::Adopted,
            SourceArg::Process => Self::Process,
            SourceArg::Container => Self::Container,
            SourceArg::System => Self::System,
        }
    }
}

pub(crate) fn down(args: &crate::args::Args, down: &DownArgs) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let names = named(&comm, &down.names, "down")?;
    if down.purge && !down.yes && !purge::confirmed(comm.services(), &names)? {
        return Ok(Outcome::No);
    }
    crate::wait(async {
        let stopped = stop(comm.services(), &names, down.json).await?;
        if down.purge {
            purge::purge(comm.services(), &names, down.json).await?;
        }
        Ok(stopped)
    })
}

/// Those that need others stop before them.
async fn stop(services: &Manager, names: &[String], json: bool) -> anyhow::Result<Outcome> {
    let stopped = services.stop_all(names.iter().map(String::as_str)).await?;
    let lines = names.iter().zip(stopped);
    let print = |status: &Status| {
        if !json {
            output::line(&sentence(status));
        }
    };
    let results = lines.map(|(name, result)| (name.as_str(), result.inspect(print)));
    finish(results.collect(), json)
}

pub(crate) fn restart(args: &crate::args::Args, restart: &RestartArgs) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let names = named(&comm, &restart.names, "restart")?;
    let services = comm.services();
    let again = async |name: &str| services.restart(name).await;
    crate::wait(each(&names, restart.json, "restarting", again))
}

/// Does the same with each service at once, and shows how far it is.
async fn each(
    names: &[String],
    json: bool,
    doing: &str,
    work: impl AsyncFn(&str) -> Result<Status, Error>,
) -> anyhow::Result<Outcome> {
    let (progress, work) = (&Progress::new(!json), &work);
    let all = names.iter().map(|name| async move {
        let start = Instant::now();
        let shown = progress.begin(name, doing);
        let result = work(name).await;
        shown.end();
        if let (Ok(status), false) = (&result, json) {
            let took = start.elapsed().as_millis();
            progress.line(&format!("{} in {took} ms", sentence(status)));
        }
        (name.as_str(), result)
    });
    finish(join_all(all).await, json)
}

/// Prints JSON, and makes one result of all: the first error is reported as that of the command, others as notes.
fn finish(results: Vec<(&str, Result<Status, Error>)>, json: bool) -> anyhow::Result<Outcome> {
    let (mut good, mut bad) = (Vec::new(), None);
    for (name, result) in results {
        match result {
            Ok(status) => good.push(status),
            Err(error) if bad.is_none() => bad = Some(error),
            Err(error) => output::note(&format!("{name}: {error}")),
        }
    }
    if json {
        print_json(&good);
    }
    bad.map_or(Ok(Outcome::Done), |error| Err(error.into()))
}

fn named(comm: &zcomm::Comm, given: &[String], command: &str) -> anyhow::Result<Vec<String>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let listed = comm.settings().list("services");
    if listed.is_empty() {
        let what =
            format!("`zcomm {command}` names no service, and neither does the setting `services`");
        let hint = "`zcomm status` shows the services that this build knows";
        return Err(Failure::Usage { what, hint }.into());
    }
    Ok(listed.to_vec())
}

fn sentence(status: &Status) -> String {
    let style = if status.running { GOOD } else { HEAD };
    let mut text = format!("{} {style}{}{style:#}", status.name, status.state);
    if status.running {
        text.push_str(&format!(" on port {}", status.port));
    }
    if let Some(pid) = status.pid.filter(|_| status.running) {
        text.push_str(&format!(", pid {pid}"));
    }
    text
}

fn print_json(all: &[Status]) {
    output::json(&Value::Array(
        all.iter().map(|status| json!(status)).collect(),
    ));
}
