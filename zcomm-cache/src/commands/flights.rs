//! The loads that are under way, so that the same request does not run twice at once. Runs none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Shared;
use http::{HeaderMap, StatusCode};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use zcomm_core::data::Stamp;
use zcomm_core::{CacheKey, Error};

use super::server::Before;
use crate::store::Epoch;

/// The most loads that are shared at once. Beyond it, each caller works out its own.
const MOST: usize = 4096;

/// What those get who wait for the load of somebody else.
#[derive(Clone, Debug)]
pub(super) enum Landed {
    /// The same answer.
    Answer(Arc<Fresh>),
    /// The same failure.
    Failed(Arc<Error>),
    /// It cannot be shared: each has to ask by itself.
    Alone,
}

/// An answer as it was worked out.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Waits for the load of somebody else.
pub(super) type Waiting = Shared<oneshot::Receiver<Landed>>;

/// Whether a request leads a load, or waits for one.
pub(super) enum Boarding {
    Leads(Seat),
    Joins(Waiting),
    /// There is no sharing now.
    Alone,
}

/// The place of a load among those under way.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) key: Arc<CacheKey>,
    pub(super) number: u64,
    pub(super) landing: oneshot::Sender<Landed>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    stamp: Option<Stamp>,
    epoch: Epoch,
    waiting: Waiting,
    task: Option<AbortHandle>,
}

/// Every load of a server that is under way. They end with it.
#[derive(Debug, Default)]
pub(super) struct Flights {
    flights: Mutex<HashMap<Arc<CacheKey>, Flight>>,
    next: AtomicU64,
}

impl Flights {
    /// Joins the load of this key that is under way, if its answer will be one for who asks now; else begins one.
    ///
    /// A load that began before a write may give what was so before: who asks after the write was answered does not wait
    /// for it.
    pub(super) fn board(&self, key: CacheKey, before: &Before) -> Boarding {
        if !before.stamp.as_ref().is_none_or(Stamp::is_current) {
            return Boarding::Alone;
        }
        let mut flights = self.lock();
        if let Some(flight) = flights.get(&key)
            && flight.epoch == before.epoch
            && flight.stamp.as_ref().is_none_or(Stamp::is_current)
        {
            return Boarding::Joins(flight.waiting.clone());
        }
        if flights.len() >= MOST {
            return Boarding::Alone;
        }
        let (landing, waiting) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let key = Arc::new(key);
        let flight = Flight {
            number,
            stamp: before.stamp.clone(),
            epoch: before.epoch,
            waiting: waiting.shared(),
            task: None,
        };
        flights.insert(Arc::clone(&key), flight);
        Boarding::Leads(Seat {
            key,
            number,
            landing,
        })
    }

    /// Makes the server the owner of the task that a load became.
    pub(super) fn own(&self, key: &CacheKey, number: u64, task: AbortHandle) {
        if let Some(flight) = self.lock().get_mut(key)
            && flight.number == number
        {
            flight.task = Some(task);
        }
    }

    /// Takes a load out that has ended.
    pub(super) fn leave(&self, key: &CacheKey, number: u64) {
        let mut flights = self.lock();
        if flights
            .get(key)
            .is_some_and(|flight| flight.number == number)
        {
            flights.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<CacheKey>, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flights {
    fn drop(&mut self) {
        for flight in self.lock().values() {
            if let Some(task) = &flight.task {
                task.abort();
            }
        }
    }
}
