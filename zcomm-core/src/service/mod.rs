//! Local services: the trait [`ServiceDriver`] and the plain data it speaks in. Starts nothing.

mod connection;
mod endpoint;
mod info;
mod probe;
mod recipe;
mod require;

use async_trait::async_trait;

use crate::error::Error;

pub use connection::{ClientRecipe, ConnectionInfo, Tls};
pub use endpoint::Endpoint;
pub use info::{DriverInfo, InstallHint, Login, Os};
pub use probe::{Probe, ServiceIdentity, ServiceState};
pub use recipe::{
    Account, ContainerRecipe, InitStep, ProcessRecipe, Program, RecipeFile, Recipes, StartPlan,
    StopSignal, SystemUnits, Template,
};
pub use require::{Require, RequireLayer};

/// What a local service is: its names, how it is started, how it answers, how it is reached.
///
/// A driver says *what*; the launchers of `zcomm-services` know *how*. It holds no state of a running service: the
/// same driver describes any number of them. Only [`probe`](Self::probe) does I/O.
///
/// Implementors see to it that `probe` takes no longer than [`Endpoint::limit`], never mistakes another server or a
/// silent port for their own service, and may be called from many tasks at once. Its future may be dropped at any time.
///
/// `docs/write-a-driver.md` builds one step by step; `examples/custom_driver.rs` is one in a single file.
#[async_trait]
pub trait ServiceDriver: Send + Sync {
    /// The names, the usual port, and how the service is installed.
    fn about(&self) -> &DriverInfo;

    /// How the planned instance is started, from each source that can.
    fn recipes(&self, plan: &StartPlan) -> Recipes;

    /// Asks whoever listens there, in the service's own protocol.
    async fn probe(&self, at: &Endpoint) -> Probe;

    /// Does what a new server needs done from within before it can be used: its first user, its replica set.
    ///
    /// The manager calls it after a start, once `probe` found it running and closed, and probes again. It may be called
    /// on a server that has all it needs, and then changes nothing.
    ///
    /// # Errors
    ///
    /// What keeps the server from ever being usable; whatever may pass by itself is none.
    async fn prepare(&self, _plan: &StartPlan) -> Result<(), Error> {
        Ok(())
    }

    /// What a client needs to connect to an instance that `probe` found, or would need once it runs.
    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo;
}
