//! One launch: plans it, runs it, waits until the server answers, undoes it if it fails. Knows no running server.

use std::time::Duration;

use tokio::time::Instant;
use zcomm_core::net::{PortState, check_port};
use zcomm_core::service::{Login, Probe, ProcessRecipe, StartPlan};

use crate::agreement::version_agrees;
use crate::look::report;
use crate::manager::{Manager, Service};
use crate::plan::free_port;
use crate::process::{Launch, Unprivileged, last_lines};
use crate::start::taken;
use crate::{Error, Source, StartOptions, Status, folders, password};

/// How long a server may take until it answers.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(60);
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
        let throw_away = options.discards();
        // The account says which folders will do; it does not depend on them.
        let mut plan = StartPlan::new(endpoint, "/");
        plan.persistent = !throw_away;
        plan.version.clone_from(&options.version);
        plan.extra_args.clone_from(&options.extra_args);
        let account = account(service, &plan);
        plan.folder = if throw_away {
            folders::throw_away(service.name)?
        } else {
            self.project().home(service.name, account.as_ref())?
        };
        plan.data_dir = plan.folder.join("data");
        if configured.about.login != Login::Open && plan.endpoint.password.is_none() {
            let known = folders::known_password(&plan.folder);
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

    /// Waits until whoever is there answers, and lets us in.
    pub(crate) async fn until_ready(
        &self,
        service: &Service,
        plan: &StartPlan,
    ) -> Result<Probe, Error> {
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
