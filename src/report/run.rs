//! One answer's figures: for people on stderr, for programs as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::expert::ExpertLayer;
use crate::expert::pager::{Ledger, PrefetchedTokens, WarmLedger};
use crate::expert::predict::{PredictorKind, RecallRow, totals};
use crate::generate::profile::Setting;
use crate::generate::sampler::Sampling;
use crate::generate::stats::{Phase, RunStats};
use crate::generate::stream::Ended;
use crate::report::units::{bytes, percent};

/// What `generate --json` prints. The README explains the fields; a change of meaning changes `schema`.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct GenerateReport {
    pub schema: &'static str,
    pub text: String,
    pub thought: Option<String>,
    pub ids: Vec<u32>,
    pub tokens: usize,
    pub prompt_tokens: usize,
    pub ended: Ended,
    pub sha256: String,
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub bytes_read: u64,
    pub prefill_tok_s: Option<f64>,
    pub decode_tok_s: Option<f64>,
    pub time_to_first_token_s: Option<f64>,
    pub stall_s: f64,
    pub load_s: f64,
    pub prefill: Phase,
    pub decode: Phase,
    pub decode_step_ms: Option<Quantiles>,
    pub recall: Vec<RecallRow>,
    pub prefetched_tokens: PrefetchedTokens,
    pub ledger: Vec<LedgerRow>,
    pub seed: u64,
    pub sampling: Sampling,
    pub run: RunFacts,
}

/// The schema of [`GenerateReport`].
pub const GENERATE_SCHEMA: &str = "foregate.generate/1";

/// What prefetches of one layer's experts came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LedgerRow {
    /// Layer of the model.
    pub layer: u32,
    /// Counts and bytes.
    #[serde(flatten)]
    pub ledger: Ledger,
}

impl LedgerRow {
    /// A row per layer with experts, in model order; none where nothing was prefetched.
    pub fn all(layers: &[ExpertLayer], ledger: &[Ledger]) -> Vec<Self> {
        let any = ledger.iter().any(|l| l.issued > 0);
        let rows = layers.iter().zip(ledger).map(|(layer, &ledger)| Self { layer: layer.layer, ledger });
        rows.filter(|_| any).collect()
    }
}

/// Where and with what a run was made.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct RunFacts {
    pub model: String,
    pub model_bytes: u64,
    pub device: String,
    pub device_name: String,
    pub ctx: usize,
    pub batch: usize,
    pub memory_bytes: u64,
    pub vram_bytes: Option<u64>,
    pub cache_slots: usize,
    pub cache_bytes: u64,
    pub experts: usize,
    pub experts_per_token: usize,
    pub read_path: String,
    pub lanes: usize,
    pub policy: &'static str,
    pub warm: WarmLedger,
    pub profile: Option<Setting>,
    pub prefetch: String,
    pub predictor: PredictorKind,
    pub peak_resident_bytes: Option<u64>,
}

/// Step times in milliseconds, nearest rank.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Quantiles {
    pub p5: f64,
    pub median: f64,
    pub p95: f64,
}

impl Quantiles {
    /// The quantiles of a run's decode steps; `None` if there were none.
    pub fn of_steps(stats: &RunStats) -> Option<Self> {
        let ms = |share| stats.step_quantile(share).map(|step| step.as_secs_f64() * 1e3);
        Some(Self { p5: ms(0.05)?, median: ms(0.5)?, p95: ms(0.95)? })
    }
}

/// A run's figures for a reader of `--stats`, one line per phase.
pub fn stats_text(stats: &RunStats, peak_resident: Option<u64>) -> String {
    let mut text = phase_line("prefill", &stats.prefill) + &phase_line("decode", &stats.decode);
    // Writing to a string cannot fail.
    if let Some(first) = stats.first_token {
        let _ = writeln!(text, "first token after {:.3} s", first.as_secs_f64());
    }
    if let Some(steps) = Quantiles::of_steps(stats) {
        let _ = writeln!(text, "decode step: median {:.1} ms, p5 {:.1}, p95 {:.1}", steps.median, steps.p5, steps.p95);
    }
    if let Some(peak) = peak_resident {
        let _ = writeln!(text, "peak resident memory {}", bytes(peak));
    }
    text
}

/// What prefetches came to, on one line, and for how many `tokens` there were any; empty if there were none.
pub fn ledger_text(layers: &[Ledger], tokens: PrefetchedTokens) -> String {
    let mut all = Ledger::default();
    layers.iter().for_each(|layer| all += *layer);
    if all.issued == 0 {
        return String::new();
    }
    format!(
        "prefetched {} experts for {} of {} tokens: {} useful ({}), {} late ({}), {} wasted ({}), {} given up before they \
         were read\n",
        all.issued,
        tokens.with,
        tokens.of,
        all.useful,
        bytes(all.useful_bytes),
        all.late,
        bytes(all.late_bytes),
        all.wasted,
        bytes(all.wasted_bytes),
        all.cancelled
    )
}

/// What came of the experts that an earlier run kept, on one line; empty if there were none.
pub fn warm_text(warm: WarmLedger) -> String {
    let WarmLedger { kept, read_bytes, useful, late } = warm;
    if kept == 0 {
        return String::new();
    }
    let read = bytes(read_bytes);
    format!(
        "warm start: {kept} experts kept, {read} read; {useful} were there when they were asked for, {late} on their way\n"
    )
}

/// How often predictions were right, a line per predictor and distance; empty if nothing was predicted.
pub fn recall_text(rows: &[RecallRow]) -> String {
    let line = |row: &RecallRow| {
        let RecallRow { predictor, d, slots, slot_hits, misses, miss_hits, .. } = *row;
        let ahead = match d {
            Some(d) => format!("{predictor}, d = {d}"),
            None => format!("{predictor}, before the token"),
        };
        let (slots_share, misses_share) = (percent(slot_hits, slots), percent(miss_hits, misses));
        format!(
            "recall by {ahead}: {slots_share} of routed experts ({slot_hits} of {slots}), {misses_share} of misses \
             ({miss_hits} of {misses})\n"
        )
    };
    totals(rows).iter().map(line).collect()
}

/// One phase's figures on one line.
pub fn phase_line(name: &str, phase: &Phase) -> String {
    let speed = phase.tokens_per_second().map_or("-".into(), |speed| format!("{speed:.2}"));
    let experts = &phase.experts;
    format!(
        "{name}: {} tokens, {speed} tokens/s; expert hits {} ({} of {}), evictions {}; read {}{}; stalled {:.3} s\n",
        phase.tokens,
        percent(experts.hits, experts.requests()),
        experts.hits,
        experts.requests(),
        experts.evictions,
        bytes(experts.bytes_read),
        match phase.tokens {
            0 => String::new(),
            n => format!(" ({} per token)", bytes(experts.bytes_read / n as u64)),
        },
        experts.stall.as_secs_f64(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::expert::predict::Method;
    use crate::generate::stats::Counters;

    #[test]
    fn recall_is_a_line_per_predictor_and_distance() {
        let row = |layer, predictor, d, slot_hits| RecallRow {
            predictor,
            layer,
            d,
            slots: 8,
            slot_hits,
            misses: 2,
            miss_hits: 1,
        };
        let rows = [row(1, Method::Fate, Some(1), 7), row(2, Method::Fate, Some(1), 5), row(0, Method::Token, None, 4)];
        assert_eq!(
            recall_text(&rows),
            "recall by fate, d = 1: 75.0 % of routed experts (12 of 16), 50.0 % of misses (2 of 4)\n\
             recall by token, before the token: 50.0 % of routed experts (4 of 8), 50.0 % of misses (1 of 2)\n"
        );
        assert_eq!(recall_text(&[]), "");
    }

    #[test]
    fn prefetches_are_a_line_or_nothing() {
        let ledger =
            Ledger { issued: 9, useful: 4, useful_bytes: 4 << 20, late: 1, late_bytes: 1 << 20, ..Ledger::default() };
        let waste = Ledger { issued: 3, wasted: 2, wasted_bytes: 3 << 20, cancelled: 5, ..Ledger::default() };
        assert_eq!(
            ledger_text(&[ledger, waste], PrefetchedTokens { with: 30, of: 63 }),
            "prefetched 12 experts for 30 of 63 tokens: 4 useful (4.00 MiB), 1 late (1.00 MiB), 2 wasted (3.00 MiB), 5 given up before they were read\n"
        );
        assert_eq!(ledger_text(&[Ledger::default()], PrefetchedTokens::default()), "");
    }

    #[test]
    fn stats_name_speed_hits_bytes_and_stall_of_both_phases() {
        let experts =
            Counters { hits: 3, misses: 1, evictions: 1, bytes_read: 4 << 20, stall: Duration::from_millis(250) };
        let stats = RunStats {
            prefill: Phase { tokens: 8, time: Duration::from_secs(2), experts },
            decode: Phase::default(),
            first_token: Some(Duration::from_millis(2100)),
            steps: vec![],
        };
        assert_eq!(
            stats_text(&stats, Some(1 << 30)),
            "prefill: 8 tokens, 4.00 tokens/s; expert hits 75.0 % (3 of 4), evictions 1; read 4.00 MiB (512.0 KiB per \
             token); stalled 0.250 s\n\
             decode: 0 tokens, - tokens/s; expert hits - (0 of 0), evictions 0; read 0 bytes; stalled 0.000 s\n\
             first token after 2.100 s\npeak resident memory 1.00 GiB\n"
        );
    }
}
