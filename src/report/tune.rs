//! What `foregate tune` found: tables for people, JSON for programs.

use std::fmt::Write;

use serde::Serialize;

use crate::generate::profile::Setting;
use crate::report::units::{bytes, number, per_second, share};
use crate::tune::search::Size;
use crate::tune::trial::{Trial, Verdict};

/// The schema of [`TuneReport`].
pub const TUNE_SCHEMA: &str = "foregate.tune/1";
/// Predictions that are further off, as a share of what was reached, are warned of.
const DOUBTFUL: f64 = 0.15;

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
    /// Place of the fastest among the trials; `None` where an earlier run's profile answers.
    pub best_trial: Option<usize>,
    /// What `sizes` and `what_if` are predicted for.
    pub asked: Setting,
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

    /// A warning where predictions were further off than they are worth.
    pub fn doubts(&self) -> Option<String> {
        let most = self.prediction_error_most.filter(|&most| most > DOUBTFUL)?;
        Some(format!(
            "predictions were off by up to {:.0} % here: so may be what is told of other sizes; tune again on a quiet machine",
            100.0 * most
        ))
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
            let _ = writeln!(text, "\npredicted for other cache sizes, {}:", self.basis());
            self.sizes_text(&mut text);
        }
        if !self.what_if.is_empty() {
            let basis = self.basis();
            let _ = writeln!(text, "\nwhat more memory buys, and less costs, once tuned for, predicted for {basis}:");
            self.what_if_text(&mut text);
        }
        self.best_text(&mut text);
        text
    }

    /// What predictions are for.
    fn basis(&self) -> String {
        format!("{}, over {} from an empty cache", self.asked, tokens(self.tokens))
    }

    /// The fastest, how that was found, and why no row with a larger figure was taken.
    fn best_text(&self, text: &mut String) {
        let (best, tok_s) = (whole(&self.best), number(Some(self.tok_s)));
        let Some(taken) = self.best_trial.and_then(|place| self.trials.get(place)) else {
            let _ = writeln!(text, "\nfastest, as an earlier run measured: {best}: {tok_s} tok/s");
            return;
        };
        let _ = writeln!(
            text,
            "\nfastest: {best}: {tok_s} tok/s, measured in round {} over {} from an empty cache, of each token the faster run",
            taken.round,
            tokens(self.tokens)
        );
        for trial in self.trials.iter().filter(|trial| trial.tok_s > self.tok_s && trial.setting != self.best) {
            let _ = writeln!(
                text,
                "not taken: {}: {} tok/s in round {}, {}",
                whole(&trial.setting),
                number(Some(trial.tok_s)),
                trial.round,
                why_not(trial)
            );
        }
    }

    fn trials_text(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{:<12}{:>7}  {:<52}{:>10}{:>10}{:>8}{:>8}{:>12}",
            "cache", "slots", "setting", "predicted", "tok/s", "off by", "hits", "read/token"
        );
        let mut round = 0;
        for trial in &self.trials {
            if trial.round != round {
                round = trial.round;
                let _ = writeln!(text, "{}", round_text(trial));
            }
            let _ = writeln!(
                text,
                "{:<12}{:>7}  {:<52}{:>10}{:>10}{:>8}{:>8}{:>12}",
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

/// A setting with its cache.
fn whole(setting: &Setting) -> String {
    let cache = setting.cache.map_or("all that fits".into(), bytes);
    format!("cache {cache}, {setting}")
}

fn tokens(n: usize) -> String {
    format!("{n} new token{}", if n == 1 { "" } else { "s" })
}

/// The line above the rows of a round, whose first is `trial`.
fn round_text(trial: &Trial) -> String {
    match trial.verdict {
        Verdict::Fitted => format!("round {}, which predictions are fitted to:", trial.round),
        _ => format!("round {}, each beside its first:", trial.round),
    }
}

/// Why a trial with a larger figure than the fastest was not taken.
fn why_not(trial: &Trial) -> &'static str {
    match trial.verdict {
        Verdict::NotEachRun => "but not faster than the first of its round in each of its runs",
        Verdict::NotFaster => "but not faster by 2 % than the first of its round",
        Verdict::Fitted => "which predictions were fitted to: it was compared with nothing",
        Verdict::Base | Verdict::Faster => "but rounds are compared with themselves alone",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::cache::PolicyKind;
    use crate::expert::pager::Prefetch;
    use crate::expert::source::ReadPath;

    const BEST: Setting =
        Setting { cache: None, policy: PolicyKind::NextUse, prefetch: Prefetch::Off, path: ReadPath::Direct, lanes: 4 };

    fn trial(round: usize, verdict: Verdict, prefetch: Prefetch, tok_s: f64) -> Trial {
        Trial {
            round,
            verdict,
            setting: Setting { prefetch, ..BEST },
            slots: 9,
            share: 0.5,
            cache_bytes: 1 << 20,
            predicted_tok_s: None,
            tok_s,
            error: None,
            hit_rate: None,
            bytes_per_token: 0.0,
            tok_s_runs: vec![tok_s; 2],
        }
    }

    fn report(trials: Vec<Trial>, best_trial: Option<usize>, tokens: usize) -> TuneReport {
        TuneReport {
            schema: TUNE_SCHEMA,
            model: "m.gguf".into(),
            model_bytes: 1,
            experts: 18,
            expert_layers: 2,
            experts_per_token: 4,
            device: "cpu".into(),
            disk: "sda".into(),
            tokens,
            compute_ms: 1.0,
            latency_ms: 0.1,
            bytes_per_s: 1e9,
            recall: 0.5,
            prediction_error_median: None,
            prediction_error_most: None,
            best: BEST,
            tok_s: best_trial.map_or(5.0, |place| trials[place].tok_s),
            best_trial,
            asked: BEST,
            what_if: Vec::new(),
            trials,
            sizes: Vec::new(),
            profile: None,
        }
    }

    #[test]
    fn every_row_above_the_fastest_is_explained() {
        let trials = vec![
            trial(1, Verdict::Fitted, Prefetch::Off, 13.0),
            trial(2, Verdict::Base, Prefetch::Off, 10.0),
            trial(2, Verdict::NotEachRun, Prefetch::Auto, 12.0),
            trial(2, Verdict::NotFaster, Prefetch::AtMost(2), 10.1),
            trial(2, Verdict::NotFaster, Prefetch::AtMost(9), 9.0),
        ];
        let text = report(trials, Some(1), 24).text();
        for part in [
            "round 1, which predictions are fitted to:",
            "fastest: cache all that fits, next-use, prefetch off, direct reads in 4 lanes: 10.0 tok/s, measured in round 2",
            "prefetch auto, direct reads in 4 lanes: 12.0 tok/s in round 2, but not faster than the first of its round in each",
            "prefetch 2, direct reads in 4 lanes: 10.1 tok/s in round 2, but not faster by 2 %",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("not taken").count(), 2, "{text}");
    }

    #[test]
    fn predictions_that_were_far_off_are_warned_of() {
        let mut report = report(Vec::new(), None, 24);
        assert_eq!(report.doubts(), None);
        report.prediction_error_most = Some(0.15);
        assert_eq!(report.doubts(), None);
        report.prediction_error_most = Some(0.312);
        assert!(report.doubts().unwrap().starts_with("predictions were off by up to 31 % here: "));
    }

    #[test]
    fn what_is_predicted_says_for_how_many_tokens_and_from_where() {
        let mut kept = report(Vec::new(), None, 1);
        kept.what_if = vec![WhatIf { budget_bytes: 1 << 30, size: None, refused: Some("too little".into()) }];
        kept.asked.policy = PolicyKind::Lru;
        let text = kept.text();
        let head = "predicted for lru, prefetch off, direct reads in 4 lanes, over 1 new token from an empty cache:";
        assert!(
            text.contains(head) && text.contains("as an earlier run measured: cache all that fits, next-use"),
            "{text}"
        );
    }
}
