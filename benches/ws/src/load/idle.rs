//! Idle connections: what each costs the server, and whether all of it comes back for the next ones.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Target, Wire};
use crate::machine;

/// The server's memory at four moments, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    pub(crate) before: u64,
    pub(crate) open: u64,
    pub(crate) closed: u64,
    pub(crate) again: u64,
}

impl Idle {
    pub(crate) fn per_connection(&self) -> f64 {
        self.open.saturating_sub(self.before) as f64 / self.connections as f64
    }

    /// How much more the second crowd takes than the first did.
    pub(crate) fn growth(&self) -> f64 {
        self.again as f64 / self.open as f64
    }
}

pub(crate) fn idle(target: &Target, connections: usize, process: u32) -> Result<Idle> {
    // Whatever is made once is made by now.
    drop(Wire::open_many(target, "/", 64)?);
    let before = settled(process)?;
    let first = Wire::open_many(target, "/", connections)?;
    let open = settled(process)?;
    drop(first);
    let closed = settled(process)?;
    let second = Wire::open_many(target, "/", connections)?;
    let again = settled(process)?;
    drop(second);
    Ok(Idle {
        connections,
        before,
        open,
        closed,
        again,
    })
}

/// The memory once it has not changed for a while.
fn settled(process: u32) -> Result<u64> {
    let until = Instant::now() + Duration::from_secs(5);
    let mut last = 0;
    let mut same = 0;
    while same < 5 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(60));
        let now = machine::resident(process)?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}
