//! One launch: plans it, runs it, waits until the server answers, undoes it if it fails. Knows no running server.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use zcomm_core::net::{PortState, check_port};
use zcomm_core::service::{Login, Os, Probe, ProcessRecipe, StartPlan};

use crate::agreement::version_agrees;
use crate::container::{Container, Engine};
use crate::event::Happened;
use crate::look::report;
use crate::manager::{Manager, Service};
use crate::plan::free_port;
use crate::process::{Duty, Guard, Launch, Running, Unprivileged, last_lines};
use crate::record::Record;
use crate::start::taken;
use crate::system::{Shell, Unit};
use crate::{Error, Source, StartOptions, Status, folders, password, process};

/// How long a server may take until it answers: a container on a busy machine takes most of it.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(120);
/// The pause between the first two probes; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// How often a port that was free is looked for anew, because somebody else took it first.
const PORT_ATTEMPTS: usize = 3;
/// As many lines of a log as an error shows.
pub(crate) const LINES: usize = 12;

impl Manager {
    /// Launches what the caller wishes, at another port if somebody else was faster to one that was free.
    pub(crate) async fn launch_anew(
        &self,
        service: &Service,
        source: Source,
        options: &StartOptions,
    ) -> Result<Status, Error> {
        let mut attempts = 1;
        loop {
            let plan = self.plan(service, options)?;
            let launched = self.launch(service, source, (&plan, options.detach)).await;
            let any_port = self.configured(service).endpoint(options).port == 0;
            let lost = matches!(launched, Err(Error::Ended { .. } | Error::Command { .. }))
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
        let throw_away = options.discards();
        // The account says which folders will do; it does not depend on them.
        let mut plan = StartPlan::new(endpoint, "/");
        plan.persistent = !throw_away;
        plan.version.clone_from(&options.version);
        plan.extra_args.clone_from(&options.extra_args);
        plan.image = options.image.clone().or_else(|| configured.image());
        let account = account(service, &plan);
        plan.folder = if throw_away {
            folders::throw_away(service.name)?
        } else {
            self.project().home(service.name, account.as_ref())?
        };
        plan.data_dir = plan.folder.join("data");
        if configured.about.login != Login::Open && plan.endpoint.password.is_none() {
            let known = folders::kept_password(&plan.folder)?;
            plan.endpoint.password = Some(known.map_or_else(password::generate, Ok)?);
        }
        let data_dir = options.data_dir.clone().or_else(|| configured.data_dir());
        if let Some(data_dir) = data_dir.filter(|_| !throw_away) {
            // The server runs in another folder than we do.
            plan.data_dir = std::path::absolute(&data_dir).map_err(Error::io("find", &data_dir))?;
        }
        Ok(plan)
    }

    /// Starts the planned server and waits until it answers; whatever fails leaves nothing behind.
    pub(crate) async fn launch(
        &self,
        service: &Service,
        source: Source,
        (plan, detached): (&StartPlan, bool),
    ) -> Result<Status, Error> {
        let start = Instant::now();
        let launched = match source {
            Source::Container => self.run_container(service, plan, detached).await,
            Source::System => self.run_unit(service, plan).await,
            _ => self.run(service, plan, detached).await,
        };
        let kept = launched.and_then(|probe| {
            match &plan.endpoint.password {
                // It has let us in with the new one.
                Some(password) if folders::is_other_password(plan) => {
                    folders::keep_password(&plan.folder, password)?;
                }
                _ => {}
            }
            Ok(probe)
        });
        let probe = match kept {
            Ok(probe) => probe,
            Err(error) => {
                self.undo(service, plan).await;
                return Err(error);
            }
        };
        let record = self.record(service)?;
        let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(service = service.name, endpoint = %plan.endpoint, elapsed_ms, "started");
        let status = report(service, &plan.endpoint, &probe, record.as_ref());
        self.tell(service, Happened::Started { pid: status.pid });
        Ok(status)
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
            project: self.project().root(),
            record: self.project().record(service.name),
            detached,
        };
        let mut running = launch.go().await?;
        let pid = running.pid();
        let probe = tokio::select! {
            status = running.wait() => Err(launch.ended(&status)),
            probe = self.until_prepared(service, plan, pid) => probe,
        };
        // One that failed is ended by `undo`, which reads its record.
        self.keep(service, running);
        let probe = probe?;
        version_agrees(service.name, &probe, plan.version.as_deref())?;
        Ok(probe)
    }

    async fn run_container(
        &self,
        service: &Service,
        plan: &StartPlan,
        detached: bool,
    ) -> Result<Probe, Error> {
        let recipe = service.driver.recipes(plan).container;
        let recipe = recipe.ok_or(no_source(service, Source::Container))?;
        let project = self.project().root();
        let engine = Engine::find(service.name).await?;
        let container = Container::named(engine, service.name, project, plan);
        let file = self.project().record(service.name);
        let mut record = Record::of(project, Source::Container, plan, detached);
        record.container = Some(container.clone());
        record.save(&file)?;
        prepare_folder(plan, &container, project)?;
        container
            .create(service.name, project, (plan, &recipe))
            .await?;
        let guard = if detached {
            None
        } else {
            let throw_away = (!plan.persistent).then_some(&*plan.folder);
            let duty = Duty::of_container(&container, throw_away);
            Some(Guard::post(&duty).map_err(Error::io("run", Path::new("/bin/sh")))?)
        };
        record.guard = guard.as_ref().map(|guard| guard.id().clone());
        record.save(&file)?;
        self.keep(service, Running::elsewhere(guard, file));
        container.start().await?;
        let probe = tokio::select! {
            status = container.wait() => Err(Error::Ended {
                service: service.name,
                status,
                log: container.last_lines(LINES).await,
            }),
            // Its processes have other numbers inside than outside.
            probe = self.until_prepared(service, plan, None) => probe,
        };
        let probe = match probe {
            Err(Error::NotReady {
                service,
                waited,
                state,
                ..
            }) => Err(Error::NotReady {
                service,
                waited,
                state,
                // It is with the engine, and not in a file of ours.
                log: container.last_lines(LINES).await,
            }),
            other => other,
        }?;
        version_agrees(service.name, &probe, plan.version.as_deref())?;
        Ok(probe)
    }

    /// Has the operating system start it. What the system manages does not end with a program.
    async fn run_unit(&self, service: &Service, plan: &StartPlan) -> Result<Probe, Error> {
        let units = service.driver.recipes(plan).system;
        let units = units.ok_or(no_source(service, Source::System))?;
        let unit = Unit::find(&units, Os::current(), &Shell).await;
        let unit = unit.ok_or(no_source(service, Source::System))?;
        if !plan.persistent {
            return Err(Error::Mismatch {
                service: service.name,
                what: "data that is",
                wanted: "thrown away".to_owned(),
                found: "kept".to_owned(),
            });
        }
        let file = self.project().record(service.name);
        // By a record of an earlier start, one that runs now for somebody else would be stopped.
        Record::remove(&file)?;
        unit.must_be_idle(service.name, &Shell).await?;
        let mut record = Record::of(self.project().root(), Source::System, plan, true);
        record.unit = Some(unit.clone());
        record.save(&file)?;
        unit.start(&Shell).await?;
        let probe = self.until_ready(service, plan).await?;
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

    /// Waits until whoever is there answers, and lets us in.
    pub(crate) async fn until_ready(
        &self,
        service: &Service,
        plan: &StartPlan,
    ) -> Result<Probe, Error> {
        let usable = Probe::is_open;
        self.until(service, (plan, None), usable).await
    }

    /// Waits until the server that was started answers, has it prepared where it lets nobody in yet, and waits again.
    async fn until_prepared(
        &self,
        service: &Service,
        plan: &StartPlan,
        pid: Option<u32>,
    ) -> Result<Probe, Error> {
        let is_it = |probe: &Probe| {
            let says = probe.identity.as_ref().and_then(|identity| identity.pid);
            probe.is_running() && !matches!((pid, says), (Some(ours), Some(its)) if ours != its)
        };
        let probe = self.until(service, (plan, pid), is_it).await?;
        if probe.is_open() {
            return Ok(probe);
        }
        if folders::is_other_password(plan) {
            return Err(Error::PasswordDiffers {
                service: service.name,
                file: folders::password_file(&plan.folder),
            });
        }
        let prepared = tokio::time::timeout(READY_WITHIN, service.driver.prepare(plan));
        // Whether one that took too long is ready is for the next probes to say.
        if let Ok(Err(source)) = prepared.await {
            let service = service.name;
            return Err(Error::Prepare { service, source });
        }
        self.until(service, (plan, pid), |probe| {
            is_it(probe) && probe.is_open()
        })
        .await
    }

    async fn until(
        &self,
        service: &Service,
        (plan, pid): (&StartPlan, Option<u32>),
        is_so: impl Fn(&Probe) -> bool,
    ) -> Result<Probe, Error> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            // A probe may hold the password: it is not for one that was faster to the port.
            let is_ours = pid.is_none_or(|pid| process::may_be(pid, plan.endpoint.port));
            let probe = if is_ours {
                self.probe(service, &plan.endpoint).await
            } else {
                Probe::unknown("somebody else listens on its port")
            };
            if is_so(&probe) {
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
    recipe.ok_or(no_source(service, Source::Process))
}

fn no_source(service: &Service, asked: Source) -> Error {
    Error::NoSource {
        service: service.name,
        asked,
    }
}

/// What a container needs on this side: its password, its log once it is gone, the note of its volume.
fn prepare_folder(plan: &StartPlan, container: &Container, project: &Path) -> Result<(), Error> {
    if plan.persistent {
        folders::keep_container(&plan.folder, container, project)?;
        if container.volume.is_none() {
            folders::keep_data_dir(&plan.folder, &plan.data_dir)?;
            folders::own(&plan.data_dir, None)?;
        }
    } else {
        folders::make_throw_away(&plan.folder, None)?;
    }
    folders::keep_first_password(plan)
}

fn account(service: &Service, plan: &StartPlan) -> Option<Unprivileged> {
    let recipe = service.driver.recipes(plan).process?;
    Unprivileged::for_child(&recipe.account)
}

fn is_free(port: u16) -> bool {
    let port = std::num::NonZeroU16::new(port);
    port.is_none_or(|port| check_port(port).is_ok_and(|state| state == PortState::Free))
}
