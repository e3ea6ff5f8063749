//! Threads that own a connection each and work on what they are given. They end with whoever owns them.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zcomm_core::data::DataError;

use crate::error::Error;
use crate::seat::Seat;
use crate::session::Session;

/// How much longer than its deadline a command is waited for: a disk may be slow to say that nothing was written.
const GRACE: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce(Result<&Session, Error>) + Send>;

/// Some threads, and the queue before them.
pub(crate) struct Workers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    ready: Condvar,
    most: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Workers {
    /// A thread for each of these connections.
    pub(crate) fn start(name: &str, seats: Vec<Seat>, most: usize) -> Result<Self, Error> {
        let mut workers = Self {
            queue: Arc::new(Queue {
                waiting: Mutex::default(),
                ready: Condvar::new(),
                most,
            }),
            threads: Vec::with_capacity(seats.len()),
        };
        for mut seat in seats {
            let queue = Arc::clone(&workers.queue);
            let thread = std::thread::Builder::new().name(format!("zcomm-sqlite-{name}"));
            let thread = thread.spawn(move || {
                while let Some(job) = queue.take() {
                    // A command that panics has ended; the next one is not its fault, and begins as if it had not been.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(seat.session())));
                    seat.settle();
                }
            });
            workers
                .threads
                .push(thread.map_err(|source| Error::Thread { source })?);
        }
        Ok(workers)
    }

    /// Has a thread work on something, and waits for what comes of it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: work that nobody waits for is not begun, or is interrupted.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Session) -> Result<T, DataError> + Send + 'static,
    ) -> Result<T, DataError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Abandon(Arc::default());
        let abandoned = Arc::clone(&waiting.0);
        let deadline = Instant::now() + limit;
        self.queue.put(Box::new(move |session| {
            if abandoned.load(Ordering::Relaxed) {
                return;
            }
            let worked = match Instant::now() < deadline {
                false => Err(overdue(limit)),
                true => session
                    .and_then(|session| session.begin(deadline, abandoned).map(|()| session))
                    .map_err(|error| error.into_data(None, limit))
                    .and_then(work),
            };
            // Whoever asked may have gone in the meantime.
            let _ = answer.send(worked);
        }))?;
        match tokio::time::timeout(limit + GRACE, answered).await {
            Ok(Ok(worked)) => worked,
            Ok(Err(_)) => Err(Error::Lost.into_data(None, limit)),
            Err(_) => Err(DataError::Timeout { limit }),
        }
    }
}

/// Nothing was begun, so nothing was written.
fn overdue(limit: Duration) -> DataError {
    DataError::Unavailable {
        store: "sqlite",
        rolled_back: true,
        source: format!("no connection was free within {} ms", limit.as_millis()).into(),
    }
}

/// Says that nobody waits any more, once it is dropped.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Queue {
    fn put(&self, job: Job) -> Result<(), DataError> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.most {
            let full = Error::QueueFull { waiting: self.most };
            return Err(full.into_data(None, Duration::ZERO));
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.ready.notify_one();
        Ok(())
    }

    /// The next job; none once it is closed and empty.
    fn take(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self
                .ready
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Workers {
    /// Waits for the threads: whoever waited for an answer is gone by now, so what they do is interrupted.
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.ready.notify_all();
        for thread in self.threads.drain(..) {
            // Jobs cannot panic it, and its end is all that is wanted.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads", &self.threads.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn a_command_that_panics_within_a_transaction_leaves_none_to_the_next() {
        const LIMIT: Duration = Duration::from_secs(5);
        let seat = Seat::open(&Config::memory(), Session::writer).unwrap();
        let workers = Workers::start("test", vec![seat], 2).unwrap();
        let begin = |session: &Session| session.connection().execute_batch("BEGIN IMMEDIATE");

        let lost = workers.run(LIMIT, move |session| -> Result<(), DataError> {
            begin(session).unwrap();
            panic!("a command that panics");
        });
        let lost = lost.await.unwrap_err();
        let begun = workers.run(LIMIT, move |session| Ok(begin(session))).await;

        assert!(!lost.is_rolled_back(), "{lost:?}");
        assert_eq!(begun.unwrap(), Ok(()));
    }
}
