//! How much memory a walk over a large table takes. Linux only; elsewhere it is not known.

use std::fmt;

use anyhow::Result;
use serde_json::{Value, json};
use zcomm_core::data::Store;
use zcomm_services_sqlite::SqliteStore;

use crate::ours::query;

/// What a walk over a hundred thousand rows took.
pub(crate) struct Growth {
    pages: usize,
    largest: usize,
    grown_kib: Option<u64>,
}

/// Reads the whole table page by page, and sorts it by a field without an index.
pub(crate) async fn of_a_scan(store: &SqliteStore) -> Result<Growth> {
    store.read(&*query(&json!({"limit": 1000}))?).await?;
    let before = peak();
    let (mut pages, mut largest, mut offset) = (0, 0, 0);
    loop {
        let rows = store
            .read(&*query(&json!({"limit": 1000, "offset": offset}))?)
            .await?;
        largest = largest.max(rows.json.len());
        pages += 1;
        offset += rows.count;
        if !rows.has_more() {
            break;
        }
    }
    store
        .read(&*query(&json!({"order_by": "-email", "limit": 1000}))?)
        .await?;
    let grown_kib = before
        .zip(peak())
        .map(|(before, after)| after.saturating_sub(before));
    Ok(Growth {
        pages,
        largest,
        grown_kib,
    })
}

/// The most memory that this process ever had, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Growth {
    pub(crate) fn to_json(&self) -> Value {
        json!({"pages": self.pages, "largest_page": self.largest, "grown_kib": self.grown_kib})
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grown = self.grown_kib.map_or("?".to_owned(), |kib| kib.to_string());
        write!(
            f,
            "A walk over a hundred thousand rows in {} pages of up to {} KiB, and a sort without an index, raised the \
             most memory in use by {grown} KiB.",
            self.pages,
            self.largest / 1024,
        )
    }
}
