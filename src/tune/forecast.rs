//! Tokens per second at settings that were not run: recorded routing through the pager on a virtual clock.
//!
//! Since no setting changes an answer, the routing of one run is the routing of all, and what hits and misses is exact.
//! What computing and reading take is calibrated by two timed runs; reading as it turned out, the processor's part in it
//! included, is taken for the drive.

use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::expert::ExpertLayer;
use crate::expert::cache::{Phase, PolicyKind};
use crate::expert::pager::Prefetch;
use crate::expert::predict::RecallRow;
use crate::expert::source::DiskModel;
use crate::expert::timed::{self, Cost, Machine, Pass, SyntheticPredictor};
use crate::expert::trace::Trace;
use crate::generate::plan::Plan;

/// Predicting a layer's experts against computing the layer, in instructions on the demo model.
const PREDICTION_SHARE: f64 = 0.038;
/// Rates between which a drive's is looked for.
const RATES: (f64, f64) = (1e6, 1e12);
/// Halvings of their logarithmic distance: the rate is found to a part in 5,000.
const HALVINGS: usize = 16;
/// Computing and reading are calibrated in turns, this often.
const TURNS: usize = 4;

/// What a setting would reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Predicted {
    /// New tokens per second.
    pub tok_s: f64,
    /// Share of a new token's requests that hit.
    pub hit_rate: f64,
    /// Bytes read per new token.
    pub bytes_per_token: f64,
}

/// A run that calibrates, by new token.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// What it ran with.
    pub plan: &'a Plan,
    /// Time of a token.
    pub token_s: f64,
    /// That part of it in which nothing was waited for.
    pub compute_s: f64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Forecast {
    passes: Vec<Pass>,
    /// What computing takes.
    pub cost: Cost,
    /// What reading takes.
    pub disk: DiskModel,
    /// Share of the routed experts that are predicted one layer ahead.
    pub recall: f64,
    /// Layers ahead that are predicted.
    pub lookahead: usize,
}

impl Forecast {
    /// Of the routing in `trace`. `None` if no new token is in it.
    ///
    /// # Errors
    /// A trace without a whole pass.
    pub fn new(trace: &Trace, cost: Cost, disk: DiskModel, recall: f64, lookahead: usize) -> Result<Option<Self>> {
        let passes = Pass::all(trace)?;
        let decodes = passes.iter().any(|pass| pass.phase == Phase::Decode);
        Ok(decodes.then_some(Self { passes, cost, disk, recall, lookahead }))
    }

    /// New tokens in the routing.
    pub fn tokens(&self) -> usize {
        self.passes.iter().filter(|pass| pass.phase == Phase::Decode).count()
    }

    /// Whether the routing holds what the policy decides by.
    pub fn serves(&self, policy: PolicyKind) -> bool {
        let scored = || self.passes.iter().flat_map(|pass| &pass.layers).all(|choice| choice.scores.is_some());
        !policy.wants_scores() || scored()
    }

    /// What a run with this cache would reach, from an empty cache on.
    ///
    /// # Errors
    /// A plan without slots, or a policy that the routing does not serve: without scores it would decide otherwise.
    pub fn predict(&self, plan: &Plan, policy: PolicyKind, prefetch: Prefetch) -> Result<Predicted> {
        if !self.serves(policy) {
            let what =
                format!("{policy} decides by the router's scores, and the recorded routing has none: record them");
            return Err(Error::Usage(what));
        }
        let machine = Machine {
            layers: plan.layers.clone(),
            slots: plan.classes.iter().map(|class| class.slots).collect(),
            disk: self.disk,
            cost: self.cost,
            prefetch: if plan.slot_count() < plan.experts { prefetch } else { Prefetch::Off },
            lookahead: self.lookahead,
            kept: Vec::new(),
            head_start: Duration::ZERO,
        };
        let experts = plan.layers.iter().map(|layer| layer.count).collect();
        let mut predictor = SyntheticPredictor::new(&self.passes, experts, self.recall, 7);
        let outcome = timed::run(&machine, &self.passes, &|shape| policy.build(shape), &mut predictor)?;
        let decoded = self.passes.iter().zip(&outcome.passes).filter(|(pass, _)| pass.phase == Phase::Decode);
        let (tokens, time) = decoded.fold((0, Duration::ZERO), |(n, sum), (_, time)| (n + 1, sum + *time));
        let decode = outcome.stats.decode;
        Ok(Predicted {
            tok_s: f64::from(tokens) / time.as_secs_f64().max(1e-9),
            hit_rate: decode.hits as f64 / decode.requests.max(1) as f64,
            bytes_per_token: decode.bytes_read as f64 / f64::from(tokens.max(1)),
        })
    }

    /// Fits computing to the run with more slots and reading to the one with fewer, both without prefetching.
    ///
    /// # Errors
    /// As [`Forecast::predict`].
    pub fn calibrate(&mut self, policy: PolicyKind, more: Measured<'_>, fewer: Measured<'_>) -> Result<()> {
        let token_s = |forecast: &Self, plan| forecast.predict(plan, policy, Prefetch::Off).map(|p| 1.0 / p.tok_s);
        let mut compute = more.compute_s;
        self.cost = cost(more.plan, compute);
        for _ in 0..TURNS {
            let (mut low, mut high) = (RATES.0.ln(), RATES.1.ln());
            for _ in 0..HALVINGS {
                let middle = (low + high) / 2.0;
                self.disk.bytes_per_s = middle.exp();
                let slow = token_s(self, fewer.plan)? > fewer.token_s;
                (low, high) = if slow { (middle, high) } else { (low, middle) };
            }
            // in a run in which computing hides all reading, less computing would show more of the reading
            let missing = more.token_s - token_s(self, more.plan)?;
            compute = (compute + missing).clamp(more.compute_s / 4.0, more.token_s);
            self.cost = cost(more.plan, compute);
        }
        Ok(())
    }
}

/// What the parts of a token take that takes `token_s` in all: by the bytes of weights that each part goes through, which is
/// what a token's time is spent on.
pub fn cost(plan: &Plan, token_s: f64) -> Cost {
    let layers = plan.layers.len().max(1) as f64;
    let mean = plan.layers.iter().map(|l| ExpertLayer::expert_bytes(l) as f64).sum::<f64>() / layers;
    let experts = plan.cycle as f64 * mean;
    let routed = experts / (experts + plan.weights as f64).max(1.0);
    let rest = token_s * (1.0 - routed) / (layers + 1.0);
    let part = |seconds: f64| Duration::from_secs_f64(seconds.max(0.0));
    Cost {
        token: part(rest),
        layer: part(rest),
        expert: part(token_s * routed / plan.cycle.max(1) as f64),
        prediction: part(token_s / layers * PREDICTION_SHARE),
    }
}

/// The share of routed experts that the best method found one layer ahead; 0 where nothing was predicted.
pub fn recall(rows: &[RecallRow]) -> f64 {
    let ahead = || rows.iter().filter(|row| row.d == Some(1));
    let of = |row: &RecallRow| {
        let same = || ahead().filter(|other| other.predictor == row.predictor);
        let slots: u64 = same().map(|row| row.slots).sum();
        same().map(|row| row.slot_hits).sum::<u64>() as f64 / slots.max(1) as f64
    };
    ahead().map(of).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::timed::Choice;
    use crate::expert::{ExpertMatrix, Extent, SlotClass};
    use crate::gguf::GgmlType;

    const LAYERS: usize = 6;
    const EXPERTS: usize = 16;

    fn plan(slots: usize) -> Plan {
        let matrix = ExpertMatrix { ty: GgmlType::F32, rows: 1, cols: 1, extent: 0, start: 0 };
        let layer = |layer| ExpertLayer {
            layer,
            count: EXPERTS,
            matrices: [matrix; 3],
            extents: vec![Extent { shard: 0, offset: 0, len: 400_000 }; 2],
            class: 0,
            slot_bytes: 800_000,
        };
        Plan {
            weights: 10_000_000,
            classes: vec![SlotClass { slots, slot_bytes: 800_000 }],
            experts: LAYERS * EXPERTS,
            cycle: 2 * LAYERS,
            layers: (0..LAYERS as u32).map(layer).collect(),
            ..Plan::default()
        }
    }

    /// A prompt of three tokens and 60 new ones, whose experts drift.
    fn forecast(rate: f64) -> Forecast {
        let choice = |token: usize, layer: usize| {
            let first = (token / 3 * 5 + layer * 7 + token % 2) % EXPERTS;
            [first as u32, ((first + 3 + token % 5) % EXPERTS) as u32]
        };
        let pass = |tokens: std::ops::Range<usize>, phase| Pass {
            phase,
            layers: (0..LAYERS)
                .map(|l| Choice { k: 2, chosen: tokens.clone().flat_map(|t| choice(t, l)).collect(), scores: None })
                .collect(),
        };
        let mut passes = vec![pass(0..3, Phase::Prefill)];
        passes.extend((3..63).map(|t| pass(t..t + 1, Phase::Decode)));
        let disk = DiskModel { latency: Duration::from_micros(50), bytes_per_s: rate, lanes: 4 };
        Forecast { passes, cost: cost(&plan(96), 0.004), disk, recall: 0.8, lookahead: 1 }
    }

    #[test]
    fn two_runs_tell_what_computing_and_reading_take() {
        for rate in [2e8, 1e9, 6e9] {
            let truth = forecast(rate);
            let tok_s = |f: &Forecast, slots| f.predict(&plan(slots), PolicyKind::Lru, Prefetch::Off).unwrap().tok_s;
            let mut fitted = Forecast { cost: cost(&plan(96), 1.0), ..forecast(3e9) };
            let (more, fewer) = (plan(90), plan(20));
            let run = |plan, slots| Measured { plan, token_s: 1.0 / tok_s(&truth, slots), compute_s: 0.004 };
            fitted.calibrate(PolicyKind::Lru, run(&more, 90), run(&fewer, 20)).unwrap();
            for slots in [14, 32, 48, 64, 96] {
                let (told, is) = (tok_s(&fitted, slots), tok_s(&truth, slots));
                assert!((told / is - 1.0).abs() < 0.02, "{slots} slots at {rate}: {told} for {is}");
            }
        }
    }

    #[test]
    fn only_new_tokens_count_and_a_larger_cache_hits_more() {
        let forecast = forecast(1e9);
        assert_eq!(forecast.tokens(), 60);
        let at = |slots| forecast.predict(&plan(slots), PolicyKind::NextUse, Prefetch::Off).unwrap();
        let (few, many, all) = (at(16), at(48), at(96));
        assert!(few.hit_rate < many.hit_rate && many.hit_rate < all.hit_rate, "{few:?} {many:?} {all:?}");
        assert!(few.bytes_per_token > all.bytes_per_token && few.tok_s < all.tok_s);
    }

    #[test]
    fn a_policy_that_wants_scores_is_predicted_from_scores_alone() {
        let mut forecast = forecast(1e9);
        let at = |forecast: &Forecast| forecast.predict(&plan(32), PolicyKind::Router, Prefetch::Off);
        assert!(!forecast.serves(PolicyKind::Router) && forecast.serves(PolicyKind::Decay));
        assert!(at(&forecast).unwrap_err().to_string().contains("scores"));
        for choice in forecast.passes.iter_mut().flat_map(|pass| &mut pass.layers) {
            let tokens = choice.chosen.len() / choice.k;
            choice.scores = Some((0..tokens * EXPERTS).map(|n| (n % EXPERTS) as f32 / EXPERTS as f32).collect());
        }
        let router = at(&forecast).unwrap();
        let decay = forecast.predict(&plan(32), PolicyKind::Decay, Prefetch::Off).unwrap();
        assert_ne!(router.hit_rate, decay.hit_rate, "without scores, one decides as the other");
    }

    #[test]
    fn the_best_method_one_layer_ahead_tells_the_recall() {
        use crate::expert::predict::Method;
        let row = |predictor, d, slot_hits| RecallRow {
            predictor,
            layer: 1,
            d,
            slots: 100,
            slot_hits,
            misses: 0,
            miss_hits: 0,
        };
        let rows = [
            row(Method::Fate, Some(1), 60),
            row(Method::Residual, Some(1), 70),
            row(Method::Residual, Some(1), 80),
            row(Method::Residual, Some(0), 100),
        ];
        assert_eq!((recall(&rows), recall(&[])), (0.75, 0.0));
    }
}
