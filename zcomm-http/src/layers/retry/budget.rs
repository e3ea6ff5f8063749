//! How many retries a host still gets: what calls pay in, retries pay out.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// What a host has at first, and at most.
const MOST: f64 = 20.0;
/// What each call pays in.
const PER_CALL: f64 = 0.2;
/// What each second pays in, so that a program with few calls has retries, too.
const PER_SECOND: f64 = 1.0;

/// The budget of one host. A retry costs one.
#[derive(Debug)]
pub(super) struct Budget {
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    balance: f64,
    counted: Instant,
}

impl Budget {
    pub(super) fn new() -> Self {
        let account = Account {
            balance: MOST,
            counted: Instant::now(),
        };
        Self {
            account: Mutex::new(account),
        }
    }

    /// Counts a call.
    pub(super) fn deposit(&self) {
        self.with(|account| account.pay_in(PER_CALL));
    }

    /// Whether there is enough for one retry, which is paid out then.
    pub(super) fn withdraw(&self) -> bool {
        self.with(|account| {
            account.pay_in_time();
            let enough = account.balance >= 1.0;
            if enough {
                account.balance -= 1.0;
            }
            enough
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        act(&mut self.account.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Account {
    fn pay_in(&mut self, amount: f64) {
        self.balance = (self.balance + amount).min(MOST);
    }

    fn pay_in_time(&mut self) {
        let now = Instant::now();
        let seconds = now.duration_since(self.counted).as_secs_f64();
        self.counted = now;
        self.pay_in(seconds * PER_SECOND);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spend(budget: &Budget) -> usize {
        (0..100).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_runs_out_and_fills_with_calls_and_time() {
        let budget = Budget::new();
        assert_eq!(spend(&budget), 20);

        for _ in 0..11 {
            budget.deposit();
        }
        assert_eq!(spend(&budget), 2);

        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(spend(&budget), 5);

        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(spend(&budget), 20);
    }
}
