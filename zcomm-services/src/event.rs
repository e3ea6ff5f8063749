//! What happens to services while a program runs, for whoever wants to hear of it. Does nothing about any of it.

use std::fmt;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::{self, error::RecvError};

/// As many events as may wait for a listener that is busy; it misses the oldest beyond that.
const WAITING: usize = 256;

/// Something that happened to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceEvent {
    /// The service.
    pub service: &'static str,
    /// What happened to it.
    pub what: Happened,
}

/// What happened to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// It answers.
    Started {
        /// Its process, where that is known.
        pid: Option<u32>,
    },
    /// It was stopped as it was to be.
    Stopped,
    /// It ended or fell silent, or a start of it did not succeed.
    Failed {
        /// How that was noticed.
        why: String,
    },
    /// It will be started again.
    Restarting {
        /// The how manieth time since it last ran steadily.
        attempt: u32,
        /// After how long.
        after: Duration,
    },
    /// It failed too often in a row, and will not be started again.
    GaveUp {
        /// How often it was tried.
        attempts: u32,
    },
}

/// Where events go, and come from.
pub(crate) struct Events(broadcast::Sender<ServiceEvent>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(WAITING).0)
    }

    pub(crate) fn tell(&self, service: &'static str, what: Happened) {
        // Nobody has to listen.
        let _ = self.0.send(ServiceEvent { service, what });
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<ServiceEvent> {
        self.0.subscribe()
    }

    /// The events from now on, until the last handle to the manager is gone.
    pub(crate) fn stream(&self) -> impl Stream<Item = ServiceEvent> + Send + Unpin + use<> {
        Box::pin(unfold(self.listen(), |mut events| async {
            loop {
                match events.recv().await {
                    Ok(event) => return Some((event, events)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        }))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
