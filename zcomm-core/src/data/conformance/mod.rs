//! One suite for every store: what it answers must be what the reference answers, to the byte. Opens no store itself.
//!
//! Whoever implements [`Store`] runs [`check`] against it, from a test on a runtime with several threads:
//!
//! ```
//! use zcomm_core::data::{MemoryStore, conformance};
//!
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(async {
//! let report = conformance::check(async || MemoryStore::default()).await.unwrap();
//! assert!(report.cases > 500);
//! # });
//! ```
//!
//! Models, rows, queries and writes are made from a seed, so a failure names the one that brings it back:
//! [`check_seed`]. What is made is nasty on purpose: NULL nearly everywhere, code points that sort differently in other
//! encodings, letters whose lower case is longer than they are, texts that are SQL.

mod dice;
mod hostile;
mod life;
mod races;
mod reads;
mod values;
mod world;
mod writes;

use std::sync::Arc;

use super::store::Store;
use super::{DataError, Model};
use dice::Dice;
use world::World;

/// How many worlds of models and rows are made.
const WORLDS: u64 = 28;

/// What a suite did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many answers were compared.
    pub cases: u64,
}

/// Where a store is not as it has to be.
#[derive(Debug, thiserror::Error)]
#[error("{part}, seed {seed}: {what}")]
#[non_exhaustive]
pub struct Failure {
    /// The part of the suite.
    pub part: &'static str,
    /// The seed that brings it back.
    pub seed: u64,
    /// What was asked, what came, and what should have come.
    pub what: String,
}

/// Runs everything; `open` gives an empty store each time.
///
/// # Errors
///
/// The first answer that is not the reference's.
pub async fn check<S: Store>(open: impl AsyncFn() -> S) -> Result<Report, Failure> {
    let mut report = Report::default();
    for seed in 0..WORLDS {
        report.cases += check_seed(&open, seed).await?.cases;
    }
    let store = open().await;
    report.cases += hostile::check(&store).await?;
    let store = open().await;
    report.cases += life::check(&store).await?;
    let store = open().await;
    report.cases += races::check(&store).await?;
    Ok(report)
}

/// Makes one world from a seed, and compares reads, writes, and reads again.
///
/// # Errors
///
/// As [`check`].
pub async fn check_seed<S: Store>(open: impl AsyncFn() -> S, seed: u64) -> Result<Report, Failure> {
    let mut dice = Dice::new(seed);
    let world = World::new(&mut dice, seed);
    let store = open().await;
    let mut pair = Pair::of(&store, &world, seed).await?;
    pair.fill(&mut dice, &world).await?;
    pair.reads(&mut dice, &world).await?;
    pair.writes(&mut dice, &world).await?;
    pair.reads(&mut dice, &world).await?;
    Ok(Report { cases: pair.cases })
}

/// A store beside the reference: both are asked the same.
struct Pair<'s, S> {
    store: &'s S,
    reference: super::MemoryStore,
    seed: u64,
    cases: u64,
}

impl<'s, S: Store> Pair<'s, S> {
    async fn of(store: &'s S, world: &World, seed: u64) -> Result<Self, Failure> {
        let pair = Self {
            store,
            reference: super::MemoryStore::default(),
            seed,
            cases: 0,
        };
        add(store, &world.model, seed).await?;
        add(&pair.reference, &world.model, seed).await?;
        Ok(pair)
    }

    fn failure(&self, part: &'static str, what: String) -> Failure {
        let seed = self.seed;
        Failure { part, seed, what }
    }
}

async fn add(store: &impl Store, model: &Arc<Model>, seed: u64) -> Result<(), Failure> {
    let migrated = store.migrate(model).await;
    migrated.map(drop).map_err(|error| Failure {
        part: "migrate",
        seed,
        what: explain(&error),
    })
}

/// An error with its causes.
fn explain(error: &DataError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
