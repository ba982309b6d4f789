//! A setting that was timed, and what is said of it.

use std::time::Duration;

use serde::Serialize;

use super::forecast::Measured;
use crate::bench::run::Outcome;
use crate::generate::plan::Plan;
use crate::generate::profile::Setting;

/// What is taken is faster by this factor at least, over both of its runs, and in each of them by itself.
const FASTER: f64 = 1.02;

/// What came of a setting beside the first of its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Predictions were fitted to it; it was compared with nothing.
    Fitted,
    /// It is the first.
    Base,
    /// Faster by 2 % at least, and in each run.
    Faster,
    /// Faster by as much over all, but not in each run.
    NotEachRun,
    /// Not faster, or by less.
    NotFaster,
}

/// A setting that was timed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The round, from 1, in which it was timed: rounds are compared with themselves alone.
    pub round: usize,
    /// What came of it there.
    pub verdict: Verdict,
    /// What it is.
    #[serde(flatten)]
    pub setting: Setting,
    /// Slots of its cache.
    pub slots: usize,
    /// Of all experts.
    pub share: f64,
    /// Bytes of its cache.
    pub cache_bytes: u64,
    /// What was predicted before it ran; `None` for runs that calibrated, and where reading was changed.
    pub predicted_tok_s: Option<f64>,
    /// What it reached: the faster of its runs counts, token by token.
    pub tok_s: f64,
    /// By how much the prediction was too high, as a share of what was reached.
    pub error: Option<f64>,
    /// Share of a new token's requests that hit.
    pub hit_rate: Option<f64>,
    /// Bytes read per new token.
    pub bytes_per_token: f64,
    /// New tokens per second of each run.
    pub tok_s_runs: Vec<f64>,
}

/// A setting with its plan and its runs.
pub struct Timed {
    /// What it is.
    pub setting: Setting,
    /// What it was planned to take.
    pub plan: Plan,
    /// Tokens per second that were predicted before it ran.
    pub predicted: Option<f64>,
    /// The round in which it was timed.
    pub round: usize,
    /// What came of it there.
    pub verdict: Verdict,
    /// In the order in which they ran.
    pub runs: Vec<Outcome>,
}

impl Timed {
    /// Time of all new tokens, of each the faster run: what else the machine does can only make a token slower.
    pub fn time(&self) -> Duration {
        let tokens = self.runs.iter().map(|run| run.steps.len()).min().unwrap_or(0);
        (0..tokens).map(|n| self.runs.iter().map(|run| run.steps[n]).min().unwrap_or_default()).sum()
    }

    fn token_s(&self) -> f64 {
        self.time().as_secs_f64() / self.runs.first().map_or(1, |run| run.steps.len().max(1)) as f64
    }

    /// What calibrates a forecast.
    pub fn measured(&self) -> Measured<'_> {
        let stalled = |run: &Outcome| run.decode.experts.stall.as_secs_f64() / run.decode.time.as_secs_f64().max(1e-9);
        let stall = self.runs.iter().map(stalled).fold(1.0, f64::min);
        Measured { plan: &self.plan, token_s: self.token_s(), compute_s: self.token_s() * (1.0 - stall) }
    }

    /// This beside `base`, each run with its counterpart.
    pub fn against(&self, base: &Self) -> Verdict {
        let time = |run: &Outcome| run.steps.iter().sum::<Duration>();
        let each = self.runs.iter().zip(&base.runs).all(|(a, b)| time(a) < time(b));
        match self.time().as_secs_f64() * FASTER < base.time().as_secs_f64() {
            true if each => Verdict::Faster,
            true => Verdict::NotEachRun,
            false => Verdict::NotFaster,
        }
    }

    /// Whether this is faster than `other` by enough.
    pub fn beats(&self, other: &Self) -> bool {
        self.against(other) == Verdict::Faster
    }

    /// What is reported.
    pub fn trial(&self) -> Trial {
        let tok_s = 1.0 / self.token_s().max(1e-9);
        let decode = self.runs.first().map(|run| run.decode).unwrap_or_default();
        let requests = decode.experts.requests();
        Trial {
            round: self.round,
            verdict: self.verdict,
            setting: self.setting,
            slots: self.plan.slot_count(),
            share: self.plan.slot_count() as f64 / self.plan.experts.max(1) as f64,
            cache_bytes: self.plan.slots,
            predicted_tok_s: self.predicted,
            tok_s,
            error: self.predicted.map(|predicted| predicted / tok_s - 1.0),
            hit_rate: (requests > 0).then(|| decode.experts.hits as f64 / requests as f64),
            bytes_per_token: decode.experts.bytes_read as f64 / decode.tokens.max(1) as f64,
            tok_s_runs: self.runs.iter().filter_map(|run| run.decode.tokens_per_second()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::cache::PolicyKind;
    use crate::expert::pager::Prefetch;
    use crate::expert::source::ReadPath;
    use crate::generate::stats::{Counters, Phase};

    fn timed(runs: &[[u64; 2]]) -> Timed {
        let run = |steps: &[u64; 2]| {
            let steps: Vec<Duration> = steps.iter().map(|&ms| Duration::from_millis(ms)).collect();
            let time = steps.iter().sum();
            let experts = Counters { hits: 3, misses: 1, bytes_read: 100, stall: time / 4, ..Counters::default() };
            Outcome { decode: Phase { tokens: 2, time, experts }, steps, ..Outcome::default() }
        };
        let setting = Setting {
            cache: None,
            policy: PolicyKind::DEFAULT,
            prefetch: Prefetch::Off,
            path: ReadPath::Direct,
            lanes: 4,
        };
        Timed {
            setting,
            plan: Plan::default(),
            predicted: Some(120.0),
            round: 1,
            verdict: Verdict::Base,
            runs: runs.iter().map(run).collect(),
        }
    }

    #[test]
    fn of_each_token_the_faster_run_counts() {
        let timed = timed(&[[10, 30], [40, 10]]);
        assert_eq!(timed.time(), Duration::from_millis(20));
        let trial = timed.trial();
        assert_eq!((trial.tok_s, trial.hit_rate, trial.bytes_per_token), (100.0, Some(0.75), 50.0));
        assert!((trial.error.unwrap() - 0.2).abs() < 1e-9, "{trial:?}");
        assert!((timed.measured().compute_s - 0.0075).abs() < 1e-9);
    }

    #[test]
    fn what_is_faster_only_once_does_not_beat() {
        let base = timed(&[[10, 10], [10, 10]]);
        assert!(timed(&[[9, 9], [9, 9]]).beats(&base));
        assert_eq!(timed(&[[9, 9], [11, 10]]).against(&base), Verdict::NotEachRun, "its second run was slower");
        let hair = timed(&[[1000, 999], [1000, 999]]);
        assert!(!hair.beats(&timed(&[[1000, 1000], [1000, 1000]])), "a thousandth is noise");
        assert!(!base.beats(&base));
    }
}
