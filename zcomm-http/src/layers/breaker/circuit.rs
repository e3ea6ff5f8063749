//! The state of one host: calls pass, or none does, or one tries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Breaker;
use crate::layers::FOREVER;

#[derive(Debug)]
pub(super) struct Circuit {
    breaker: Breaker,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Calls pass; so many have failed in a row.
    Closed { failures: u32 },
    /// No call passes before then.
    Open { until: Instant },
    /// One call is trying; no other passes.
    Trying,
}

impl Circuit {
    pub(super) fn new(breaker: Breaker) -> Self {
        Self {
            breaker,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the call that asks is the one that tries; else how long until it may.
    fn admit(&self) -> Result<bool, Duration> {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => Ok(false),
            State::Trying => Err(self.breaker.pause),
            State::Open { until } => {
                let wait = until.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    return Err(wait);
                }
                *state = State::Trying;
                Ok(true)
            }
        }
    }

    fn succeeded(&self) {
        *self.state() = State::Closed { failures: 0 };
    }

    fn failed(&self, tried: bool) {
        let mut state = self.state();
        let failures = match *state {
            State::Closed { failures } => failures + 1,
            _ if tried => self.breaker.failures,
            // A call from before the circuit opened says nothing new.
            _ => return,
        };
        *state = if failures < self.breaker.failures {
            State::Closed { failures }
        } else {
            self.open()
        };
    }

    /// The call that tried ended without saying anything about the host: the next one tries.
    fn unjudged(&self) {
        let mut state = self.state();
        if matches!(*state, State::Trying) {
            *state = State::Open {
                until: Instant::now(),
            };
        }
    }

    fn open(&self) -> State {
        State::Open {
            until: Instant::now() + self.breaker.pause.min(FOREVER),
        }
    }
}

/// The right to make one call. Dropped without a word, it judges by the clock.
#[derive(Debug)]
pub(super) struct Permit {
    circuit: Arc<Circuit>,
    tries: bool,
    until: Option<Instant>,
    judged: bool,
}

impl Permit {
    /// `until` is when the call's whole time is over.
    pub(super) fn of(circuit: Arc<Circuit>, until: Option<Instant>) -> Result<Self, Duration> {
        let tries = circuit.admit()?;
        Ok(Self {
            circuit,
            tries,
            until,
            judged: false,
        })
    }

    pub(super) fn succeeded(mut self) {
        self.judged = true;
        self.circuit.succeeded();
    }

    pub(super) fn failed(mut self) {
        self.judged = true;
        self.circuit.failed(self.tries);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.judged {
            return;
        }
        // A call that is dropped at its deadline waited for a host that never answered; dropped earlier, somebody
        // lost interest, which says nothing about the host.
        let at_deadline = self.until.is_some_and(|until| until <= Instant::now());
        if at_deadline {
            self.circuit.failed(self.tries);
        } else if self.tries {
            self.circuit.unjudged();
        }
    }
}
