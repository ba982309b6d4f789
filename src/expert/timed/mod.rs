//! A routing trace run through the pager on a virtual clock: what a cache, a disk and a predictor would make of it.
//!
//! The pager, the cache and the governor are the ones of a live run; only the disk is simulated and computing is a time
//! that passes. So prefetching is studied without timing anything, and tokens per second are told for sizes of the cache
//! and disks that were not run.

mod device;
mod synthetic;

use std::time::Duration;

pub use self::synthetic::SyntheticPredictor;

use self::device::ClockDevice;
use crate::compute::{Act, Activation, ExpertOps, Routing};
use crate::error::Result;
use crate::expert::cache::{Cache, EvictionPolicy, Phase, PolicyShape};
use crate::expert::pager::{Ledger, Pager, PagerStats, Prefetch, StepInfo};
use crate::expert::source::{Clock, DiskModel, SimulatedDisk};
use crate::expert::{ExpertId, ExpertLayer, SlotClass};

/// Chosen experts by token, then layer with experts, best first.
pub type Tokens = [Vec<Vec<u32>>];

/// Where time goes beside the disk.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Once per token: embedding, output head, sampling.
    pub token: Duration,
    /// What a layer computes beside its routed experts.
    pub layer: Duration,
    /// One routed expert for one token.
    pub expert: Duration,
    /// Predicting one layer's experts.
    pub prediction: Duration,
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The layers with experts, in model order, with one slot class.
    pub layers: Vec<ExpertLayer>,
    /// Slots of the cache.
    pub slots: usize,
    /// The disk.
    pub disk: DiskModel,
    /// The rest.
    pub cost: Cost,
    /// How much is prefetched.
    pub prefetch: Prefetch,
    /// Predictions reach this many layers ahead.
    pub lookahead: usize,
}

/// Names the experts of a layer `d` layers ahead, the likeliest first.
pub trait Predict {
    /// Experts expected of layer `target` (index among the layers with experts) for token `token`, named while the layer
    /// `d` before it is served.
    fn expected(&mut self, token: usize, target: usize, d: usize) -> Vec<u32>;
    /// What the layer asked for in the end.
    fn routed(&mut self, token: usize, layer: usize, chosen: &[u32]);
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Time of each token.
    pub tokens: Vec<Duration>,
    /// Counts of the pager.
    pub stats: PagerStats,
    /// What prefetches came to, all layers together.
    pub ledger: Ledger,
}

impl Outcome {
    /// Time of all tokens from the one of this index.
    pub fn time_from(&self, token: usize) -> Duration {
        self.tokens[token.min(self.tokens.len())..].iter().sum()
    }
}

const OPS: ExpertOps = ExpertOps { activation: Activation::SwiGlu, biases: None, scales: [None; 3] };

/// Runs the tokens, one step each.
///
/// # Errors
/// A cache without slots.
pub fn run(
    machine: &Machine,
    tokens: &Tokens,
    policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
    predictor: &mut dyn Predict,
) -> Result<Outcome> {
    let Machine { layers, cost, .. } = machine;
    let clock = Clock::default();
    let classes = [SlotClass { slots: machine.slots, slot_bytes: 0 }];
    let shapes: Vec<_> = layers.iter().map(ExpertLayer::shape).collect();
    let cache = Cache::new(&shapes, &classes, policy)?;
    let disk = SimulatedDisk::new(machine.disk, clock.clone());
    let mut pager = Pager::new(cache, Box::new(disk), layers.clone(), usize::MAX);
    let k = tokens.first().and_then(|t| t.first()).map_or(1, Vec::len);
    pager.set_prefetch(machine.prefetch, machine.lookahead, k);
    let mut device = ClockDevice { clock: clock.clone(), expert: cost.expert };
    let mut times = Vec::with_capacity(tokens.len());
    for (n, token) in tokens.iter().enumerate() {
        let begin = clock.now();
        pager.set_step(StepInfo { turn: 0, phase: Phase::Decode, position: n as u32 })?;
        clock.advance(cost.token);
        for (at, chosen) in token.iter().enumerate() {
            clock.advance(cost.layer);
            let routing = Routing { k: chosen.len(), experts: chosen.clone(), weights: vec![1.0; chosen.len()] };
            pager.begin(&mut device, layers[at].layer as usize, 1, &routing, None)?;
            predictor.routed(n, at, chosen);
            let mut expected = Vec::new();
            for d in 1..=pager.lookahead() {
                let target = at + d;
                if target >= token.len() {
                    break;
                }
                clock.advance(cost.prediction);
                let layer = layers[target].layer;
                expected.extend(predictor.expected(n, target, d).into_iter().map(|index| ExpertId { layer, index }));
            }
            if !expected.is_empty() {
                pager.prefetch(&mut device, &expected);
            }
            pager.run(&mut device, &OPS, 1, Act::NONE, &routing, Act::NONE)?;
        }
        times.push(clock.now() - begin);
    }
    let mut ledger = Ledger::default();
    pager.ledger().iter().for_each(|l| ledger += *l);
    Ok(Outcome { tokens: times, stats: pager.stats(), ledger })
}
