//! Local services without async.

use std::time::Duration;

use zcomm_services::{Error, Manager, Purged, StartOptions, Status};

use super::Blocking;
use crate::core::service::ConnectionInfo;

/// The local services of a [`Comm`](crate::Comm), in calls that wait.
///
/// ```no_run
/// use zcomm::Comm;
///
/// let comm = Comm::new()?;
/// let services = comm.blocking()?.services();
/// if services.status("redis")?.running {
///     let info = services.connection_info("redis")?;
///     println!("redis: {}", info.endpoint);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Services<'a> {
    blocking: Blocking<'a>,
    manager: &'a Manager,
}

impl<'a> Services<'a> {
    pub(super) fn of(blocking: Blocking<'a>) -> Self {
        let manager = blocking.comm.services();
        Self { blocking, manager }
    }

    /// As [`Manager::start`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn start(&self, name: &str, options: StartOptions) -> Result<Status, Error> {
        self.blocking.wait(self.manager.start(name, options))
    }

    /// As [`Manager::stop`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn stop(&self, name: &str) -> Result<Status, Error> {
        self.blocking.wait(self.manager.stop(name))
    }

    /// As [`Manager::start_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn start_all<'w>(
        &self,
        wishes: impl IntoIterator<Item = (&'w str, StartOptions)>,
    ) -> Result<Vec<Result<Status, Error>>, Error> {
        self.blocking.wait(self.manager.start_all(wishes))
    }

    /// As [`Manager::stop_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn stop_all<'w>(
        &self,
        names: impl IntoIterator<Item = &'w str>,
    ) -> Result<Vec<Result<Status, Error>>, Error> {
        self.blocking.wait(self.manager.stop_all(names))
    }

    /// As [`Manager::logs`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn logs(&self, name: &str, count: usize) -> Result<Vec<String>, Error> {
        self.blocking.wait(self.manager.logs(name, count))
    }

    /// As [`Manager::purge`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn purge(&self, name: &str) -> Result<Purged, Error> {
        self.blocking.wait(self.manager.purge(name))
    }

    /// As [`Manager::restart`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn restart(&self, name: &str) -> Result<Status, Error> {
        self.blocking.wait(self.manager.restart(name))
    }

    /// As [`Manager::status`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn status(&self, name: &str) -> Result<Status, Error> {
        self.blocking.wait(self.manager.status(name))
    }

    /// As [`Manager::status_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn status_all(&self) -> Result<Vec<Status>, Error> {
        self.blocking.wait(self.manager.status_all())
    }

    /// As [`Manager::connection_info`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connection_info(&self, name: &str) -> Result<ConnectionInfo, Error> {
        self.blocking.wait(self.manager.connection_info(name))
    }

    /// As [`Manager::wait_ready`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn wait_ready(&self, name: &str, patience: Duration) -> Result<Status, Error> {
        self.blocking.wait(self.manager.wait_ready(name, patience))
    }
}
