//! `zcomm connect`: a service's own client, told where the service is and as whom to ask it.

use anyhow::Context;

use crate::output::Outcome;

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Runs psql, redis-cli or mongosh, whichever is the service's own, and ends with its status. What stands after \
`--` is for it: zcomm connect postgres -- -c 'SELECT 1'")]
pub(crate) struct Args {
    /// The service
    name: String,
    /// Arguments for the client
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &crate::args::Args, connect: &Args) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let mut command = crate::wait(async { Ok(comm.services().client(&connect.name).await?) })?;
    command.args(&connect.arguments);
    let status = command.status();
    let status =
        status.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    Ok(Outcome::yes_if(status.success()))
}
