//! The way of one start: find what this project started, adopt what runs, or launch. Holds the lock throughout.

use std::path::Path;
use std::time::Duration;

use zcomm_core::net::port_holder;
use zcomm_core::service::{Endpoint, Probe, ServiceState, StartPlan};

use crate::agreement::{data_agrees, record_agrees, version_agrees};
use crate::launch::{LINES, READY_WITHIN};
use crate::look::report;
use crate::manager::{Manager, Service};
use crate::process::{self, Duty, Guard, ProcessId, Running, last_lines};
use crate::record::Record;
use crate::{Error, Source, StartOptions, Status, folders};

/// How long a guard may take to do its duty, beyond what the service itself may.
const GUARD_WITHIN: Duration = Duration::from_secs(15);

impl Manager {
    pub(crate) async fn start_one(
        &self,
        service: &Service,
        options: &StartOptions,
    ) -> Result<Status, Error> {
        let _lock = self.lock(service).await?;
        let status = self.start_locked(service, options).await?;
        if let Some(rules) = options.supervise.filter(|_| status.ours) {
            self.supervise(service, rules)?;
        }
        Ok(status)
    }

    async fn start_locked(
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
                None => self.launch_somehow(service, options).await,
            },
            Some(Source::Adopted) => {
                let adopted = self.adopt(service, options).await?;
                adopted.ok_or_else(|| {
                    nothing_to_adopt(service, &self.configured(service).endpoint(options))
                })
            }
            Some(asked) => self.launch_anew(service, asked, options).await,
        }
    }

    /// As a process; where there is no program for that, as a container, else as what the operating system has.
    async fn launch_somehow(
        &self,
        service: &Service,
        options: &StartOptions,
    ) -> Result<Status, Error> {
        let first = self.launch_anew(service, Source::Process, options).await;
        let Err(missing @ (Error::NotInstalled { .. } | Error::NoSource { .. })) = first else {
            return first;
        };
        for source in [Source::Container, Source::System] {
            match self.launch_anew(service, source, options).await {
                Err(Error::NoSource { .. } | Error::NoEngine { .. }) => {}
                other => return other,
            }
        }
        Err(missing)
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
        if record.is_alive().await {
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
        let probe = self.until_joined(service, &record).await?;
        version_agrees(service.name, &probe, options.version.as_deref())?;
        if options.detach && !record.detached {
            self.detach(service, &mut record).await?;
        } else if record.is_orphan() {
            self.take_over(service, &mut record)?;
        }
        Ok(report(service, &endpoint, &probe, Some(&record)))
    }

    /// Waits until a server that is there answers, or is not there any more.
    async fn until_joined(&self, service: &Service, record: &Record) -> Result<Probe, Error> {
        let plan = record.plan();
        let gone = async {
            match (&record.process, &record.container) {
                // Longer than `until_ready` takes, which then says why.
                (Some(process), _) => drop(process::gone(process, READY_WITHIN * 2).await),
                (None, Some(container)) => drop(container.wait().await),
                (None, None) => std::future::pending().await,
            }
        };
        tokio::select! {
            probe = self.until_ready(service, &plan) => probe,
            () = gone => Err(Error::Ended {
                service: service.name,
                status: "while it was waited for".to_owned(),
                log: last_lines(&folders::log(&plan.folder), LINES),
            }),
        }
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
        let throw_away = record.throw_away.then_some(&*record.folder);
        let duty = match (&record.process, &record.container, &recipe) {
            (Some(process), _, Some(recipe)) => Duty::of(process, recipe, throw_away),
            (None, Some(container), _) => Duty::of_container(container, throw_away),
            _ => return Ok(()),
        };
        tracing::info!(
            service = service.name,
            "taken over from a program that is gone"
        );
        let guard = Guard::post(&duty).map_err(Error::io("run", Path::new("/bin/sh")))?;
        let file = self.project().record(service.name);
        record.owner = ProcessId::own();
        record.guard = Some(guard.id().clone());
        record.save(&file)?;
        self.keep(service, Running::elsewhere(Some(guard), file));
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
}

pub(crate) fn taken(service: &Service, port: u16, found: Option<String>) -> Error {
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
