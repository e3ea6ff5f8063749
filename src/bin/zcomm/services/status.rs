//! `zcomm status`: what local services do, once or each time it changes. Starts and stops none.

use std::io::{self, IsTerminal};
use std::time::Duration;

use zcomm::services::{Manager, Status};

use crate::output::{self, BAD, Cell, GOOD, HEAD, Outcome};

/// How often services are looked at while somebody watches.
const EVERY: Duration = Duration::from_secs(1);
/// Moves to the upper left, and clears what is below.
const CLEAR: &[u8] = b"\x1b[H\x1b[J";

#[derive(clap::Args, Debug)]
#[command(after_help = "Ends with status 1 if one of the named services does not run.")]
pub(crate) struct Args {
    /// The services; without any, all that this build knows
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Goes on, and shows each change, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &crate::args::Args, status: &Args) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    crate::wait(async {
        if !status.watch {
            let all = look(comm.services(), &status.names).await?;
            print(&all, status.json);
            let named_all_run = status.names.is_empty() || all.iter().all(|status| status.running);
            return Ok(Outcome::yes_if(named_all_run));
        }
        tokio::select! {
            ended = watch(comm.services(), status) => ended,
            stopped = crate::signal::wait() => stopped.map(|()| Outcome::Done),
        }
    })
}

async fn look(services: &Manager, names: &[String]) -> anyhow::Result<Vec<Status>> {
    if names.is_empty() {
        return Ok(services.status_all().await?);
    }
    let all = names.iter().map(|name| services.status(name));
    let all = futures_util::future::join_all(all).await;
    Ok(all.into_iter().collect::<Result<_, _>>()?)
}

/// A terminal sees the whole table as it is now; a pipe gets it each time a state changed.
async fn watch(services: &Manager, args: &Args) -> anyhow::Result<Outcome> {
    let terminal = io::stdout().is_terminal() && !args.json;
    let mut ticks = tokio::time::interval(EVERY);
    let mut last = None;
    loop {
        ticks.tick().await;
        let all = look(services, &args.names).await?;
        let shape: Vec<_> = all
            .iter()
            .map(|status| (status.state, status.port, status.pid))
            .collect();
        if !terminal && last.as_ref() == Some(&shape) {
            continue;
        }
        if terminal {
            output::raw(CLEAR);
        }
        print(&all, args.json);
        last = Some(shape);
    }
}

fn print(all: &[Status], json: bool) {
    if json {
        return super::print_json(all);
    }
    let rows: Vec<[Cell; 10]> = all.iter().map(row).collect();
    let head = [
        "SERVICE", "STATE", "SOURCE", "VERSION", "PORT", "PID", "UPTIME", "CPU", "MEMORY", "DATA",
    ];
    output::table(head, &rows);
}

fn row(status: &Status) -> [Cell; 10] {
    let style = if status.running {
        GOOD
    } else if status.error.is_some() {
        BAD
    } else {
        HEAD
    };
    let text = |text: Option<String>| Cell::from(text.unwrap_or_default());
    [
        status.name.into(),
        Cell::styled(status.state.to_string(), style),
        text(status.source.map(|source| source.as_str().to_owned())),
        text(status.version.clone()),
        status.port.to_string().into(),
        text(status.pid.map(|pid| pid.to_string())),
        text(status.uptime.map(span)),
        text(share(status)),
        text(status.memory.map(size)),
        text(
            status
                .data_dir
                .as_ref()
                .map(|folder| folder.display().to_string()),
        ),
    ]
}

/// Of the time that it has been running, the part that it was on a processor.
fn share(status: &Status) -> Option<String> {
    let (cpu, uptime) = (status.cpu?, status.uptime?);
    // Uptimes come in whole seconds.
    let uptime = uptime.max(Duration::from_secs(1));
    Some(format!(
        "{:.1}%",
        100.0 * cpu.as_secs_f64() / uptime.as_secs_f64()
    ))
}

fn span(uptime: Duration) -> String {
    let seconds = uptime.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

fn size(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_two_units_at_most() {
        let spans = [7, 61, 3_700, 90_000].map(|seconds| span(Duration::from_secs(seconds)));

        assert_eq!(spans, ["7s", "1m01s", "1h01m", "1d01h"]);
    }
}
