//! The way of one stop: ends what this project started, by whatever means it was started, and removes what it left.

use zcomm_core::service::ServiceState;

use crate::event::Happened;
use crate::manager::{Manager, Service};
use crate::record::Record;
use crate::system::Shell;
use crate::{Error, Source, Status, folders, owner, process};

/// As many lines of a container's log as outlive it.
const KEPT_LINES: usize = 10_000;

impl Manager {
    pub(crate) async fn stop_one(&self, service: &Service) -> Result<Status, Error> {
        if !self.project().exists() {
            return self.refuse_or_report(service).await;
        }
        let _lock = self.lock(service).await?;
        let Some(record) = self.record(service)? else {
            return self.refuse_or_report(service).await;
        };
        self.stop_recorded(service, &record).await?;
        let status = self.look(service).await?;
        if status.state == ServiceState::Stopped {
            self.tell(service, Happened::Stopped);
        }
        Ok(status)
    }

    /// Ends and sweeps the server of a record, and looks after it no more. The caller holds the lock.
    pub(crate) async fn stop_recorded(
        &self,
        service: &Service,
        record: &Record,
    ) -> Result<(), Error> {
        self.end(service, record).await?;
        // Not before: a stop that is refused leaves everything as it is.
        self.look_away(service);
        self.sweep(service, record).await
    }

    /// Ends the server of a record and sends its guard away; leaves its files.
    pub(crate) async fn end(&self, service: &Service, record: &Record) -> Result<(), Error> {
        if let Some(pid) = record.other_owner()
            && record.is_alive().await
        {
            return Err(owner::of_program(service.name, pid));
        }
        match record.source {
            Source::Container => self.end_container(record).await?,
            Source::System => end_unit(record).await?,
            _ => self.end_process(service, record).await?,
        }
        self.release(service).await;
        tracing::info!(service = service.name, source = %record.source, "stopped");
        Ok(())
    }

    /// Removes what a server that is gone left behind.
    pub(crate) async fn sweep(&self, service: &Service, record: &Record) -> Result<(), Error> {
        self.release(service).await;
        if let Some(container) = &record.container {
            container.remove().await?;
        }
        if record.throw_away {
            folders::discard(&record.folder)?;
        }
        Record::remove(&self.project().record(service.name))
    }

    /// Lets go of a server that this program started; its guard, if there is one, does not act.
    pub(crate) async fn release(&self, service: &Service) {
        // Not in one statement: the table would stay locked until the guard has left.
        let running = self.take(service);
        if let Some(running) = running {
            running.release().await;
        }
    }

    async fn end_process(&self, service: &Service, record: &Record) -> Result<(), Error> {
        let recipe = service.driver.recipes(&record.plan()).process;
        let (Some(process), Some(recipe)) = (&record.process, recipe) else {
            return Ok(());
        };
        process::end(process, recipe.stop, recipe.stop_within, service.name).await
    }

    async fn end_container(&self, record: &Record) -> Result<(), Error> {
        let Some(container) = &record.container else {
            return Ok(());
        };
        container.stop(!record.throw_away).await?;
        if !record.throw_away {
            // The container goes, and its log with it.
            let lines = container.last_lines(KEPT_LINES).await.join("\n");
            folders::secret_file(&folders::log(&record.folder), &(lines + "\n"), None)?;
        }
        container.remove().await
    }
}

async fn end_unit(record: &Record) -> Result<(), Error> {
    match &record.unit {
        Some(unit) if unit.is_active(&Shell).await => unit.stop(&Shell).await,
        _ => Ok(()),
    }
}
