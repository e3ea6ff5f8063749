//! What is seen of a service: where it is, what it says, whose it is. Changes nothing.

use zcomm_core::net::port_holder;
use zcomm_core::service::{Endpoint, Os, Probe, ServiceState};

use crate::manager::{Manager, Service};
use crate::record::Record;
use crate::{Error, Source, StartOptions, Status, owner, usage};

impl Manager {
    /// What the instance of a record, or else whoever is where it should be, says now.
    pub(crate) async fn look(&self, service: &Service) -> Result<Status, Error> {
        let (endpoint, record) = self.whereabouts(service).await?;
        let probe = self.probe(service, &endpoint).await;
        Ok(report(service, &endpoint, &probe, record.as_ref()))
    }

    pub(crate) async fn probe(&self, service: &Service, endpoint: &Endpoint) -> Probe {
        if endpoint.port == 0 {
            return Probe::stopped();
        }
        service.driver.probe(endpoint).await
    }

    /// Where a service is, or would be, and the record of it if it lives.
    pub(crate) async fn whereabouts(
        &self,
        service: &Service,
    ) -> Result<(Endpoint, Option<Record>), Error> {
        self.reap(service);
        let record = match self.record(service)? {
            Some(record) if record.is_alive().await => Some(record),
            _ => None,
        };
        let endpoint = record.as_ref().map_or_else(
            || self.configured(service).endpoint(&StartOptions::new()),
            Record::endpoint,
        );
        Ok((endpoint, record))
    }

    /// Of a service that we did not start: a refusal if it runs, else that it is stopped.
    pub(crate) async fn refuse_or_report(&self, service: &Service) -> Result<Status, Error> {
        let status = self.look(service).await?;
        if status.running || status.state == ServiceState::Starting {
            return Err(owner::not_ours(service.name, status.port, status.pid));
        }
        Ok(status)
    }
}

/// Puts together what is known.
pub(crate) fn report(
    service: &Service,
    endpoint: &Endpoint,
    probe: &Probe,
    record: Option<&Record>,
) -> Status {
    let identity = probe.identity.clone().unwrap_or_default();
    let process = record.and_then(|record| Some(record.process.as_ref()?.pid));
    let there = probe.is_running() || probe.state == ServiceState::Starting;
    let info = || service.driver.connection_info(endpoint, probe);
    // A container's processes are numbered in a world of their own, and its port is held by somebody else.
    let contained = record.is_some_and(|record| record.container.is_some());
    let holder = || Some(port_holder(endpoint.port).filter(|_| there)?.pid);
    let pid = process
        .or(identity.pid)
        .or_else(holder)
        .filter(|_| !contained);
    let usage = pid.filter(|_| there).and_then(usage::of);
    let volume = record.and_then(|record| record.container.as_ref()?.volume.as_ref());
    Status {
        name: service.name,
        running: probe.is_running(),
        state: probe.state,
        source: record
            .map(|record| record.source)
            .or(there.then_some(Source::Adopted)),
        version: identity.version,
        port: endpoint.port,
        pid,
        uptime: identity.uptime,
        cpu: usage.map(|usage| usage.cpu),
        memory: usage.map(|usage| usage.memory),
        os: Os::current(),
        data_dir: record
            .map(|record| record.data_dir.clone())
            .or(identity.data_dir)
            .filter(|_| volume.is_none()),
        ours: record.is_some(),
        error: probe.detail.clone(),
        connection_info: probe.is_running().then(info),
    }
}
