//! Puts the figures into Markdown for people and JSON for programs. Measures nothing.

use serde_json::{Value, json};

use crate::layers::Cost;
use crate::rounds::Rates;

const HYPER: usize = 0;
const REQWEST: usize = 1;
const ZCOMM: usize = 2;

pub(crate) fn markdown(rates: &[Rates], costs: &[Cost]) -> String {
    let mut text = String::from(
        "| call | in flight | hyper | reqwest | zcomm | zcomm / reqwest | zcomm / hyper |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for one in rates {
        let rate = |peer| format!("{:.1} k/s", one.median(peer) / 1000.0);
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {:.3} | {:.3} |\n",
            one.call.name(),
            one.in_flight,
            rate(HYPER),
            rate(REQWEST),
            rate(ZCOMM),
            one.ratio(ZCOMM, REQWEST),
            one.ratio(ZCOMM, HYPER),
        ));
    }
    text.push_str("\n| layer, innermost first | ns per call |\n|---|---|\n");
    for Cost { layer, nanoseconds } in costs {
        text.push_str(&format!("| {layer} | {nanoseconds:.0} |\n"));
    }
    text
}

pub(crate) fn json(rates: &[Rates], costs: &[Cost]) -> Value {
    let rates = rates.iter().map(|one| {
        json!({
            "call": one.call.name(),
            "in_flight": one.in_flight,
            "requests_per_second": {
                "hyper": one.median(HYPER), "reqwest": one.median(REQWEST), "zcomm": one.median(ZCOMM),
            },
            "zcomm_to_reqwest": one.ratio(ZCOMM, REQWEST),
            "zcomm_to_hyper": one.ratio(ZCOMM, HYPER),
            "rounds": one.rounds,
        })
    });
    let costs = costs
        .iter()
        .map(|cost| json!({"layer": cost.layer, "nanoseconds": cost.nanoseconds}));
    json!({"rates": rates.collect::<Vec<_>>(), "layers": costs.collect::<Vec<_>>()})
}
