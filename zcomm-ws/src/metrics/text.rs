//! The counters in the text form that Prometheus reads, version 0.0.4. Counts nothing.

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Counted;
use super::{CODES, Metrics, REASONS, RECEIVERS, Shard, TIMES};

/// What is looked at only when somebody asks: how much waits for the peers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Depths {
    pub(crate) connections: usize,
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// The most that waits for one of them.
    pub(crate) longest: usize,
}

impl Metrics {
    pub(crate) fn text(&self, depths: Depths) -> String {
        let mut text = String::with_capacity(4096);
        let out = &mut text;
        gauge(
            out,
            "connections",
            "Connections that are open.",
            depths.connections,
        );
        gauge(
            out,
            "queue_messages",
            "Messages that wait for their peers.",
            depths.messages,
        );
        gauge(
            out,
            "queue_bytes",
            "Bytes that wait for their peers.",
            depths.bytes,
        );
        gauge(
            out,
            "queue_bytes_max",
            "The most bytes that wait for one peer.",
            depths.longest,
        );
        let accepted = self.accepted.load(Ordering::Relaxed);
        counter(
            out,
            "connections_total",
            "Connections that were opened.",
            accepted,
        );
        self.labelled(out);
        self.summed(out);
        text
    }

    fn labelled(&self, out: &mut String) {
        head(
            out,
            "refused_total",
            "Streams and requests that were turned away.",
            "counter",
        );
        for (reason, count) in REASONS.iter().zip(&self.refused) {
            line(
                out,
                "refused_total",
                &format!("reason=\"{reason}\""),
                load(count),
            );
        }
        head(
            out,
            "closed_total",
            "Connections that ended, by close code.",
            "counter",
        );
        for (code, count) in CODES.iter().zip(&self.ended) {
            let code = if *code == 0 {
                "other".to_owned()
            } else {
                code.to_string()
            };
            line(
                out,
                "closed_total",
                &format!("code=\"{code}\""),
                load(count),
            );
        }
    }

    fn summed(&self, out: &mut String) {
        let sum = |of: fn(&Shard) -> &AtomicU64| {
            let counts = self.shards.iter().map(|shard| load(of(shard)));
            counts.fold(0, u64::wrapping_add)
        };
        let in_and_out = [
            (
                "messages_received_total",
                "Messages from clients.",
                sum(|shard| &shard.messages_in),
            ),
            (
                "messages_sent_total",
                "Messages to clients.",
                sum(|shard| &shard.messages_out),
            ),
            (
                "received_bytes_total",
                "Bytes from clients, behind the handshake.",
                sum(|shard| &shard.bytes_in),
            ),
            (
                "sent_bytes_total",
                "Bytes to clients, behind the handshake.",
                sum(|shard| &shard.bytes_out),
            ),
        ];
        for (name, help, count) in in_and_out {
            counter(out, name, help, count);
        }
        let times = self.shards.iter().map(|shard| shard.times.counted());
        let times = times.fold(Counted::NONE, |sum, shard| sum.plus(&shard));
        let help = "Time from a message to its answer, of a sample of the messages.";
        histogram(out, "handler_seconds", help, (&TIMES, &times), 1e-9);
        let help = "How many took a message that was sent to all, or to a topic.";
        let receivers = self.receivers.counted();
        histogram(
            out,
            "broadcast_receivers",
            help,
            (&RECEIVERS, &receivers),
            1.0,
        );
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    put(
        out,
        format_args!("# HELP zcomm_ws_{name} {help}\n# TYPE zcomm_ws_{name} {kind}\n"),
    );
}

fn counter(out: &mut String, name: &str, help: &str, value: u64) {
    head(out, name, help, "counter");
    line(out, name, "", value);
}

fn gauge(out: &mut String, name: &str, help: &str, value: usize) {
    head(out, name, help, "gauge");
    line(out, name, "", value);
}

fn line(out: &mut String, name: &str, labels: &str, value: impl Display) {
    if labels.is_empty() {
        put(out, format_args!("zcomm_ws_{name} {value}\n"));
    } else {
        put(out, format_args!("zcomm_ws_{name}{{{labels}}} {value}\n"));
    }
}

fn histogram<const N: usize>(
    out: &mut String,
    name: &str,
    help: &str,
    (bounds, counted): (&[u64; N], &Counted<N>),
    unit: f64,
) {
    head(out, name, help, "histogram");
    let bucket = format!("{name}_bucket");
    for (bound, count) in bounds.iter().zip(counted.up_to) {
        let bound = *bound as f64 * unit;
        line(out, &bucket, &format!("le=\"{bound}\""), count);
    }
    line(out, &bucket, "le=\"+Inf\"", counted.count);
    line(out, &format!("{name}_sum"), "", counted.sum as f64 * unit);
    line(out, &format!("{name}_count"), "", counted.count);
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes every text");
}
