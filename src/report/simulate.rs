//! What a replayed trace gives: hit rates by policy and cache size, and the bounds beside them.

use std::fmt::Write;

use serde::Serialize;

use crate::expert::cache::Counts;
use crate::expert::replay::{PhaseCounts, Selection};
use crate::report::units::percent;

/// The schema of [`SimulateReport`] and [`RecordedReport`].
pub const SIMULATE_SCHEMA: &str = "foregate.simulate/1";

/// What `simulate --json` prints. The README explains the fields; a change of meaning changes `schema`.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct SimulateReport {
    pub schema: &'static str,
    pub trace: String,
    pub model: Option<String>,
    pub layers: usize,
    pub experts: usize,
    pub token_cycle: usize,
    pub phase: Selection,
    pub tokens: usize,
    pub warmup: usize,
    pub requests: u64,
    pub next_token_reuse: Option<f64>,
    pub rows: Vec<Row>,
    pub srp: Vec<Routing>,
    pub sch: Vec<Caching>,
}

/// One policy at one size.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Row {
    pub policy: String,
    pub slots: usize,
    pub share: f64,
    pub requests: u64,
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub hit_rate: Option<f64>,
    pub prefill: Counts,
    pub decode: Counts,
}

impl Row {
    /// A row of these counts.
    pub fn new(policy: String, (slots, share): (usize, f64), counts: &PhaseCounts) -> Self {
        let Counts { requests, hits, misses, evictions } = counts.sum();
        let (prefill, decode) = (counts.prefill, counts.decode);
        Self {
            policy,
            slots,
            share,
            requests,
            hits,
            misses,
            evictions,
            hit_rate: rate(hits, requests),
            prefill,
            decode,
        }
    }
}

/// Segment routing best performance of a window.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Routing {
    pub window: usize,
    pub value: Option<f64>,
}

/// Segment cache best hit rate of a window and a size.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Caching {
    pub window: usize,
    pub slots: usize,
    pub share: f64,
    pub requests: u64,
    pub hits: u64,
    pub hit_rate: Option<f64>,
}

impl Caching {
    /// The counts of a cache that sees `window` tokens ahead.
    pub fn new(window: usize, (slots, share): (usize, f64), counts: &PhaseCounts) -> Self {
        let Counts { requests, hits, .. } = counts.sum();
        Self { window, slots, share, requests, hits, hit_rate: rate(hits, requests) }
    }
}

/// What `simulate --as-recorded --json` prints: the counts of the run, named as `generate --json` names them.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct RecordedReport {
    pub schema: &'static str,
    pub trace: String,
    pub model: String,
    pub policy: String,
    pub slots: usize,
    pub requests: u64,
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub prefill: Counts,
    pub decode: Counts,
}

/// `hits / requests`; `None` where nothing was asked for.
fn rate(hits: u64, requests: u64) -> Option<f64> {
    (requests > 0).then(|| hits as f64 / requests as f64)
}

impl SimulateReport {
    /// The report for a reader: a line per size, a column per policy.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} layers, {} experts, token cycle {}; {} tokens",
            self.layers, self.experts, self.token_cycle, self.tokens
        );
        let phase = match self.phase {
            Selection::Decode => "decode",
            Selection::Prefill => "prefill",
            Selection::All => "prefill and decode",
        };
        let _ = writeln!(text, "{} requests counted ({phase}), {} warm-up tokens left out", self.requests, self.warmup);
        if let Some(reuse) = self.next_token_reuse {
            let _ = writeln!(text, "next-token reuse {:.1} %", 100.0 * reuse);
        }
        let rows: Vec<_> =
            self.rows.iter().map(|r| (r.policy.clone(), (r.slots, r.share), r.hits, r.requests)).collect();
        table(&mut text, "hit rate", &rows);
        let sch: Vec<_> =
            self.sch.iter().map(|s| (format!("m = {}", s.window), (s.slots, s.share), s.hits, s.requests)).collect();
        table(&mut text, "SCH(m)", &sch);
        if !self.srp.is_empty() {
            let value = |s: &Routing| s.value.map_or("-".into(), |v| format!("{v:.3}"));
            let all: Vec<String> = self.srp.iter().map(|s| format!("m = {}: {}", s.window, value(s))).collect();
            let _ = writeln!(text, "\nSRP  {}", all.join(", "));
        }
        text
    }
}

/// One line per size, one column per name, both in the order in which they come first.
fn table(text: &mut String, title: &str, cells: &[(String, (usize, f64), u64, u64)]) {
    if cells.is_empty() {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    let mut sizes: Vec<(usize, f64)> = Vec::new();
    for (name, size, ..) in cells {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
        if !sizes.contains(size) {
            sizes.push(*size);
        }
    }
    let width = |name: &str| name.len().max(7) + 2;
    let heads: String = names.iter().map(|name| format!("{:>1$}", name, width(name))).collect();
    let _ = writeln!(text, "\n{title:<9}{:>8}{heads}", "slots");
    for size in sizes {
        let rate = |name: &str| {
            let cell = cells.iter().find(|c| c.0 == name && c.1 == size);
            cell.map_or(String::new(), |&(.., hits, requests)| percent(hits, requests))
        };
        let rates: String = names.iter().map(|name| format!("{:>1$}", rate(name), width(name))).collect();
        let share = format!("{:.4}", 100.0 * size.1);
        let share = share.trim_end_matches('0').trim_end_matches('.');
        let _ = writeln!(text, "{:<9}{:>8}{rates}", format!("{share} %"), size.0);
    }
}

impl RecordedReport {
    /// The report for a reader, one line per phase.
    pub fn text(&self) -> String {
        let line = |name: &str, c: &Counts| {
            format!(
                "{name}: expert hits {} ({} of {}), misses {}, evictions {}\n",
                percent(c.hits, c.requests),
                c.hits,
                c.requests,
                c.misses,
                c.evictions
            )
        };
        let head = format!("as recorded: policy {}, {} slots\n", self.policy, self.slots);
        head + &line("prefill", &self.prefill) + &line("decode", &self.decode)
    }
}
