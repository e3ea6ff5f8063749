//! One counter per model that says whether what was read before is still current. Keeps no answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// One counter per model. Clones share them.
///
/// ```
/// use zcomm_core::data::Generations;
///
/// let generations = Generations::default();
/// let before = generations.stamp("users");
/// assert!(before.is_current());
/// generations.bump("users");
/// assert!(!before.is_current());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Generations {
    cells: Arc<RwLock<HashMap<String, Arc<Cell>>>>,
}

#[derive(Debug, Default)]
struct Cell {
    generation: AtomicU64,
    /// Until when a write of unknown outcome may still land, in milliseconds of this process.
    doubtful: AtomicU64,
}

/// What the counter of a model said when something was about to be read.
#[derive(Clone, Debug)]
pub struct Stamp {
    cell: Arc<Cell>,
    seen: Option<u64>,
}

impl Stamp {
    /// Whether what was read after the stamp was taken is still what a read would give.
    pub fn is_current(&self) -> bool {
        self.seen == Some(self.cell.generation.load(Ordering::Acquire))
    }
}

impl Generations {
    /// Takes a stamp, before reading.
    ///
    /// While a write may still land whose outcome is unknown, stamps are never current.
    pub fn stamp(&self, model: &str) -> Stamp {
        let cell = self.cell(model);
        // The generation first: a doubt that is raised in between bumps it.
        let generation = cell.generation.load(Ordering::Acquire);
        let seen = (cell.doubtful.load(Ordering::Acquire) <= elapsed()).then_some(generation);
        Stamp { cell, seen }
    }

    /// Makes whatever was read of the model before a thing of the past.
    pub fn bump(&self, model: &str) {
        self.cell(model).generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Makes whatever was read before a thing of the past.
    pub fn bump_all(&self) {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        for cell in cells.values() {
            cell.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Bumps a model, and keeps it in doubt for as long as a write may land without anybody hearing of it.
    pub fn doubt(&self, model: &str, within: Duration) {
        let cell = self.cell(model);
        let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let until = elapsed().saturating_add(within);
        cell.doubtful.fetch_max(until, Ordering::AcqRel);
        cell.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn cell(&self, model: &str) -> Arc<Cell> {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(model) {
            return Arc::clone(cell);
        }
        drop(cells);
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(model.to_owned()).or_default())
    }
}

/// Milliseconds since the process first asked; zero is never in doubt.
fn elapsed() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
