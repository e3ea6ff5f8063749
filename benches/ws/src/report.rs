//! Puts the figures into Markdown for people and JSON for programs. Measures nothing.

use serde_json::{Value, json};

use crate::cases::{Bound, Contender, GOALS, Goal, IDLE_BYTES, IDLE_GROWTH, Work};
use crate::load::Idle;
use crate::machine;
use crate::rounds::Figures;
use crate::server::PROFILE;

/// Everything that one run found out.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figures>,
    pub(crate) idle: Vec<(Contender, Idle)>,
}

/// A goal with what was measured for it.
struct Verdict {
    goal: String,
    bound: Bound,
    value: f64,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "Settings that differ from the defaults: {PROFILE}. Real-time priority: {}.\n",
            if machine::has_priority() { "yes" } else { "no" }
        );
        text.push_str("\n| zcomm's goal | wanted | measured | reached |\n|---|---|---|---|\n");
        for Verdict { goal, bound, value } in self.verdicts() {
            let (wanted, reached) = (
                bound.text(),
                if bound.holds(value) { "yes" } else { "**no**" },
            );
            text.push_str(&format!("| {goal} | {wanted} | {value:.3} | {reached} |\n"));
        }
        for figures in &self.figures {
            text.push_str(&table(figures));
        }
        if !self.idle.is_empty() {
            text.push_str(&idle_table(&self.idle));
        }
        text
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let ratio = |goal: &Goal| {
            let of_case = |figures: &&Figures| figures.case.name == goal.case;
            let figures = self.figures.iter().find(of_case)?;
            Some(Verdict {
                goal: format!("{}: {} / {}", goal.case, goal.label, goal.against),
                bound: goal.bound,
                value: figures.ratio(goal.label, goal.against)?,
            })
        };
        let mut verdicts: Vec<Verdict> = GOALS.iter().filter_map(ratio).collect();
        for (contender, idle) in &self.idle {
            if contender.server == "zcomm" && !contender.tls {
                verdicts.push(Verdict {
                    goal: format!("bytes for each of {} idle connections", idle.connections),
                    bound: Bound::AtMost(IDLE_BYTES),
                    value: idle.per_connection(),
                });
                verdicts.push(Verdict {
                    goal: "memory with as many once more, after all have gone".to_owned(),
                    bound: Bound::AtMost(IDLE_GROWTH),
                    value: idle.growth(),
                });
            }
        }
        verdicts
    }

    pub(crate) fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figures| {
            let labels = figures.case.contenders.iter().map(|one| one.label);
            let medians = (0..figures.case.contenders.len()).map(|place| figures.median(place));
            json!({
                "case": figures.case.name,
                "unit": unit(figures.case.work),
                "contenders": labels.collect::<Vec<_>>(),
                "medians": medians.collect::<Vec<_>>(),
                "rounds": figures.rounds,
            })
        });
        let idle = self.idle.iter().map(|(contender, idle)| {
            json!({
                "contender": contender.label,
                "connections": idle.connections,
                "resident_bytes": {
                    "before": idle.before, "open": idle.open, "closed": idle.closed, "again": idle.again,
                },
                "bytes_per_connection": idle.per_connection(),
            })
        });
        let goals = self.verdicts().into_iter().map(|verdict| {
            json!({
                "goal": verdict.goal, "wanted": verdict.bound.text(), "measured": verdict.value,
                "reached": verdict.bound.holds(verdict.value),
            })
        });
        json!({
            "settings": PROFILE,
            "real_time_priority": machine::has_priority(),
            "goals": goals.collect::<Vec<_>>(),
            "cases": figures.collect::<Vec<_>>(),
            "idle": idle.collect::<Vec<_>>(),
        })
    }
}

fn unit(work: Work) -> &'static str {
    match work {
        Work::Echo(_) => "messages per second",
        Work::FanOut(_) => "deliveries per second",
        Work::Latency(_) => "microseconds",
    }
}

fn table(figures: &Figures) -> String {
    let case = figures.case;
    let first = case.contenders[0].label;
    let mut text = format!(
        "\n| {} | {} | / {first} |\n|---|---|---|\n",
        case.name,
        unit(case.work)
    );
    for (place, contender) in case.contenders.iter().enumerate() {
        let label = contender.label;
        let ratio = figures.ratio(label, first).unwrap_or(f64::NAN);
        let value = amount(figures.median(place), case.work);
        text.push_str(&format!("| {label} | {value} | {ratio:.3} |\n"));
    }
    text
}

fn amount(value: f64, work: Work) -> String {
    match work {
        Work::Latency(_) => format!("{value:.0} µs"),
        _ if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
        _ => format!("{:.1} k/s", value / 1e3),
    }
}

fn idle_table(idle: &[(Contender, Idle)]) -> String {
    let connections = idle.first().map_or(0, |(_, idle)| idle.connections);
    let mut text = format!(
        "\n| {connections} idle connections | bytes each | MB before | open | closed | open again |\n|---|---|---|---|---|---|\n"
    );
    for (contender, idle) in idle {
        let mega = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
        text.push_str(&format!(
            "| {} | {:.0} | {} | {} | {} | {} |\n",
            contender.label,
            idle.per_connection(),
            mega(idle.before),
            mega(idle.open),
            mega(idle.closed),
            mega(idle.again),
        ));
    }
    text
}
