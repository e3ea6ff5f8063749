//! Commands that a build lacks: they are listed all the same, and say which build has them.

#![cfg_attr(
    feature = "full",
    allow(dead_code, reason = "a full build lacks nothing")
)]

use crate::failure::Failure;
use crate::output::Outcome;

/// Takes whatever stands behind the command, so that the answer is about the command and not about a flag.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

pub(crate) fn command(name: &'static str, feature: &'static str) -> anyhow::Result<Outcome> {
    Err(Failure::NotInBuild {
        command: name,
        feature,
    }
    .into())
}
