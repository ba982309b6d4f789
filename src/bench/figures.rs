//! From runs to figures: what is shown of a run, and of the two runs of a configuration together.

use std::time::Duration;

use serde::Serialize;

use super::Configuration;
use super::run::Outcome;
use crate::expert::pager::Ledger;
use crate::generate::stats::{Counters, Phase};

/// Nearest-rank quantiles of many values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// A twentieth lies below.
    pub p5: f64,
    /// Half lies below.
    pub median: f64,
    /// A twentieth lies above.
    pub p95: f64,
}

impl Spread {
    /// Of these values; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values.get(((share * values.len() as f64).ceil() as usize).max(1) - 1).copied();
        Some(Self { p5: at(0.05)?, median: at(0.5)?, p95: at(0.95)? })
    }
}

/// Where expert bytes went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// Read because the router asked.
    pub demand: u64,
    /// Prefetched, and there when the router asked.
    pub useful: u64,
    /// Prefetched, and still on its way when the router asked.
    pub late: u64,
    /// Prefetched and not asked for, padding of prefetches counted.
    pub wasted: u64,
    /// All of them.
    pub total: u64,
}

impl Bytes {
    /// Of one run, where so many `runs` read and prefetched this together.
    fn of_one(read: u64, ledger: &Ledger, runs: usize) -> Self {
        let Ledger { read_bytes: ahead, useful_bytes: useful, late_bytes: late, .. } = *ledger;
        // what is late may be under way still
        let all = [read.saturating_sub(ahead), useful, late, ahead.saturating_sub(useful + late)];
        let [demand, useful, late, wasted] = all.map(|bytes| bytes / runs.max(1) as u64);
        Self { demand, useful, late, wasted, total: demand + useful + late + wasted }
    }
}

/// Milliseconds of a new token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Split {
    /// Nothing could be computed for want of an expert.
    pub stall_ms: f64,
    /// The rest of the forward pass: kernels, routing, the cache's own work.
    pub compute_ms: f64,
    /// Sampling and text.
    pub rest_ms: f64,
    /// The whole token.
    pub total_ms: f64,
}

impl Split {
    /// Of a token, where `tokens` took this together.
    fn of_one(tokens: usize, stall: Duration, forward: Duration, rest: Duration) -> Option<Self> {
        let ms = |time: Duration| 1e3 * time.as_secs_f64() / tokens as f64;
        let (stall_ms, compute_ms, rest_ms) = (ms(stall), ms(forward.saturating_sub(stall)), ms(rest));
        let total_ms = stall_ms + compute_ms + rest_ms;
        (tokens > 0).then_some(Self { stall_ms, compute_ms, rest_ms, total_ms })
    }
}

/// One timed run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// Number, from 1, in the order in which they ran.
    pub run: usize,
    /// Place of its configuration.
    pub configuration: usize,
    /// `cold` where the file was dropped from the page cache before, else `warm`.
    pub start: &'static str,
    /// Time to open the model.
    pub load_s: f64,
    /// All prompts.
    pub prefill: Phase,
    /// All answers.
    pub decode: Phase,
    /// Tokens of prompts over their time.
    pub prefill_tok_s: Option<f64>,
    /// New tokens over their time.
    pub tok_s_mean: Option<f64>,
    /// Share of new tokens' requests that had a slot, or were on their way.
    pub hit_rate: Option<f64>,
    /// Bytes read for new tokens, each.
    pub bytes_per_token: Option<f64>,
    /// Bytes read for prompts and answers.
    pub bytes_read: u64,
    /// The process's peak during this run.
    pub peak_resident_bytes: Option<u64>,
    /// Of the answers' tokens.
    pub sha256: String,
}

impl RunRow {
    /// What is shown of a run.
    pub fn new(run: usize, configuration: usize, start: &'static str, outcome: &Outcome) -> Self {
        Self {
            run,
            configuration,
            start,
            load_s: outcome.load.as_secs_f64(),
            prefill: outcome.prefill,
            decode: outcome.decode,
            prefill_tok_s: outcome.prefill.tokens_per_second(),
            tok_s_mean: outcome.decode.tokens_per_second(),
            hit_rate: rate(&outcome.decode.experts),
            bytes_per_token: bytes_per_token(&outcome.decode),
            bytes_read: outcome.prefill.experts.bytes_read + outcome.decode.experts.bytes_read,
            peak_resident_bytes: outcome.peak_resident,
            sha256: outcome.sha256(),
        }
    }
}

/// Both runs of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ConfigurationRow {
    /// The cache as it was asked for.
    pub cache: String,
    /// Its slots.
    pub cache_slots: usize,
    /// Of all experts.
    pub cache_share: f64,
    /// Its bytes.
    pub cache_bytes: u64,
    /// Who leaves it.
    pub policy: String,
    /// How much was prefetched.
    pub prefetch: String,
    /// New tokens per second, by token.
    pub tok_s: Option<Spread>,
    /// New tokens over their time, of both runs.
    pub tok_s_mean: Option<f64>,
    /// The same of each run.
    pub tok_s_runs: Vec<Option<f64>>,
    /// Time to the first token of a prompt, in milliseconds, by prompt.
    pub first_token_ms: Option<Spread>,
    /// Share of a new token's requests that had a slot, or were on their way.
    pub hit_rate: Option<f64>,
    /// The same of each run: they differ where `auto` prefetches when the clock favours it.
    pub hit_rate_runs: Vec<Option<f64>>,
    /// The same of prompts.
    pub hit_rate_prefill: Option<f64>,
    /// Bytes read per new token.
    pub bytes_per_token: Option<f64>,
    /// The same of each run.
    pub bytes_per_token_runs: Vec<Option<f64>>,
    /// Time of a new token.
    pub split: Option<Split>,
    /// Bytes of prompts and answers, mean of the runs.
    pub bytes: Bytes,
    /// The larger peak of the runs.
    pub peak_resident_bytes: Option<u64>,
}

impl ConfigurationRow {
    /// From the runs of one configuration, of a model with `experts` in all.
    pub fn new(configuration: &Configuration, experts: usize, runs: &[&Outcome]) -> Self {
        let first = runs.first().copied().cloned().unwrap_or_default();
        let (mut prefill, mut decode) = (Counters::default(), Phase::default());
        let (mut rest, mut ledger) = (Duration::ZERO, Ledger::default());
        for run in runs {
            prefill += run.prefill.experts;
            decode.experts += run.decode.experts;
            decode.tokens += run.decode.tokens;
            decode.time += run.decode.time;
            rest += run.rest;
            ledger += run.ledger;
        }
        let each = |of: &dyn Fn(&Phase) -> Option<f64>| runs.iter().map(|run| of(&run.decode)).collect();
        let seconds = |times: &dyn Fn(&Outcome) -> Vec<Duration>| -> Vec<f64> {
            runs.iter().flat_map(|run| times(run)).map(|t| t.as_secs_f64()).collect()
        };
        let rates = seconds(&|run| run.steps.clone()).into_iter().map(|s| 1.0 / s.max(1e-9)).collect();
        let firsts = seconds(&|run| run.first_tokens.clone()).into_iter().map(|s| 1e3 * s).collect();
        Self {
            cache: configuration.size.clone(),
            cache_slots: first.slots,
            cache_share: first.slots as f64 / experts.max(1) as f64,
            cache_bytes: first.cache_bytes,
            policy: configuration.policy.to_string(),
            prefetch: configuration.prefetch.to_string(),
            tok_s: Spread::of(rates),
            tok_s_mean: decode.tokens_per_second(),
            tok_s_runs: each(&Phase::tokens_per_second),
            first_token_ms: Spread::of(firsts),
            hit_rate: rate(&decode.experts),
            hit_rate_runs: each(&|phase| rate(&phase.experts)),
            hit_rate_prefill: rate(&prefill),
            bytes_per_token: bytes_per_token(&decode),
            bytes_per_token_runs: each(&bytes_per_token),
            split: Split::of_one(decode.tokens, decode.experts.stall, decode.time, rest),
            bytes: Bytes::of_one(prefill.bytes_read + decode.experts.bytes_read, &ledger, runs.len()),
            peak_resident_bytes: runs.iter().filter_map(|run| run.peak_resident).max(),
        }
    }
}

impl ConfigurationRow {
    /// Whether the runs hit a different share of their requests.
    pub fn hits_differ(&self) -> bool {
        self.hit_rate_runs.windows(2).any(|runs| runs[0] != runs[1])
    }
}

fn rate(counters: &Counters) -> Option<f64> {
    (counters.requests() > 0).then(|| counters.hits as f64 / counters.requests() as f64)
}

fn bytes_per_token(phase: &Phase) -> Option<f64> {
    (phase.tokens > 0).then(|| phase.experts.bytes_read as f64 / phase.tokens as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::cache::PolicyKind;
    use crate::expert::pager::Prefetch;
    use crate::generate::plan::CacheSize;

    #[test]
    fn quantiles_take_the_nearest_rank() {
        let spread = Spread::of((1..=20).rev().map(f64::from).collect()).unwrap();
        assert_eq!((spread.p5, spread.median, spread.p95), (1.0, 10.0, 19.0));
        assert_eq!(Spread::of(vec![]), None);
    }

    #[test]
    fn two_runs_of_a_configuration_are_taken_together() {
        let run = |ms: u64, hits, stall| {
            let experts = Counters { hits, misses: 10 - hits, bytes_read: 800, stall, ..Counters::default() };
            Outcome {
                decode: Phase { tokens: 2, time: Duration::from_millis(2 * ms), experts },
                steps: vec![Duration::from_millis(ms); 2],
                rest: Duration::from_millis(2),
                slots: 4,
                ledger: Ledger { read_bytes: 400, useful_bytes: 300, ..Ledger::default() },
                peak_resident: Some(ms),
                ..Outcome::default()
            }
        };
        let (a, b) = (run(10, 4, Duration::from_millis(4)), run(20, 6, Duration::from_millis(8)));
        let configuration = Configuration {
            cache: CacheSize::Share(0.5),
            size: "50%".into(),
            policy: PolicyKind::Lru,
            prefetch: Prefetch::Auto,
        };
        let row = ConfigurationRow::new(&configuration, 8, &[&a, &b]);
        assert_eq!((row.cache_share, row.hit_rate, row.bytes_per_token), (0.5, Some(0.5), Some(400.0)));
        assert_eq!((row.hit_rate_runs, row.bytes_per_token_runs), (vec![Some(0.4), Some(0.6)], vec![Some(400.0); 2]));
        assert_eq!(row.tok_s_runs, [Some(100.0), Some(50.0)]);
        assert!((row.tok_s_mean.unwrap() - 4.0 / 0.06).abs() < 1e-9);
        assert_eq!(row.split, Some(Split { stall_ms: 3.0, compute_ms: 12.0, rest_ms: 1.0, total_ms: 16.0 }));
        assert_eq!(row.bytes, Bytes { demand: 400, useful: 300, late: 0, wasted: 100, total: 800 });
        assert_eq!((row.peak_resident_bytes, row.hit_rate_prefill, row.first_token_ms), (Some(20), None, None));
    }
}
