//! `cargo xtask bench cache`: what a hit costs in process, beside a look-up in moka alone, in turns within one run.

#![expect(
    clippy::print_stdout,
    reason = "the tables are what this program is for"
)]

mod hits;

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How often all are measured, one after the other.
const ROUNDS: usize = 41;
/// How many look-ups one measurement is.
const LOOKUPS: usize = 20_000;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let json = match words.next().as_deref() {
        Some("--json") => Some(PathBuf::from(words.next().context("--json needs a path")?)),
        _ => None,
    };
    let mut subjects = hits::subjects();
    let mut nanos = vec![Vec::with_capacity(ROUNDS); subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, nanos) in subjects.iter_mut().zip(&mut nanos) {
            nanos.push((subject.run)(LOOKUPS));
        }
    }
    let medians: Vec<f64> = nanos.iter_mut().map(|nanos| median(nanos)).collect();
    let moka = medians[0];
    println!("| one hit, one thread, median of {ROUNDS} rounds | ns | × moka |\n|---|---|---|");
    let mut rows = Vec::new();
    for (subject, median) in subjects.iter().zip(&medians) {
        let ratio = median / moka;
        println!("| {} | {median:.0} | {ratio:.2} |", subject.name);
        rows.push(json!({"name": subject.name, "nanos": median, "ratio": ratio}));
    }
    if let Some(path) = json {
        std::fs::write(&path, Value::Array(rows).to_string()).context("the figures")?;
    }
    Ok(())
}

fn median(nanos: &mut [f64]) -> f64 {
    nanos.sort_by(f64::total_cmp);
    nanos[nanos.len() / 2]
}
