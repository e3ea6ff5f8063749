//! Health checks: a service that ends or falls silent is started again, a few times, ever later. Starts none first.

use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;
use zcomm_core::service::StartPlan;

use crate::event::Happened;
use crate::manager::{Inner, Manager, Service};
use crate::process::ProcessId;
use crate::{Error, Source, Supervision};

/// How often it is looked whether the server is there; a look costs some microseconds.
const GLANCE: Duration = Duration::from_millis(100);
/// After as many probes in vain a server that is there counts as failed.
const SILENT_PROBES: u32 = 3;

/// What is remembered of one service from one look to the next.
struct Watchdog {
    service: Service,
    rules: Supervision,
    source: Source,
    plan: StartPlan,
    detached: bool,
    /// The process that was looked at last.
    process: Option<ProcessId>,
    /// Failures since the service last ran steadily.
    failures: u32,
    silent: u32,
    probed: Instant,
    up_since: Instant,
}

/// What a look found.
enum Health {
    Good,
    /// It is not ours any more: somebody stopped it.
    Gone,
    Failed(String),
}

impl Manager {
    /// Looks after a service from now on, in place of whoever did before.
    pub(crate) fn supervise(&self, service: &Service, rules: Supervision) -> Result<(), Error> {
        let Some(record) = self.record(service)? else {
            return Ok(());
        };
        let dog = Watchdog {
            service: service.clone(),
            rules,
            source: record.source,
            plan: record.plan(),
            detached: record.detached,
            process: record.process.clone(),
            failures: 0,
            silent: 0,
            probed: Instant::now(),
            up_since: Instant::now(),
        };
        let task = tokio::spawn(dog.watch(self.downgrade()));
        self.look_after(service, task.abort_handle());
        Ok(())
    }

    /// Starts a failed service again, unless somebody else did, or stopped it.
    async fn revive(&self, dog: &Watchdog, first: bool) -> Result<bool, Error> {
        let service = &dog.service;
        let _lock = self.lock(service).await?;
        match self.record(service)? {
            // A try before this one failed, and left nothing.
            None if !first => {}
            None => return Ok(false),
            Some(record) if record.process == dog.process || !record.is_alive().await => {
                self.end(service, &record).await?;
            }
            Some(_) => return Ok(true),
        }
        self.launch(service, dog.source, (&dog.plan, dog.detached))
            .await?;
        Ok(true)
    }
}

impl Watchdog {
    async fn watch(mut self, manager: Weak<Inner>) {
        loop {
            tokio::time::sleep(GLANCE).await;
            // Held for one look only: the last handle of the program ends the service, and this task with it.
            let Some(manager) = Manager::upgrade(&manager) else {
                return;
            };
            match self.look(&manager).await {
                Health::Good => {}
                Health::Gone => return,
                Health::Failed(why) => {
                    manager.tell(&self.service, Happened::Failed { why });
                    let weak = manager.downgrade();
                    drop(manager);
                    if !self.restart(&weak).await {
                        return;
                    }
                }
            }
        }
    }

    async fn look(&mut self, manager: &Manager) -> Health {
        let Ok(Some(record)) = manager.record(&self.service) else {
            return Health::Gone;
        };
        manager.reap(&self.service);
        self.process.clone_from(&record.process);
        if self.probed.elapsed() < self.rules.every && record.container.is_some() {
            // To ask an engine is a process of its own; that is not done ten times a second.
            return Health::Good;
        }
        if !record.is_alive().await {
            return Health::Failed("it ended".to_owned());
        }
        if self.probed.elapsed() < self.rules.every {
            return Health::Good;
        }
        self.probed = Instant::now();
        let probe = manager.probe(&self.service, &record.endpoint()).await;
        self.silent = if probe.is_running() {
            0
        } else {
            self.silent + 1
        };
        if self.silent >= SILENT_PROBES {
            let said = probe.detail.unwrap_or_else(|| probe.state.to_string());
            return Health::Failed(format!("it does not answer: {said}"));
        }
        if self.up_since.elapsed() >= self.rules.steady {
            self.failures = 0;
        }
        Health::Good
    }

    /// Tries until the service runs again; says whether it does.
    async fn restart(&mut self, manager: &Weak<Inner>) -> bool {
        let mut first = true;
        while self.failures < self.rules.attempts {
            self.failures += 1;
            let after = self.rules.pause(self.failures);
            let attempt = self.failures;
            if let Some(manager) = Manager::upgrade(manager) {
                manager.tell(&self.service, Happened::Restarting { attempt, after });
            }
            tokio::time::sleep(after).await;
            let Some(manager) = Manager::upgrade(manager) else {
                return false;
            };
            match manager.revive(self, first).await {
                Ok(true) => {
                    (self.silent, self.up_since) = (0, Instant::now());
                    self.probed = Instant::now();
                    return true;
                }
                Ok(false) => return false,
                Err(error) => {
                    tracing::warn!(service = self.service.name, %error, "it could not be started again");
                    let why = error.to_string();
                    manager.tell(&self.service, Happened::Failed { why });
                }
            }
            first = false;
        }
        if let Some(manager) = Manager::upgrade(manager) {
            let attempts = self.rules.attempts;
            tracing::error!(
                service = self.service.name,
                attempts,
                "it is not started again"
            );
            manager.tell(&self.service, Happened::GaveUp { attempts });
        }
        false
    }
}
