//! What `foregate bench` found: a table for people, JSON for programs. The page ([`crate::report::html`]) shows this and
//! nothing else.

use std::fmt::Write;

use serde::Serialize;

use crate::bench::fastest::Fastest;
use crate::bench::figures::{ConfigurationRow, RunRow, Spread};
use crate::bench::line_rate::LineRate;
use crate::bench::recall::{RecallByLayer, RecallTotal};
use crate::bench::routing::{Bound, Routing};
use crate::expert::predict::PredictorKind;
use crate::expert::source::Measured;
use crate::report::units::{bytes, bytes_range, counted, number, per_second, share, share_range};

/// The schema of [`BenchReport`].
pub const BENCH_SCHEMA: &str = "foregate.bench/1";

/// What `bench --json` prints. The README explains the fields; a change of meaning changes `schema`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct BenchReport {
    pub schema: &'static str,
    pub version: &'static str,
    pub unix_time_s: u64,
    pub model: ModelFacts,
    pub machine: Machine,
    pub settings: Settings,
    pub prompts: Vec<PromptRow>,
    /// Of one run.
    pub new_tokens: usize,
    pub sha256: String,
    /// How many runs gave these tokens, the untimed one too.
    pub sha256_runs: usize,
    pub configurations: Vec<ConfigurationRow>,
    pub drift: Option<f64>,
    pub fastest: Option<Fastest>,
    pub bound: Vec<Bound>,
    pub recall: Vec<RecallByLayer>,
    pub recall_totals: Vec<RecallTotal>,
    pub routing: Routing,
    pub runs: Vec<RunRow>,
}

/// Runs of one configuration that differ by more than this factor are told of.
const DRIFT_TOLD: f64 = 1.1;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct ModelFacts {
    pub path: String,
    pub bytes: u64,
    pub name: String,
    pub architecture: String,
    pub layers: usize,
    pub expert_layers: usize,
    pub experts: usize,
    pub experts_per_token: usize,
    pub expert_bytes: u64,
}

/// Where it was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Machine {
    pub os: &'static str,
    pub arch: &'static str,
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: Option<u64>,
    pub device: String,
    pub device_name: String,
    pub read_path: String,
    pub lanes: usize,
    pub line_rate: LineRate,
    /// What was tried when the read path was chosen; empty for small models and given paths.
    pub read_paths: Vec<Measured>,
}

/// What holds for all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Settings {
    pub tokens: usize,
    pub chat: bool,
    pub start: &'static str,
    pub ctx: usize,
    pub batch: usize,
    pub predictor: PredictorKind,
    pub lookahead: usize,
    /// Configurations by place, in the order in which they ran.
    pub order: Vec<usize>,
}

/// A prompt and its answer, the same in all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct PromptRow {
    pub domain: String,
    pub prompt: String,
    pub prompt_tokens: usize,
    pub answer: String,
    pub answer_tokens: usize,
}

impl BenchReport {
    /// The bound for a number of slots.
    pub fn bound_at(&self, slots: usize) -> Option<&Bound> {
        self.bound.iter().find(|b| b.slots == slots)
    }

    /// By what factor the two runs of a configuration differ in tokens per second, at most.
    pub fn drift_of(configurations: &[ConfigurationRow]) -> Option<f64> {
        let ratio = |row: &ConfigurationRow| match row.tok_s_runs[..] {
            [Some(a), Some(b)] => Some(if a > b { a / b } else { b / a }),
            _ => None,
        };
        configurations.iter().filter_map(ratio).max_by(f64::total_cmp)
    }

    /// The report for a reader: a line per configuration.
    pub fn text(&self) -> String {
        let hash = format!("\nSHA-256 of the tokens, the same in all {} runs: {}\n", self.sha256_runs, self.sha256);
        self.head() + &self.table() + &self.cautions() + &hash
    }

    /// What was measured, where and how.
    fn head(&self) -> String {
        let (model, machine) = (&self.model, &self.machine);
        let model = format!(
            "{} ({}): {} experts in {} layers, {} per token\n",
            model.path,
            bytes(model.bytes),
            model.experts,
            model.expert_layers,
            model.experts_per_token
        );
        let machine = format!(
            "{}: {}; {} reads in {} lanes, {} ({}, {} read)\n",
            machine.device,
            machine.device_name,
            machine.read_path,
            machine.lanes,
            per_second(machine.line_rate.bytes_per_s),
            machine.line_rate.origin(),
            bytes(machine.line_rate.bytes)
        );
        let runs = format!(
            "{}, {}, greedy; each line is two runs, in mirrored order, {} starts\n\
             tok/s is the mean of both runs; p5, median and p95 are of tokens\n\n",
            counted(self.prompts.len(), "prompt"),
            counted(self.new_tokens, "new token"),
            self.settings.start
        );
        model + &machine + &runs
    }

    fn table(&self) -> String {
        let heads = ["tok/s", "p5", "median", "p95", "first ms", "hits", "belady", "read/token", "stall", "peak"];
        let widths = [9, 9, 9, 9, 10, 14, 9, 24, 8, 11];
        let head: String = heads.iter().zip(widths).map(|(head, width)| format!("{head:>width$}")).collect();
        let (size, policy) = (self.width("cache", |c| &c.cache), self.width("policy", |c| &c.policy));
        let mut text = format!("{:<size$}{:>7}  {:<policy$}{:<8}{head}\n", "cache", "slots", "policy", "prefetch");
        for row in &self.configurations {
            let cells = self.cells(row);
            let cells: String = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<size$}{:>7}  {:<policy$}{:<8}{cells}",
                row.cache, row.cache_slots, row.policy, row.prefetch
            );
        }
        text
    }

    /// The figures of a configuration, column by column.
    fn cells(&self, row: &ConfigurationRow) -> [String; 10] {
        let speed = |part: fn(&Spread) -> f64| number(row.tok_s.as_ref().map(part));
        [
            number(row.tok_s_mean),
            speed(|s| s.p5),
            speed(|s| s.median),
            speed(|s| s.p95),
            number(row.first_token_ms.map(|s| s.median)),
            share_range(&row.hit_rate_runs),
            share(self.bound_at(row.cache_slots).and_then(|b| b.hit_rate)),
            bytes_range(&row.bytes_per_token_runs),
            share(row.split.map(|s| s.stall_ms / s.total_ms)),
            row.peak_resident_bytes.map_or("-".into(), bytes),
        ]
    }

    /// What says that figures are to be taken with care.
    fn cautions(&self) -> String {
        let mut text = String::new();
        if self.configurations.iter().any(ConfigurationRow::hits_differ) {
            text += "\nhits and bytes from one end to the other: the two runs differ there, since `auto` prefetches when the clock favours it\n";
        }
        if let Some(drift) = self.drift.filter(|&drift| drift > DRIFT_TOLD) {
            text += &format!(
                "\nthe two runs of a configuration differ by a factor of up to {drift:.2}: the machine was doing something \
                 else, and speeds say little\n"
            );
        }
        text
    }

    fn width(&self, head: &str, of: fn(&ConfigurationRow) -> &str) -> usize {
        self.configurations.iter().map(|c| of(c).len()).chain([head.len()]).max().unwrap_or(0) + 2
    }
}
