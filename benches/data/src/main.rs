//! Measures the SQLite store against bare rusqlite on as many threads: rounds in turn, ratios of medians.

mod bare;
mod memory;
mod ours;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

/// How many rounds; both sides take turns within each.
const ROUNDS: usize = 7;
/// How long a side works in a round.
const ROUND: Duration = Duration::from_millis(700);
/// How many threads read on either side.
const THREADS: usize = 2;
/// Rows of the usual table, and of the large one.
const ROWS: i64 = 100_000;
const MANY: i64 = 1_000_000;

/// One comparison: what both sides did in a second, round by round.
struct Compared {
    name: &'static str,
    goal: f64,
    ours: Vec<f64>,
    bare: Vec<f64>,
}

fn main() -> Result<()> {
    let json = std::env::args().skip_while(|word| word != "--json").nth(1);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bench.db");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    let store = ours::open(&path, THREADS)?;
    runtime.block_on(ours::migrate(&store))?;
    table::fill(&path, 1..=ROWS)?;

    let by_key = ours::keys(ROWS)?;
    let filtered = vec![ours::thousand()?];
    let mut all = Vec::new();
    all.push(compare(
        "primary key",
        0.8,
        || runtime.block_on(ours::run(&store, &by_key, 64, ROUND)),
        || bare::keys(&path, ROWS, THREADS, ROUND),
    )?);
    all.push(compare(
        "1000 rows, filtered, as JSON",
        0.9,
        || runtime.block_on(ours::run(&store, &filtered, THREADS, ROUND)),
        || bare::thousand(&path, THREADS, ROUND),
    )?);
    let growth = runtime.block_on(memory::of_a_scan(&store))?;
    let small = median(&all[0].ours);
    table::fill(&path, ROWS + 1..=MANY)?;
    let keys = ours::keys(MANY)?;
    all.push(compare(
        "primary key, a million rows",
        0.8,
        || runtime.block_on(ours::run(&store, &keys, 64, ROUND)),
        || bare::keys(&path, MANY, THREADS, ROUND),
    )?);
    let slower = small / median(&all[2].ours);

    print(&all, slower, &growth);
    if let Some(path) = json.map(PathBuf::from) {
        let sides = all
            .iter()
            .map(|it| json!({"name": it.name, "ours": it.ours, "bare": it.bare}));
        let figures = json!({
            "reads_per_second": sides.collect::<Vec<_>>(),
            "ten_times_the_rows": slower,
            "memory": growth.to_json(),
        });
        std::fs::write(&path, format!("{figures:#}")).context("the figures")?;
    }
    Ok(())
}

fn compare(
    name: &'static str,
    goal: f64,
    ours: impl Fn() -> Result<f64>,
    bare: impl Fn() -> Result<f64>,
) -> Result<Compared> {
    let mut compared = Compared {
        name,
        goal,
        ours: Vec::new(),
        bare: Vec::new(),
    };
    // Once for nothing: pages are read, statements prepared, threads started.
    ours()?;
    bare()?;
    for _ in 0..ROUNDS {
        compared.ours.push(ours()?);
        compared.bare.push(bare()?);
    }
    Ok(compared)
}

#[expect(
    clippy::print_stdout,
    reason = "the tables are what the program is for"
)]
fn print(all: &[Compared], slower: f64, growth: &memory::Growth) {
    println!("| read | through the store, 1/s | bare rusqlite, 1/s | ratio | goal |");
    println!("|---|---|---|---|---|");
    for it in all {
        let (ours, bare) = (median(&it.ours), median(&it.bare));
        let (name, goal, ratio) = (it.name, it.goal, ours / bare);
        println!("| {name} | {ours:.0} | {bare:.0} | {ratio:.2} | ≥ {goal} |");
    }
    println!();
    println!(
        "A keyed read among a million rows takes {slower:.2} times as long as among a hundred thousand."
    );
    println!("{growth}");
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
