//! `zcomm down --purge`: removes the data of services for good, after asking. Stops none.

use std::io::{self, BufRead, IsTerminal};

use zcomm::services::Manager;

use crate::failure::Failure;
use crate::output;

/// Shows what would go, and asks whether it may.
pub(super) fn confirmed(services: &Manager, names: &[String]) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        let what = "`--purge` removes data for good, and nobody is there to be asked".to_owned();
        let hint = "`--yes` says that it may";
        return Err(Failure::Usage { what, hint }.into());
    }
    for name in names {
        let found = services.purgeable(name)?;
        for folder in found.removed {
            output::note(&format!("{name}: {} will be removed", folder.display()));
        }
    }
    output::note("Remove all of it for good? [y/N]");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

pub(super) async fn purge(services: &Manager, names: &[String], json: bool) -> anyhow::Result<()> {
    for name in names {
        let purged = services.purge(name).await?;
        if json {
            continue;
        }
        for folder in purged.removed {
            output::line(&format!("{name}: {} removed", folder.display()));
        }
        if let Some(folder) = purged.kept {
            output::line(&format!("{name}: {} left as it is", folder.display()));
        }
    }
    Ok(())
}
