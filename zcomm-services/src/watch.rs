//! State changes of a service as a stream. Changes nothing.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;
use zcomm_core::service::ServiceState;

use crate::event::ServiceEvent;
use crate::manager::{Manager, Service};
use crate::{Error, Status};

/// What of a status makes it another one.
type Shape = (ServiceState, u16, Option<u32>, Option<String>);

struct Watch {
    manager: Manager,
    service: Service,
    every: Duration,
    events: Receiver<ServiceEvent>,
    last: Option<Shape>,
}

impl Manager {
    /// The status of a service now, and each time it has changed.
    ///
    /// What this manager does is seen at once; what others do, when it is looked again after `every`. The stream never
    /// ends by itself; it keeps the manager alive.
    ///
    /// # Errors
    ///
    /// If the name is unknown. A record that cannot be read is an item of the stream.
    pub fn watch(
        &self,
        name: &str,
        every: Duration,
    ) -> Result<impl Stream<Item = Result<Status, Error>> + Send + Unpin + use<>, Error> {
        let watch = Watch {
            manager: self.clone(),
            service: self.service(name)?,
            every,
            events: self.listen(),
            last: None,
        };
        let changes = unfold(watch, |mut watch| async {
            let status = watch.next().await;
            Some((status, watch))
        });
        Ok(Box::pin(changes))
    }
}

impl Watch {
    async fn next(&mut self) -> Result<Status, Error> {
        loop {
            let status = self.manager.look(&self.service).await?;
            let shape = shape(&status);
            if self.last.as_ref() != Some(&shape) {
                self.last = Some(shape);
                return Ok(status);
            }
            // An event that was missed is one after which it is looked again.
            let _ = tokio::time::timeout(self.every, self.events.recv()).await;
        }
    }
}

fn shape(status: &Status) -> Shape {
    (status.state, status.port, status.pid, status.error.clone())
}
