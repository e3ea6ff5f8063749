//! `zcomm up`, `down`, `status`: local services from a shell. They outlive the command that starts them.

use std::time::Instant;

use serde_json::{Value, json};
use zcomm::services::{Port, StartOptions, Status};

use crate::failure::Failure;
use crate::output::{self, BAD, Cell, GOOD, HEAD, Outcome};

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
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct DownArgs {
    /// The services; without any, those of the setting `services`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Ends with status 1 if one of the named services does not run.")]
pub(crate) struct StatusArgs {
    /// The services; without any, all that this build knows
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn up(args: &crate::args::Args, up: &UpArgs) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let names = named(&comm, &up.names, "up")?;
    crate::wait(async {
        let mut all = Vec::new();
        for name in &names {
            let start = Instant::now();
            let status = comm.services().start(name, up.options()).await?;
            if !up.json {
                let took = start.elapsed().as_millis();
                output::line(&format!("{} in {took} ms", sentence(&status)));
            }
            all.push(status);
        }
        if up.json {
            print_json(&all)?;
        }
        Ok(Outcome::Done)
    })
}

impl UpArgs {
    fn options(&self) -> StartOptions {
        let port = match self.port {
            None => Port::Default,
            Some(0) => Port::AnyFree,
            Some(port) => Port::At(port),
        };
        let options = StartOptions::new().port(port).detached();
        if self.throw_away {
            options.throw_away()
        } else {
            options
        }
    }
}

pub(crate) fn down(args: &crate::args::Args, down: &DownArgs) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let names = named(&comm, &down.names, "down")?;
    crate::wait(async {
        let mut all = Vec::new();
        for name in &names {
            let status = comm.services().stop(name).await?;
            if !down.json {
                output::line(&sentence(&status));
            }
            all.push(status);
        }
        if down.json {
            print_json(&all)?;
        }
        Ok(Outcome::Done)
    })
}

pub(crate) fn status(args: &crate::args::Args, status: &StatusArgs) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let all = crate::wait(async {
        if status.names.is_empty() {
            return anyhow::Ok(comm.services().status_all().await?);
        }
        let mut all = Vec::new();
        for name in &status.names {
            all.push(comm.services().status(name).await?);
        }
        Ok(all)
    })?;
    if status.json {
        print_json(&all)?;
    } else {
        let rows: Vec<[Cell; 6]> = all.iter().map(row).collect();
        output::table(
            ["SERVICE", "STATE", "SOURCE", "VERSION", "PORT", "PID"],
            &rows,
        );
    }
    let named_all_run = status.names.is_empty() || all.iter().all(|status| status.running);
    Ok(Outcome::yes_if(named_all_run))
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

fn row(status: &Status) -> [Cell; 6] {
    let style = if status.running {
        GOOD
    } else if status.error.is_some() {
        BAD
    } else {
        HEAD
    };
    let source = status.source.map(|source| source.as_str().to_owned());
    [
        status.name.into(),
        Cell::styled(status.state.to_string(), style),
        source.unwrap_or_default().into(),
        status.version.clone().unwrap_or_default().into(),
        status.port.to_string().into(),
        status
            .pid
            .map(|pid| pid.to_string())
            .unwrap_or_default()
            .into(),
    ]
}

fn print_json(all: &[Status]) -> anyhow::Result<()> {
    output::json(&Value::Array(
        all.iter().map(|status| json!(status)).collect(),
    ));
    Ok(())
}
