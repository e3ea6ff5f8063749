//! The services of one project, by name: what a program calls. How they are started is `start`'s.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use zcomm_core::service::{ConnectionInfo, ServiceDriver};
use zcomm_core::{Registry, Settings};

use crate::folders::{self, Project};
use crate::lock::Lock;
use crate::plan::Configured;
use crate::process::{self, Running};
use crate::record::Record;
use crate::{Error, StartOptions, Status, owner};

/// How long to wait between two looks at a service that is not ready.
const PAUSE: Duration = Duration::from_millis(50);

/// Starts, finds and stops the services of one project. A clone is a handle to the same.
///
/// Services that were not started [detached](StartOptions::detached) end with the last handle, and with the program,
/// even when it is killed.
///
/// ```
/// use std::sync::Arc;
/// use zcomm_core::{Registry, Settings};
/// use zcomm_services::Manager;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let registry = Arc::new(Registry::linked().unwrap());
/// let manager = Manager::new(registry, Settings::defaults([]), ".");
///
/// // This program links no driver at all, and says what would bring one.
/// let error = manager.status("redis").await.unwrap_err();
/// assert!(error.to_string().contains("zcomm_services_redis"));
/// # });
/// ```
#[derive(Clone)]
pub struct Manager(Arc<Inner>);

struct Inner {
    registry: Arc<Registry>,
    settings: Settings,
    project: Project,
    /// The servers that this program started.
    running: Mutex<HashMap<&'static str, Running>>,
}

/// A service that was found by name.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) driver: Arc<dyn ServiceDriver>,
}

impl Manager {
    /// The services of the project in `project_dir`, whose folder `.zcomm` holds their data and records.
    pub fn new(
        registry: Arc<Registry>,
        settings: Settings,
        project_dir: impl Into<PathBuf>,
    ) -> Self {
        let project = Project::of(&project_dir.into());
        Self(Arc::new(Inner {
            registry,
            settings,
            project,
            running: Mutex::default(),
        }))
    }

    /// Sees to it that a service runs: finds one that this project started, else adopts one that runs, else starts it.
    ///
    /// It returns when the service answers.
    ///
    /// # Errors
    ///
    /// What keeps it from running, at once: a server that ends while it starts is not waited for.
    ///
    /// # Cancel safety
    ///
    /// A start that is dropped stops what it started, unless that is detached: then the next start finds it.
    pub async fn start(&self, name: &str, options: StartOptions) -> Result<Status, Error> {
        let service = self.service(name)?;
        let _lock = self.lock(&service).await?;
        self.start_locked(&service, &options).await
    }

    /// Starts several services at once; the answers are in the order of the names.
    pub async fn start_all<'a>(
        &self,
        wishes: impl IntoIterator<Item = (&'a str, StartOptions)>,
    ) -> Vec<Result<Status, Error>> {
        join_all(
            wishes
                .into_iter()
                .map(|(name, options)| self.start(name, options)),
        )
        .await
    }

    /// Stops a service that this project started, and removes its data if that was to be thrown away.
    ///
    /// A service that does not run is stopped already.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] if somebody else started it.
    ///
    /// # Cancel safety
    ///
    /// A stop that is dropped may be called again.
    pub async fn stop(&self, name: &str) -> Result<Status, Error> {
        let service = self.service(name)?;
        if !self.project().exists() {
            return self.refuse_or_report(&service).await;
        }
        let _lock = self.lock(&service).await?;
        let Some(record) = self.record(&service)? else {
            return self.refuse_or_report(&service).await;
        };
        self.end(&service, &record).await?;
        self.sweep(&service, &record).await?;
        self.look(&service).await
    }

    /// Stops a service and starts it again with the same port, data and arguments.
    ///
    /// # Errors
    ///
    /// Those of [`stop`](Self::stop) and [`start`](Self::start).
    pub async fn restart(&self, name: &str) -> Result<Status, Error> {
        let service = self.service(name)?;
        let lock = self.lock(&service).await?;
        match self.record(&service)? {
            Some(record) if record.is_alive() => {
                self.end(&service, &record).await?;
                self.launch(&service, &record.plan(), record.detached).await
            }
            _ => {
                drop(lock);
                self.stop(name).await?;
                self.start(name, StartOptions::new()).await
            }
        }
    }

    /// What is known of a service now. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the name is unknown or the record is damaged; that nothing runs is no error.
    pub async fn status(&self, name: &str) -> Result<Status, Error> {
        self.look(&self.service(name)?).await
    }

    /// The same of every service that there is a driver for, by name.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub async fn status_all(&self) -> Result<Vec<Status>, Error> {
        let services = self.services()?;
        let found = join_all(services.iter().map(|service| self.look(service))).await;
        found.into_iter().collect()
    }

    /// What a client needs to connect; of a service that is stopped, where it would be.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status).
    pub async fn connection_info(&self, name: &str) -> Result<ConnectionInfo, Error> {
        let service = self.service(name)?;
        let (endpoint, _) = self.whereabouts(&service)?;
        let probe = self.probe(&service, &endpoint).await;
        Ok(service.driver.connection_info(&endpoint, &probe))
    }

    /// The last lines that a service of this project wrote, at most `count`; also after it ended.
    ///
    /// # Errors
    ///
    /// [`Error::NoLog`] if this project did not start it.
    pub async fn logs(&self, name: &str, count: usize) -> Result<Vec<String>, Error> {
        let service = self.service(name)?;
        let record = self.record(&service)?;
        let kept = || self.project().kept(service.name);
        let log = folders::log(&record.map_or_else(kept, |record| record.folder));
        if !log.is_file() {
            return Err(Error::NoLog {
                service: service.name,
            });
        }
        Ok(process::last_lines(&log, count))
    }

    /// Waits until a service answers.
    ///
    /// # Errors
    ///
    /// [`Error::NotReady`] if it does not within `patience`.
    pub async fn wait_ready(&self, name: &str, patience: Duration) -> Result<Status, Error> {
        let service = self.service(name)?;
        let start = Instant::now();
        loop {
            let status = self.look(&service).await?;
            if status.running {
                return Ok(status);
            }
            if start.elapsed() >= patience {
                return Err(Error::NotReady {
                    service: service.name,
                    waited: patience,
                    state: status.state,
                    log: Vec::new(),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What `start` needs of it, too.
impl Manager {
    pub(crate) fn project(&self) -> &Project {
        &self.0.project
    }

    pub(crate) fn configured<'a>(&'a self, service: &'a Service) -> Configured<'a> {
        Configured {
            about: service.driver.about(),
            settings: &self.0.settings,
        }
    }

    pub(crate) fn record(&self, service: &Service) -> Result<Option<Record>, Error> {
        Record::load(&self.project().record(service.name))
    }

    /// Keeps a server that this program started.
    pub(crate) fn keep(&self, service: &Service, running: Running) {
        let before = self.table().insert(service.name, running);
        debug_assert!(
            before.is_none(),
            "a server is taken out before it is replaced"
        );
    }

    /// Takes note of the end of a server that this program started, if it came.
    pub(crate) fn reap(&self, service: &Service) {
        if let Some(running) = self.table().get_mut(service.name) {
            running.reap();
        }
    }

    /// Takes out the server that this program started.
    pub(crate) fn take(&self, service: &Service) -> Option<Running> {
        self.table().remove(service.name)
    }

    /// Ends the server of a record and sends its guard away; leaves its files.
    pub(crate) async fn end(&self, service: &Service, record: &Record) -> Result<(), Error> {
        if let Some(pid) = record.other_owner().filter(|_| record.is_alive()) {
            return Err(owner::of_program(service.name, pid));
        }
        let recipe = service.driver.recipes(&record.plan()).process;
        if let (Some(process), Some(recipe)) = (&record.process, recipe) {
            process::end(process, recipe.stop, recipe.stop_within, service.name).await?;
            tracing::info!(service = service.name, pid = process.pid, "stopped");
        }
        self.release(service).await;
        Ok(())
    }

    /// Removes what a server that is gone left behind.
    pub(crate) async fn sweep(&self, service: &Service, record: &Record) -> Result<(), Error> {
        self.release(service).await;
        if record.throw_away {
            folders::discard(&record.folder)?;
        }
        Record::remove(&self.project().record(service.name))
    }

    pub(crate) async fn release(&self, service: &Service) {
        // Not in one statement: the table would stay locked until the guard has left.
        let running = self.take(service);
        if let Some(running) = running {
            running.release().await;
        }
    }

    async fn lock(&self, service: &Service) -> Result<Lock, Error> {
        self.project().prepare()?;
        Lock::take(&self.project().lock(service.name), service.name).await
    }

    fn service(&self, name: &str) -> Result<Service, Error> {
        let driver = self.0.registry.driver(name, &self.0.settings)?;
        Ok(Service::of(driver))
    }

    fn services(&self) -> Result<Vec<Service>, Error> {
        let drivers = self.0.registry.drivers(&self.0.settings)?;
        Ok(drivers.into_iter().map(Service::of).collect())
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Running>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    fn of(driver: Arc<dyn ServiceDriver>) -> Self {
        let name = driver.about().name;
        Self { name, driver }
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager")
            .field("project", &self.0.project)
            .finish_non_exhaustive()
    }
}
