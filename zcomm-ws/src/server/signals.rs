//! The signals that ask a program to end. What then happens is the caller's.

use tokio::signal;

use crate::error::Error;

/// Waits for Ctrl-C, and on UNIX for SIGTERM.
///
/// From [`listen`](Self::listen) on these no longer end the process by themselves: whoever listens sees to the end.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
    #[cfg(windows)]
    interrupt: signal::windows::CtrlC,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`] with what the system said.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[cfg(unix)]
    pub fn listen() -> Result<Self, Error> {
        use signal::unix::{SignalKind, signal};

        let listen = |kind| signal(kind).map_err(|source| Error::Signals { source });
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`] with what the system said.
    #[cfg(windows)]
    pub fn listen() -> Result<Self, Error> {
        let interrupt = signal::windows::ctrl_c().map_err(|source| Error::Signals { source })?;
        Ok(Self { interrupt })
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: none is lost.
    #[cfg(unix)]
    pub async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: none is lost.
    #[cfg(windows)]
    pub async fn recv(&mut self) {
        self.interrupt.recv().await;
    }
}
