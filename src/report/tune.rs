//! What `foregate tune` found: tables for people, JSON for programs.

use std::fmt::Write;

use serde::Serialize;

use crate::generate::profile::Setting;
use crate::report::units::{bytes, number, per_second, share};
use crate::tune::search::Size;
use crate::tune::trial::Trial;

/// The schema of [`TuneReport`].
pub const TUNE_SCHEMA: &str = "foregate.tune/1";

/// What `tune --json` prints. The README explains the fields; a change of meaning changes `schema`.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct TuneReport {
    pub schema: &'static str,
    pub model: String,
    pub model_bytes: u64,
    pub experts: usize,
    pub expert_layers: usize,
    pub experts_per_token: usize,
    pub device: String,
    pub disk: String,
    /// New tokens of a run.
    pub tokens: usize,
    /// Computing of a token.
    pub compute_ms: f64,
    pub latency_ms: f64,
    pub bytes_per_s: f64,
    /// Share of the routed experts that were predicted one layer ahead.
    pub recall: f64,
    /// Empty where an earlier run's profile answers.
    pub trials: Vec<Trial>,
    pub prediction_error_median: Option<f64>,
    pub prediction_error_most: Option<f64>,
    pub best: Setting,
    pub tok_s: f64,
    pub sizes: Vec<Size>,
    pub what_if: Vec<WhatIf>,
    pub profile: Option<String>,
}

/// One budget.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct WhatIf {
    /// `--memory`, or `--vram` of a GPU with memory of its own.
    pub budget_bytes: u64,
    /// What it would reach; `None` where it cannot work.
    #[serde(flatten)]
    pub size: Option<Size>,
    /// Why it cannot.
    pub refused: Option<String>,
}

impl TuneReport {
    /// Median and largest distance between predictions made before a run and what the run reached.
    pub fn errors(trials: &[Trial]) -> (Option<f64>, Option<f64>) {
        let mut errors: Vec<f64> = trials.iter().filter_map(|trial| trial.error).map(f64::abs).collect();
        errors.sort_unstable_by(f64::total_cmp);
        (errors.get(errors.len().saturating_sub(1) / 2).copied(), errors.last().copied())
    }

    /// The report for a reader.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} ({}) on {}, drive {}", self.model, bytes(self.model_bytes), self.device, self.disk);
        let _ = writeln!(
            text,
            "a token computes for {} ms; experts come with {} ms of latency and {}",
            number(Some(self.compute_ms)),
            number(Some(self.latency_ms)),
            per_second(self.bytes_per_s)
        );
        if !self.trials.is_empty() {
            self.trials_text(&mut text);
        }
        if !self.sizes.is_empty() {
            let _ = writeln!(text, "\npredicted for other cache sizes, {}:", self.best);
            self.sizes_text(&mut text);
        }
        if !self.what_if.is_empty() {
            let _ = writeln!(text, "\nwhat more memory buys, and less costs:");
            self.what_if_text(&mut text);
        }
        let cache = self.best.cache.map_or("all that fits".into(), bytes);
        let _ = writeln!(
            text,
            "\nfastest: cache {cache}, {}: {} tok/s over {} new tokens, from an empty cache",
            self.best,
            number(Some(self.tok_s)),
            self.tokens
        );
        text
    }

    fn trials_text(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{:<12}{:>7}  {:<54}{:>10}{:>10}{:>8}{:>8}{:>12}",
            "cache", "slots", "setting", "predicted", "tok/s", "off by", "hits", "read/token"
        );
        for trial in &self.trials {
            let _ = writeln!(
                text,
                "{:<12}{:>7}  {:<54}{:>10}{:>10}{:>8}{:>8}{:>12}",
                bytes(trial.cache_bytes),
                trial.slots,
                trial.setting.to_string(),
                number(trial.predicted_tok_s),
                number(Some(trial.tok_s)),
                trial.error.map_or("-".into(), |e| format!("{:+.0} %", 100.0 * e)),
                share(trial.hit_rate),
                bytes(trial.bytes_per_token as u64)
            );
        }
        if let (Some(median), Some(most)) = (self.prediction_error_median, self.prediction_error_most) {
            let _ = writeln!(
                text,
                "predictions made before a run were off by {:.0} % in the median, {:.0} % at most",
                100.0 * median,
                100.0 * most
            );
        }
    }

    fn sizes_text(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{:<12}{:>7}{:>9}{:>10}{:>9}{:>12}",
            "cache", "slots", "share", "tok/s", "hits", "read/token"
        );
        for size in &self.sizes {
            let _ = writeln!(text, "{:<12}{}", bytes(size.cache_bytes), columns(size));
        }
    }

    fn what_if_text(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{:<12}{:>7}{:>9}{:>10}{:>9}{:>12}",
            "budget", "slots", "share", "tok/s", "hits", "read/token"
        );
        for row in &self.what_if {
            let columns = row.size.as_ref().map(columns).or_else(|| row.refused.as_ref().map(|why| format!("  {why}")));
            let _ = writeln!(text, "{:<12}{}", bytes(row.budget_bytes), columns.unwrap_or_default());
        }
    }
}

fn columns(size: &Size) -> String {
    format!(
        "{:>7}{:>9}{:>10}{:>9}{:>12}",
        size.slots,
        share(Some(size.share)),
        number(Some(size.predicted.tok_s)),
        share(Some(size.predicted.hit_rate)),
        bytes(size.predicted.bytes_per_token as u64)
    )
}
