//! The way of one start: find what this project started, adopt what runs, or launch. Holds the lock throughout.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use zcomm_core::net::{PortState, check_port, port_holder};
use zcomm_core::service::{Endpoint, Login, Probe, ProcessRecipe, ServiceState, StartPlan};

use crate::agreement::{data_agrees, record_agrees, version_agrees};
use crate::manager::{Manager, Service, report};
use crate::plan::free_port;
use crate::process::{self, Duty, Guard, Launch, ProcessId, Running, Unprivileged, last_lines};
use crate::record::Record;
use crate::{Error, Source, StartOptions, Status};
use crate::{folders, password};

/// How long a server may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The pause between the first two probes; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// How long a guard may take to do its duty, beyond what the service itself may.
const GUARD_WITHIN: Duration = Duration::from_secs(15);
/// How often a port that was free is looked for anew, because somebody else took it first.
const PORT_ATTEMPTS: usize = 3;
/// As many lines of a log as an error shows.
const LINES: usize = 12;

impl Manager {
    pub(crate) async fn start_locked(
        &self,
        service: &Service,
        options: &StartOptions,
    ) -> Result<Status, Error> {
        if let Some(record) = self.settle(service).await? {
            return self.join(service, record, options).await;
        }
        match options.source {
            None => match self.adopt(service, options).await? {
                Some(status) => Ok(status),
                None => self.launch_anew(service, options).await,
            },
            Some(Source::Adopted) => {
                let adopted = self.adopt(service, options).await?;
                adopted.ok_or_else(|| {
                    nothing_to_adopt(service, &self.configured(service).endpoint(options))
                })
            }
            Some(Source::Process) => self.launch_anew(service, options).await,
            Some(asked) => Err(Error::NoSource {
                service: service.name,
                asked,
            }),
        }
    }

    /// The record of what this project started and what is still there; what is gone is swept.
    async fn settle(&self, service: &Service) -> Result<Option<Record>, Error> {
        let Some(record) = self.record(service)? else {
            return Ok(None);
        };
        if record.is_orphan() && record.is_guarded() {
            // Its program is gone, and the guard is about to stop it: it must not be taken for a living one.
            if let Some(guard) = &record.guard {
                process::gone(guard, GUARD_WITHIN).await;
            }
        }
        if record.is_alive() {
            return Ok(Some(record));
        }
        tracing::debug!(service = service.name, "swept what an earlier start left");
        self.sweep(service, &record).await?;
        Ok(None)
    }

    /// Takes the one that this project has running.
    async fn join(
        &self,
        service: &Service,
        mut record: Record,
        options: &StartOptions,
    ) -> Result<Status, Error> {
        record_agrees(service.name, &record, options)?;
        let endpoint = record.endpoint();
        let probe = self.until_ready(service, &record.plan()).await?;
        version_agrees(service.name, &probe, options.version.as_deref())?;
        if options.detach && !record.detached {
            self.detach(service, &mut record).await?;
        } else if record.is_orphan() {
            self.take_over(service, &mut record)?;
        }
        Ok(report(service, &endpoint, &probe, Some(&record)))
    }

    /// Lets a server outlive this program, with which it was to end.
    async fn detach(&self, service: &Service, record: &mut Record) -> Result<(), Error> {
        record.detached = true;
        record.owner = None;
        record.guard = None;
        record.save(&self.project().record(service.name))?;
        self.release(service).await;
        Ok(())
    }

    /// Makes a server whose program is gone, guard and all, end with this one.
    fn take_over(&self, service: &Service, record: &mut Record) -> Result<(), Error> {
        let recipe = service.driver.recipes(&record.plan()).process;
        let (Some(process), Some(recipe)) = (&record.process, recipe) else {
            return Ok(());
        };
        let pid = process.pid;
        tracing::info!(
            service = service.name,
            pid,
            "taken over from a program that is gone"
        );
        let duty = Duty::of(
            process,
            &recipe,
            record.throw_away.then_some(&*record.folder),
        );
        let guard = Guard::post(&duty).map_err(Error::io("run", Path::new("/bin/sh")))?;
        let file = self.project().record(service.name);
        record.owner = ProcessId::own();
        record.guard = Some(guard.id().clone());
        record.save(&file)?;
        self.keep(service, Running::taken_over(guard, file));
        Ok(())
    }

    /// Takes one that somebody else has running, if it is what was asked for.
    async fn adopt(
        &self,
        service: &Service,
        options: &StartOptions,
    ) -> Result<Option<Status>, Error> {
        let endpoint = self.configured(service).endpoint(options);
        let mut probe = self.probe(service, &endpoint).await;
        if probe.state == ServiceState::Stopped {
            return Ok(None);
        }
        if probe.state == ServiceState::Starting {
            let folder = self.project().record(service.name);
            probe = self
                .until_ready(service, &StartPlan::new(endpoint.clone(), folder))
                .await?;
        }
        // Data that may be thrown away must not go to a server whose data somebody else needs.
        if !probe.is_open() || options.throw_away {
            return Err(taken(service, endpoint.port, probe.detail));
        }
        version_agrees(service.name, &probe, options.version.as_deref())?;
        data_agrees(service.name, &probe, options)?;
        tracing::info!(service = service.name, %endpoint, "adopted");
        Ok(Some(report(service, &endpoint, &probe, None)))
    }

    async fn launch_anew(
        &self,
        service: &Service,
        options: &StartOptions,
    ) -> Result<Status, Error> {
        let mut attempts = 1;
        loop {
            let plan = self.plan(service, options)?;
            let launched = self.launch(service, &plan, options.detach).await;
            let any_port = self.configured(service).endpoint(options).port == 0;
            let lost = matches!(launched, Err(Error::Ended { .. }))
                && any_port
                && !is_free(plan.endpoint.port);
            if lost && attempts < PORT_ATTEMPTS {
                attempts += 1;
                continue;
            }
            return launched;
        }
    }

    /// Settles port, folders and password.
    fn plan(&self, service: &Service, options: &StartOptions) -> Result<StartPlan, Error> {
        let configured = self.configured(service);
        let mut endpoint = configured.endpoint(options);
        if endpoint.port == 0 {
            endpoint.port = free_port()?;
        } else if !is_free(endpoint.port) {
            return Err(taken(service, endpoint.port, None));
        }
        let account = account(service, &StartPlan::new(endpoint.clone(), "/"));
        let throw_away = options.discards();
        let folder = if throw_away {
            folders::throw_away(service.name)?
        } else {
            self.project().home(service.name, account.as_ref())?
        };
        if configured.about.login != Login::Open && endpoint.password.is_none() {
            let known = folders::known_password(&folder);
            endpoint.password = Some(known.map_or_else(password::generate, Ok)?);
        }
        let mut plan = StartPlan::new(endpoint, folder);
        plan.persistent = !throw_away;
        let data_dir = options.data_dir.clone().or_else(|| configured.data_dir());
        if let Some(data_dir) = data_dir.filter(|_| !throw_away) {
            // The server runs in another folder than we do.
            plan.data_dir = std::path::absolute(&data_dir).map_err(Error::io("find", &data_dir))?;
        }
        plan.version.clone_from(&options.version);
        plan.extra_args.clone_from(&options.extra_args);
        Ok(plan)
    }

    /// Starts the planned server and waits until it answers; whatever fails leaves nothing behind.
    pub(crate) async fn launch(
        &self,
        service: &Service,
        plan: &StartPlan,
        detached: bool,
    ) -> Result<Status, Error> {
        let start = Instant::now();
        let launched = self.run(service, plan, detached).await;
        let probe = match launched {
            Ok(probe) => probe,
            Err(error) => {
                self.undo(service, plan).await;
                return Err(error);
            }
        };
        let record = self.record(service)?;
        let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(service = service.name, endpoint = %plan.endpoint, elapsed_ms, "started");
        Ok(report(service, &plan.endpoint, &probe, record.as_ref()))
    }

    async fn run(
        &self,
        service: &Service,
        plan: &StartPlan,
        detached: bool,
    ) -> Result<Probe, Error> {
        let recipe = recipe(service, plan)?;
        let launch = Launch {
            about: service.driver.about(),
            plan,
            recipe: &recipe,
            account: Unprivileged::for_child(&recipe.account),
            record: self.project().record(service.name),
            detached,
        };
        let mut running = launch.go().await?;
        let pid = running.pid();
        let probe = tokio::select! {
            status = running.wait() => Err(launch.ended(&status)),
            probe = self.until_it_is(service, plan, pid) => probe,
        };
        // One that failed is ended by `undo`, which reads its record.
        self.keep(service, running);
        let probe = probe?;
        version_agrees(service.name, &probe, plan.version.as_deref())?;
        Ok(probe)
    }

    async fn undo(&self, service: &Service, plan: &StartPlan) {
        let undone = match self.record(service) {
            Ok(Some(record)) => match self.end(service, &record).await {
                Ok(()) => self.sweep(service, &record).await,
                failed => failed,
            },
            // It failed before the record was written: the folder may be there.
            Ok(None) if !plan.persistent => folders::discard(&plan.folder),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = undone {
            tracing::warn!(service = service.name, %error, "a failed start left something behind");
        }
    }

    async fn until_ready(&self, service: &Service, plan: &StartPlan) -> Result<Probe, Error> {
        self.until_it_is(service, plan, None).await
    }

    /// Waits until the service answers, and is the process that was started, where it says which one it is.
    async fn until_it_is(
        &self,
        service: &Service,
        plan: &StartPlan,
        pid: Option<u32>,
    ) -> Result<Probe, Error> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let probe = self.probe(service, &plan.endpoint).await;
            let says = probe.identity.as_ref().and_then(|identity| identity.pid);
            let other = matches!((pid, says), (Some(ours), Some(its)) if ours != its);
            if probe.is_open() && !other {
                return Ok(probe);
            }
            if start.elapsed() >= READY_WITHIN {
                return Err(Error::NotReady {
                    service: service.name,
                    waited: READY_WITHIN,
                    state: probe.state,
                    log: last_lines(&folders::log(&plan.folder), LINES),
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn recipe(service: &Service, plan: &StartPlan) -> Result<ProcessRecipe, Error> {
    let recipe = service.driver.recipes(plan).process;
    recipe.ok_or(Error::NoSource {
        service: service.name,
        asked: Source::Process,
    })
}

fn account(service: &Service, plan: &StartPlan) -> Option<Unprivileged> {
    let recipe = service.driver.recipes(plan).process?;
    Unprivileged::for_child(&recipe.account)
}

fn is_free(port: u16) -> bool {
    let port = std::num::NonZeroU16::new(port);
    port.is_none_or(|port| check_port(port).is_ok_and(|state| state == PortState::Free))
}

fn taken(service: &Service, port: u16, found: Option<String>) -> Error {
    Error::PortTaken {
        service: service.name,
        port,
        holder: port_holder(port),
        found,
    }
}

fn nothing_to_adopt(service: &Service, endpoint: &Endpoint) -> Error {
    Error::NothingToAdopt {
        service: service.name,
        endpoint: endpoint.to_string(),
    }
}
