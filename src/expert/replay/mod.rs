//! Replays recorded routing through the cache that live runs use. Pure: traces come in, counts go out.
//!
//! [`Requests`] picks what is replayed, [`run`] asks a cache of one pool with any policy, [`as_recorded`] repeats a run with
//! all that its cache was given, and [`locality`] and [`foresight`] tell how much there is to gain.

pub mod foresight;
pub mod locality;
mod recorded;
#[cfg(test)]
mod tests;

pub use recorded::{Disagreement, as_recorded};

use std::ops::Range;

use super::cache::{Belady, Cache, Counts, EvictionPolicy, Phase, PolicyShape, Request};
use super::trace::{Event, Routed, Trace};
use super::{LayerShape, SlotClass};
use crate::error::Result;

/// Which steps are replayed; the others do not even fill the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// New tokens.
    Decode,
    /// Prompts.
    Prefill,
    /// Both, in the order of the trace.
    #[default]
    All,
}

impl Selection {
    fn takes(self, phase: Phase) -> bool {
        match self {
            Self::Decode => phase == Phase::Decode,
            Self::Prefill => phase == Phase::Prefill,
            Self::All => true,
        }
    }
}

/// One (step, layer) of a trace.
pub struct Step<'a> {
    /// What it asked for.
    pub routed: &'a Routed,
    /// Its distinct experts in [`Requests::distinct`].
    distinct: Range<usize>,
    /// Whether it is behind the warm-up.
    pub counted: bool,
    /// Place of its layer in [`Requests::layers`].
    place: usize,
}

/// The requests of a trace that are replayed.
pub struct Requests<'a> {
    /// Layers that ask for experts, all of one class.
    pub layers: Vec<LayerShape>,
    /// In the order of the trace.
    pub steps: Vec<Step<'a>>,
    distinct: Vec<u32>,
    /// Tokens in all, those of the warm-up too.
    pub tokens: usize,
    /// Those behind the warm-up.
    pub tokens_counted: usize,
}

impl<'a> Requests<'a> {
    /// Takes the steps of a phase. The first `warmup` tokens fill the cache and are not counted; tokens that are computed
    /// together count if the first of them is behind the warm-up.
    pub fn new(trace: &'a Trace, selection: Selection, warmup: usize) -> Self {
        let layers: Vec<LayerShape> = trace.layers.iter().map(|l| LayerShape { class: 0, ..*l }).collect();
        let mut places = vec![0; layers.last().map_or(0, |l| l.layer as usize + 1)];
        layers.iter().enumerate().for_each(|(place, layer)| places[layer.layer as usize] = place);
        let mut requests = Self { layers, steps: Vec::new(), distinct: Vec::new(), tokens: 0, tokens_counted: 0 };
        let mut seen: Vec<bool> = Vec::new();
        // Tokens before the pass, tokens of the pass, and the last step of it.
        let (mut before, mut in_pass, mut left_out) = (0, 0, 0);
        let mut last: Option<&Routed> = None;
        for recorded in &trace.events {
            let Event::Routed(routed) = &recorded.event else { continue };
            if !selection.takes(routed.phase) {
                continue;
            }
            if last.is_none_or(|last| begins_pass(last, routed)) {
                before += in_pass;
                in_pass = 0;
            }
            last = Some(routed);
            in_pass = in_pass.max(routed.chosen.len() / routed.k);
            if before < warmup {
                left_out = before + in_pass;
            }
            let first = requests.distinct.len();
            distinct_of(&routed.chosen, &mut seen, &mut requests.distinct);
            let distinct = first..requests.distinct.len();
            let place = places[routed.layer as usize];
            requests.steps.push(Step { routed, distinct, counted: before >= warmup, place });
        }
        requests.tokens = before + in_pass;
        requests.tokens_counted = requests.tokens - left_out;
        requests
    }

    /// A step's distinct experts, in order of first appearance.
    pub fn distinct(&self, step: &Step<'_>) -> &[u32] {
        &self.distinct[step.distinct.clone()]
    }

    /// Requests that are counted.
    pub fn counted(&self) -> u64 {
        self.steps.iter().filter(|s| s.counted).map(|s| s.distinct.len() as u64).sum()
    }

    /// Bytes that the counted misses of a replay take, per counted token, where an expert takes `expert_bytes`, beside
    /// the layers. `None` without sizes or tokens.
    pub fn bytes_per_token(&self, replayed: &[PhaseCounts], expert_bytes: &[u64]) -> Option<f64> {
        let known = expert_bytes.len() == self.layers.len() && self.tokens_counted > 0;
        let of = |(counts, &bytes): (&PhaseCounts, &u64)| counts.sum().misses as f64 * bytes as f64;
        known.then(|| replayed.iter().zip(expert_bytes).map(of).sum::<f64>() / self.tokens_counted as f64)
    }

    /// Experts of all layers.
    pub fn experts(&self) -> usize {
        self.layers.iter().map(|l| l.count).sum()
    }

    /// Experts that one token touches, in all layers; the most where tokens differ.
    pub fn token_cycle(&self) -> usize {
        let mut k = vec![0; self.layers.last().map_or(0, |l| l.layer as usize + 1)];
        for step in &self.steps {
            let most = &mut k[step.routed.layer as usize];
            *most = step.routed.k.max(*most);
        }
        k.iter().sum()
    }

    /// Whether every step has the router's probabilities.
    pub fn have_scores(&self) -> bool {
        self.steps.iter().all(|s| s.routed.scores.is_some())
    }

    fn request<'b>(&'b self, step: &'b Step<'_>) -> Request<'b> {
        request(step.routed, self.distinct(step))
    }
}

/// Whether a new pass through the layers begins.
pub(super) fn begins_pass(last: &Routed, next: &Routed) -> bool {
    (last.turn, last.phase) != (next.turn, next.phase)
        || next.layer <= last.layer
        || (next.phase == Phase::Decode && next.position != last.position)
}

/// Appends each of the chosen experts once, in order of first appearance. `seen` is memory to work with.
fn distinct_of(chosen: &[u32], seen: &mut Vec<bool>, distinct: &mut Vec<u32>) {
    seen.clear();
    for &expert in chosen {
        seen.resize(seen.len().max(expert as usize + 1), false);
        if !std::mem::replace(&mut seen[expert as usize], true) {
            distinct.push(expert);
        }
    }
}

fn request<'b>(routed: &'b Routed, distinct: &'b [u32]) -> Request<'b> {
    Request {
        phase: routed.phase,
        layer: routed.layer,
        tokens: routed.chosen.len() / routed.k,
        chosen: &routed.chosen,
        distinct,
        scores: routed.scores.as_deref(),
    }
}

/// Counts of the counted steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PhaseCounts {
    /// Prompts.
    pub prefill: Counts,
    /// New tokens.
    pub decode: Counts,
}

impl PhaseCounts {
    fn of(cache: &Cache) -> Self {
        Self { prefill: cache.counts(Phase::Prefill), decode: cache.counts(Phase::Decode) }
    }

    /// Of all layers of a replay.
    pub fn total(layers: &[Self]) -> Self {
        let mut total = Self::default();
        for layer in layers {
            total.prefill += layer.prefill;
            total.decode += layer.decode;
        }
        total
    }

    /// Both phases.
    pub fn sum(&self) -> Counts {
        let mut sum = self.prefill;
        sum += self.decode;
        sum
    }
}

/// Replays the requests through an empty cache of one pool of `slots`.
///
/// # Errors
/// No slots.
pub fn run(
    requests: &Requests<'_>,
    slots: usize,
    policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
) -> Result<PhaseCounts> {
    run_by_layer(requests, slots, policy).map(|layers| PhaseCounts::total(&layers))
}

/// As [`run`], the counts beside [`Requests::layers`]: layers may differ in the size of their experts.
///
/// # Errors
/// No slots.
pub fn run_by_layer(
    requests: &Requests<'_>,
    slots: usize,
    policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
) -> Result<Vec<PhaseCounts>> {
    let mut cache = Cache::new(&requests.layers, &[SlotClass { slots, slot_bytes: 1 }], policy)?;
    let mut counts = vec![PhaseCounts::default(); requests.layers.len()];
    for step in &requests.steps {
        let before = PhaseCounts::of(&cache);
        let mut plan = cache.begin(&requests.request(step));
        while cache.next_wave(&mut plan).is_some() {}
        if step.counted {
            let now = PhaseCounts::of(&cache);
            let layer = &mut counts[step.place];
            layer.prefill += now.prefill - before.prefill;
            layer.decode += now.decode - before.decode;
        }
    }
    Ok(counts)
}

/// The policy that knows these requests.
pub fn belady(requests: &Requests<'_>, shape: &PolicyShape) -> Box<dyn EvictionPolicy> {
    let future = requests.steps.iter().map(|step| (step.routed.layer, requests.distinct(step)));
    Box::new(Belady::new(shape, future))
}
