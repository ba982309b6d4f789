//! What a replayed trace gives: hit rates by policy and cache size, and the bounds beside them.

use std::fmt::Write;

use serde::Serialize;

use crate::expert::cache::Counts;
use crate::expert::replay::{PhaseCounts, Selection};
use crate::report::units::{binary_unit, number, percent};

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
    /// Of one expert, by layer that asks for experts; empty where nobody tells.
    pub expert_bytes: Vec<u64>,
    pub phase: Selection,
    pub tokens: usize,
    pub tokens_counted: usize,
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
    pub bytes_per_token: Option<f64>,
    pub prefill: Counts,
    pub decode: Counts,
}

impl Row {
    /// A row of these counts, and of the bytes that a counted token costs, where sizes of experts are known.
    pub fn new(
        policy: String,
        (slots, share): (usize, f64),
        counts: &PhaseCounts,
        bytes_per_token: Option<f64>,
    ) -> Self {
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
            bytes_per_token,
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
        let cell = |r: &Row, says: String| (r.policy.clone(), (r.slots, r.share), says);
        let rates: Vec<Cell> = self.rows.iter().map(|r| cell(r, percents(r.hit_rate))).collect();
        table(&mut text, "hit rate in percent", &rates);
        let most = self.rows.iter().filter_map(|r| r.bytes_per_token).fold(0.0, f64::max);
        let (unit, name) = binary_unit(most);
        let read = |r: &Row| Some(cell(r, number(Some(r.bytes_per_token? / unit))));
        let reads: Vec<Cell> = self.rows.iter().filter_map(read).collect();
        table(&mut text, &format!("{name} read per token"), &reads);
        let ahead = |s: &Caching| (format!("m = {}", s.window), (s.slots, s.share), percents(s.hit_rate));
        let sch: Vec<Cell> = self.sch.iter().map(ahead).collect();
        table(&mut text, "SCH(m) in percent", &sch);
        if !self.srp.is_empty() {
            let value = |s: &Routing| s.value.map_or("-".into(), |v| format!("{v:.3}"));
            let all: Vec<String> = self.srp.iter().map(|s| format!("m = {}: {}", s.window, value(s))).collect();
            let _ = writeln!(text, "\nSRP  {}", all.join(", "));
        }
        text
    }
}

/// A cell of a table: its column, slots and share of all experts, and what it says.
type Cell = (String, (usize, f64), String);

/// One line per size, one column per name, both in the order in which they come first; 80 characters hold all policies.
fn table(text: &mut String, title: &str, cells: &[Cell]) {
    if cells.is_empty() {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    let mut sizes: Vec<(usize, f64)> = Vec::new();
    for (name, size, _) in cells {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
        if !sizes.contains(size) {
            sizes.push(*size);
        }
    }
    let width = |name: &str| name.len().max(6) + 1;
    let heads: String = names.iter().map(|name| format!("{:>1$}", name, width(name))).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{title}\n{:<9}{:>8}{heads}", "share", "slots");
    for size in sizes {
        let says = |name: &str| cells.iter().find(|c| c.0 == name && c.1 == size).map_or("", |c| &c.2);
        let line: String = names.iter().map(|name| format!("{:>1$}", says(name), width(name))).collect();
        let share = format!("{:.4}", 100.0 * size.1);
        let share = share.trim_end_matches('0').trim_end_matches('.');
        let _ = writeln!(text, "{:<9}{:>8}{line}", format!("{share} %"), size.0);
    }
}

/// A rate in percent, without the sign.
fn percents(rate: Option<f64>) -> String {
    rate.map_or("-".into(), |rate| format!("{:.1}", 100.0 * rate))
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
