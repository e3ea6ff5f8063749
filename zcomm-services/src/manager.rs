//! The services of one project, by name: what a program calls. How they are started is `start`'s.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::join_all;
use tokio::sync::broadcast::Receiver;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zcomm_core::service::{ConnectionInfo, ServiceDriver};
use zcomm_core::{Registry, Settings};

use crate::event::{Events, Happened};
use crate::folders::Project;
use crate::lock::Lock;
use crate::needs::{Wish, downwards, upwards};
use crate::plan::Configured;
use crate::process::Running;
use crate::record::Record;
use crate::{Error, ServiceEvent, StartOptions, Status, trust};

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

pub(crate) struct Inner {
    registry: Arc<Registry>,
    settings: Settings,
    project: Project,
    /// The servers that this program started.
    running: Mutex<HashMap<&'static str, Running>>,
    /// The tasks that look after them; they end with the last handle.
    supervisors: Mutex<HashMap<&'static str, AbortHandle>>,
    events: Events,
}

/// A service that was found by name.
#[derive(Clone)]
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
            supervisors: Mutex::default(),
            events: Events::new(),
        }))
    }

    /// Sees to it that a service runs: finds one that this project started, else adopts one that runs, else starts it.
    ///
    /// Those that it needs are seen to first. It returns when the service answers.
    ///
    /// # Errors
    ///
    /// What keeps it from running, at once: a server that ends while it starts is not waited for.
    ///
    /// # Cancel safety
    ///
    /// A start that is dropped stops what it started, unless that is detached: then the next start finds it.
    pub async fn start(&self, name: &str, options: StartOptions) -> Result<Status, Error> {
        let mut statuses = self.start_all([(name, options)]).await?;
        statuses.pop().expect("there is a result for each wish")
    }

    /// Starts several services at once, each after those it needs; the results are in the order of the names.
    ///
    /// # Errors
    ///
    /// If a name is unknown, or services need each other in a circle: then nothing is started at all.
    ///
    /// # Cancel safety
    ///
    /// As of [`start`](Self::start).
    pub async fn start_all<'a>(
        &self,
        wishes: impl IntoIterator<Item = (&'a str, StartOptions)>,
    ) -> Result<Vec<Result<Status, Error>>, Error> {
        let mut all = Vec::new();
        for (name, options) in wishes {
            all.push(Wish::new(self.service(name)?, options));
        }
        let asked_for = all.len();
        self.with_needs(&mut all, StartOptions::of_needed)?;
        let started = upwards(&all, |index| {
            let Wish { service, wish, .. } = &all[index];
            Box::pin(self.start_one(service, wish))
        });
        let mut results = started.await;
        // Those that were needed and not asked for are there, or have failed one that was.
        results.truncate(asked_for);
        Ok(results)
    }

    /// Stops several services at once, each after those that need it; the results are in the order of the names.
    ///
    /// # Errors
    ///
    /// If a name is unknown: then nothing is stopped at all.
    ///
    /// # Cancel safety
    ///
    /// As of [`stop`](Self::stop).
    pub async fn stop_all<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Result<Status, Error>>, Error> {
        let mut all = Vec::new();
        for name in names {
            all.push(Wish::new(self.service(name)?, ()));
        }
        self.among(&mut all)?;
        Ok(downwards(&all, |index| Box::pin(self.stop_one(&all[index].service))).await)
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
        self.stop_one(&self.service(name)?).await
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
            Some(record) if record.is_alive().await => {
                self.end(&service, &record).await?;
                self.launch(&service, record.source, (&record.plan(), record.detached))
                    .await
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
        let (endpoint, _) = self.whereabouts(&service).await?;
        let probe = self.probe(&service, &endpoint).await;
        Ok(service.driver.connection_info(&endpoint, &probe))
    }

    /// What happens to services by way of this manager, from now on until its last handle is gone.
    ///
    /// A listener that falls far behind misses the oldest events.
    pub fn events(&self) -> impl Stream<Item = ServiceEvent> + Send + Unpin + use<> {
        self.0.events.stream()
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

    /// The record of what this project started; one that is another project's counts as none.
    pub(crate) fn record(&self, service: &Service) -> Result<Option<Record>, Error> {
        let record = Record::load(&self.project().record(service.name))?;
        Ok(record.filter(|record| trust::is_own(record, self.project(), &*service.driver)))
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

    /// Everything that happens to services by way of this manager, from now until its last handle is gone.
    pub(crate) fn listen(&self) -> Receiver<ServiceEvent> {
        self.0.events.listen()
    }

    pub(crate) fn tell(&self, service: &Service, what: Happened) {
        self.0.events.tell(service.name, what);
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(weak: &Weak<Inner>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    /// Keeps the task that looks after a service, and ends the one that did before.
    pub(crate) fn look_after(&self, service: &Service, task: AbortHandle) {
        let before = held(&self.0.supervisors).insert(service.name, task);
        if let Some(before) = before {
            before.abort();
        }
    }

    /// Looks after a service no more.
    pub(crate) fn look_away(&self, service: &Service) {
        let task = held(&self.0.supervisors).remove(service.name);
        if let Some(task) = task {
            task.abort();
        }
    }

    pub(crate) async fn lock(&self, service: &Service) -> Result<Lock, Error> {
        self.project().prepare()?;
        Lock::take(&self.project().lock(service.name), service.name).await
    }

    pub(crate) fn service(&self, name: &str) -> Result<Service, Error> {
        let driver = self.0.registry.driver(name, &self.0.settings)?;
        Ok(Service::of(driver))
    }

    fn services(&self) -> Result<Vec<Service>, Error> {
        let drivers = self.0.registry.drivers(&self.0.settings)?;
        Ok(drivers.into_iter().map(Service::of).collect())
    }

    fn table(&self) -> MutexGuard<'_, HashMap<&'static str, Running>> {
        held(&self.0.running)
    }
}

fn held<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Inner {
    fn drop(&mut self) {
        let tasks = self.supervisors.get_mut();
        let tasks = tasks.unwrap_or_else(PoisonError::into_inner);
        tasks.values().for_each(AbortHandle::abort);
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
