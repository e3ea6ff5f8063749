//! Services as containers, by the `docker` or `podman` command: starts, finds and removes them. Asks none anything.

mod archive;
mod engine;
mod launch;

use serde::{Deserialize, Serialize};

pub(crate) use engine::Engine;

/// The label that says to which project a container belongs.
const PROJECT: &str = "dev.zcomm.project";
/// The label that says which service it is.
const SERVICE: &str = "dev.zcomm.service";

/// A container that this project made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    /// The command that made it.
    pub(crate) engine: Engine,
    /// Its name, the same for every container of this service of this project.
    pub(crate) name: String,
    /// The volume that keeps its data, where one does.
    pub(crate) volume: Option<String>,
}
