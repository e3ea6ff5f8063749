//! Everything without async: a runtime of its own, and the calls that wait on it.

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "services")]
mod services;

use std::fmt;
use std::future::Future;
use std::sync::OnceLock;

use crate::comm::Comm;
use crate::error::Error;

#[cfg(feature = "http")]
pub use self::http::{Http, Reader, Request, Response};
#[cfg(feature = "services")]
pub use self::services::Services;

/// A [`Comm`] whose calls wait for their results.
///
/// ```
/// use zcomm::Comm;
///
/// let comm = Comm::new()?;
/// let answer = comm.blocking()?.wait(async { 6 * 7 });
/// assert_eq!(answer, 42);
/// # Ok::<(), zcomm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Blocking<'a> {
    comm: &'a Comm,
    runtime: &'a Runtime,
}

impl<'a> Blocking<'a> {
    pub(crate) fn of(comm: &'a Comm, cell: &'a OnceLock<Runtime>) -> Result<Self, Error> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::InsideRuntime);
        }
        if let Some(runtime) = cell.get() {
            return Ok(Self { comm, runtime });
        }
        let made = Runtime::new()?;
        // Two threads may get here at once; one runtime is kept, the other ends unused.
        Ok(Self {
            comm,
            runtime: cell.get_or_init(|| made),
        })
    }

    /// The async side of the same.
    pub fn comm(&self) -> &'a Comm {
        self.comm
    }

    /// Waits for any future.
    ///
    /// # Panics
    ///
    /// Inside an async runtime, to which this value must not be carried: there waiting would block it.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.get().block_on(future)
    }

    /// The HTTP client.
    #[cfg(feature = "http")]
    pub fn http(&self) -> Http<'a> {
        Http::of(*self)
    }

    /// The local services.
    #[cfg(feature = "services")]
    pub fn services(&self) -> Services<'a> {
        Services::of(*self)
    }

    /// Whether a server could listen on this port; as [`Comm::check_port`].
    pub fn check_port(&self, port: u16) -> bool {
        self.comm.check_port(port)
    }
}

/// A runtime that may be dropped anywhere.
pub(crate) struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    fn new() -> Result<Self, Error> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        // One thread for what goes on between calls: pooled connections, watched services.
        let made = builder
            .worker_threads(1)
            .thread_name("zcomm-blocking")
            .enable_all()
            .build();
        made.map(|runtime| Self(Some(runtime)))
            .map_err(|source| Error::Runtime { source })
    }

    fn get(&self) -> &tokio::runtime::Runtime {
        self.0
            .as_ref()
            .expect("the runtime is taken only when it is dropped")
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Waiting for its tasks would panic where the last `Comm` is dropped inside another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}
