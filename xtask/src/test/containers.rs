//! The step with real databases in containers: a daemon, their images, the tests, and a look at what they left.

use std::process::Command;

use anyhow::Result;

use crate::docker::Daemon;
use crate::images::IMAGES;
use crate::install::DOCKER;
use crate::run::Run;

use super::outside;

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    let daemon = Daemon::ensure(run.workspace())?;
    let mut variables = Vec::new();
    for image in IMAGES {
        variables.push(image.ensure(&daemon, run)?);
    }
    let prepare = |command: &mut Command| {
        daemon.tell(command);
        command.envs(variables.iter().copied());
    };
    outside::with_containers(run, &DOCKER, &prepare)?;
    let left = daemon.leftovers()?;
    if left.is_empty() {
        run.clean();
    } else {
        run.finding(format!("containers are left: {}", left.join(", ")));
    }
    Ok(())
}
