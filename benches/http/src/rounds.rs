//! Runs the clients in turn, round after round, so that what disturbs the machine disturbs all of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::peer::{Call, Peer, Target};
use crate::server::Server;

/// How fast each client was, in requests per second: hyper, reqwest, zcomm.
#[derive(Debug)]
pub(crate) struct Rates {
    pub(crate) call: Call,
    pub(crate) in_flight: usize,
    pub(crate) rounds: Vec<[f64; 3]>,
}

impl Rates {
    pub(crate) fn median(&self, peer: usize) -> f64 {
        median(self.rounds.iter().map(|round| round[peer]).collect())
    }

    /// The median of the ratios of each round: only what ran side by side is compared.
    pub(crate) fn ratio(&self, peer: usize, to: usize) -> f64 {
        let ratios = self.rounds.iter().map(|round| round[peer] / round[to]);
        median(ratios.collect())
    }
}

#[derive(Debug)]
pub(crate) struct Rounds {
    peers: [Arc<Peer>; 3],
    target: Arc<Target>,
    rounds: usize,
    window: Duration,
}

impl Rounds {
    pub(crate) fn new(server: &Server, rounds: usize, window: Duration) -> Result<Self> {
        Ok(Self {
            peers: Peer::all()?.map(Arc::new),
            target: Arc::new(Target::new(server.url())),
            rounds,
            window,
        })
    }

    pub(crate) async fn run(&self, call: Call, in_flight: usize) -> Result<Rates> {
        // The first round warms up: connections are opened, code and data come into the caches.
        self.round(0, call, in_flight).await?;
        let mut rounds = Vec::new();
        for number in 0..self.rounds {
            rounds.push(self.round(number, call, in_flight).await?);
        }
        Ok(Rates {
            call,
            in_flight,
            rounds,
        })
    }

    /// How fast one client is without the others, with one call at a time.
    pub(crate) async fn alone(&self, client: usize, call: Call, calls: u32) -> Result<f64> {
        let start = Instant::now();
        for _ in 0..calls {
            self.peers[client].call(call, &self.target).await?;
        }
        Ok(f64::from(calls) / start.elapsed().as_secs_f64())
    }

    /// Each round begins with another client.
    async fn round(&self, number: usize, call: Call, in_flight: usize) -> Result<[f64; 3]> {
        let mut rates = [0.0; 3];
        for turn in 0..3 {
            let place = (number + turn) % 3;
            rates[place] = self.rate(&self.peers[place], call, in_flight).await?;
        }
        Ok(rates)
    }

    async fn rate(&self, peer: &Arc<Peer>, call: Call, in_flight: usize) -> Result<f64> {
        let start = Instant::now();
        let until = start + self.window;
        let mut tasks = JoinSet::new();
        for _ in 0..in_flight {
            let (peer, target) = (Arc::clone(peer), Arc::clone(&self.target));
            tasks.spawn(async move {
                let mut done = 0_u32;
                while Instant::now() < until {
                    peer.call(call, &target).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            });
        }
        let mut done = 0.0;
        while let Some(task) = tasks.join_next().await {
            done += f64::from(task??);
        }
        Ok(done / start.elapsed().as_secs_f64())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 if middle > 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values.get(middle).copied().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_of_values_is_between_two() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
