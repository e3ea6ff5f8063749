//! What was answered under idempotency keys, for ten minutes. Bounded in number, too.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::data::Result;
use crate::data::error::DataError;
use crate::data::permitted::Permitted;
use crate::data::write::Write;
use crate::data::written::Outcome;

const KEPT_FOR: Duration = Duration::from_secs(600);
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Answers {
    by_key: HashMap<[u8; 32], Answer>,
    in_order: VecDeque<(Instant, [u8; 32])>,
}

#[derive(Debug)]
struct Answer {
    command: [u8; 32],
    outcome: Outcome,
    at: Instant,
}

impl Answers {
    /// What the same command was answered under the same key.
    pub(super) fn earlier(&self, write: &Permitted<Write>) -> Result<Option<Outcome>> {
        let Some(key) = write.idempotency() else {
            return Ok(None);
        };
        match self.by_key.get(key.key()) {
            Some(answer) if answer.at.elapsed() >= KEPT_FOR => Ok(None),
            Some(answer) if answer.command == *key.command() => {
                Ok(Some(answer.outcome.clone().again()))
            }
            Some(_) => Err(DataError::KeyReused),
            None => Ok(None),
        }
    }

    /// Keeps what a write was answered, if it may come again.
    pub(super) fn keep(&mut self, write: &Permitted<Write>, outcome: &Outcome) {
        let Some(key) = write
            .idempotency()
            .filter(|_| !write.dry_run && !outcome.replayed)
        else {
            return;
        };
        let now = Instant::now();
        let answer = Answer {
            command: *key.command(),
            outcome: outcome.clone(),
            at: now,
        };
        self.by_key.insert(*key.key(), answer);
        self.in_order.push_back((now, *key.key()));
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        while let Some(&(at, key)) = self.in_order.front() {
            if self.in_order.len() <= MOST && now.duration_since(at) < KEPT_FOR {
                return;
            }
            self.in_order.pop_front();
            // The key may have been used again since; then the later answer stays.
            if self.by_key.get(&key).is_some_and(|answer| answer.at == at) {
                self.by_key.remove(&key);
            }
        }
    }
}
