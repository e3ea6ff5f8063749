//! `zcomm logs`: what a service wrote, and with `-f` what it goes on to write.

use futures_util::StreamExt;
use zcomm::services::Manager;

use crate::output::{self, Outcome};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The service
    name: String,
    /// Goes on with each line as it is written, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// As many of the last lines as are shown first
    #[arg(short = 'n', long, default_value_t = 100, value_name = "COUNT")]
    lines: usize,
}

pub(crate) fn run(args: &crate::args::Args, logs: &Args) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    crate::wait(async {
        if !logs.follow {
            let lines = comm.services().logs(&logs.name, logs.lines).await?;
            lines.iter().for_each(|line| output::line(line));
            return Ok(Outcome::Done);
        }
        tokio::select! {
            ended = follow(comm.services(), logs) => ended,
            stopped = crate::signal::wait() => stopped.map(|()| Outcome::Done),
        }
    })
}

async fn follow(services: &Manager, logs: &Args) -> anyhow::Result<Outcome> {
    let mut lines = services.follow(&logs.name, logs.lines).await?;
    while let Some(line) = lines.next().await {
        output::line(&line);
    }
    Ok(Outcome::Done)
}
