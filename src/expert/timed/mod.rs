//! A routing trace run through the pager on a virtual clock: what a cache, a disk and a predictor would make of it.
//!
//! The pager, the cache and the governor are the ones of a live run; only the disk is simulated and computing is a time
//! that passes. So prefetching is studied without timing anything, and tokens per second are told for sizes of the cache
//! and disks that were not run.

mod device;
mod passes;
mod synthetic;

use std::time::Duration;

pub use self::passes::{Choice, Pass};
pub use self::synthetic::SyntheticPredictor;

use self::device::ClockDevice;
use crate::compute::{Act, Activation, ExpertOps, Routing};
use crate::error::Result;
use crate::expert::cache::{Cache, EvictionPolicy, PolicyShape};
use crate::expert::pager::{Ledger, Pager, PagerStats, Prefetch, StepInfo, WarmLedger};
use crate::expert::source::{Clock, DiskModel, SimulatedDisk};
use crate::expert::{ExpertId, ExpertLayer, SlotClass};

/// Where time goes beside the disk.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Once per pass: embedding, output head, sampling.
    pub token: Duration,
    /// What a layer computes beside its routed experts, in one pass.
    pub layer: Duration,
    /// One routed expert for one token.
    pub expert: Duration,
    /// Predicting one layer's experts.
    pub prediction: Duration,
}

impl Cost {
    /// A token that goes through so many layers and uses so many routed experts in all.
    pub fn of_token(&self, layers: usize, experts: usize) -> Duration {
        self.token + self.layer * layers as u32 + self.expert * experts as u32
    }
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The layers with experts, in model order.
    pub layers: Vec<ExpertLayer>,
    /// Slots of the cache by the layers' classes.
    pub slots: Vec<usize>,
    /// The disk.
    pub disk: DiskModel,
    /// The rest.
    pub cost: Cost,
    /// How much is prefetched.
    pub prefetch: Prefetch,
    /// Predictions reach this many layers ahead.
    pub lookahead: usize,
    /// What an earlier run kept ([`Outcome::memory`]), read in the background.
    pub kept: Vec<(ExpertId, f32)>,
    /// How long that is read before the first pass: while somebody types.
    pub head_start: Duration,
}

/// Names the experts of a layer `d` layers ahead, the likeliest first.
pub trait Predict {
    /// Experts expected of layer `target` (index among the layers with experts) in pass `pass`, named while the layer `d`
    /// before it is served.
    fn expected(&mut self, pass: usize, target: usize, d: usize) -> Vec<u32>;
    /// What the layer asked for in the end.
    fn routed(&mut self, pass: usize, layer: usize, chosen: &[u32]);
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Time of each pass.
    pub passes: Vec<Duration>,
    /// Counts of the pager.
    pub stats: PagerStats,
    /// What prefetches came to, all layers together.
    pub ledger: Ledger,
    /// What came of the experts that were kept.
    pub warm: WarmLedger,
    /// What the cache's policy holds of the run.
    pub memory: Vec<(ExpertId, f32)>,
}

impl Outcome {
    /// Time of all passes.
    pub fn time(&self) -> Duration {
        self.passes.iter().sum()
    }
}

const OPS: ExpertOps = ExpertOps { activation: Activation::SwiGlu, biases: None, scales: [None; 3] };

/// Runs the passes. As in a live run, predictions are made for single tokens alone.
///
/// # Errors
/// A cache without slots.
pub fn run(
    machine: &Machine,
    passes: &[Pass],
    policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
    predictor: &mut dyn Predict,
) -> Result<Outcome> {
    let Machine { layers, cost, .. } = machine;
    let clock = Clock::default();
    let classes: Vec<_> = machine.slots.iter().map(|&slots| SlotClass { slots, slot_bytes: 0 }).collect();
    let shapes: Vec<_> = layers.iter().map(ExpertLayer::shape).collect();
    let cache = || Cache::new(&shapes, &classes, policy);
    let disk = SimulatedDisk::new(machine.disk, clock.clone());
    let mut pager = Pager::new(cache()?, Box::new(disk), layers.clone(), usize::MAX);
    let k = passes.iter().flat_map(|pass| &pass.layers).map(|choice| choice.k).max().unwrap_or(1);
    let shadow = (machine.prefetch == Prefetch::Auto).then(cache).transpose()?;
    pager.set_prefetch(machine.prefetch, machine.lookahead, k, shadow);
    let mut device = ClockDevice { clock: clock.clone(), expert: cost.expert };
    if !machine.kept.is_empty() {
        pager.recall(&mut device, machine.kept.clone());
        clock.advance(machine.head_start);
    }
    let mut times = Vec::with_capacity(passes.len());
    for (n, pass) in passes.iter().enumerate() {
        let (begin, tokens) = (clock.now(), pass.tokens());
        pager.set_step(StepInfo { turn: 0, phase: pass.phase, position: n as u32 })?;
        clock.advance(cost.token);
        for (at, Choice { k, chosen, scores }) in pass.layers.iter().enumerate() {
            clock.advance(cost.layer);
            let routing = Routing { k: *k, experts: chosen.clone(), weights: vec![1.0; chosen.len()] };
            pager.begin(&mut device, layers[at].layer as usize, tokens, &routing, scores.as_deref())?;
            predictor.routed(n, at, chosen);
            let mut expected = Vec::new();
            for d in 1..=if tokens == 1 { pager.lookahead() } else { 0 } {
                let target = at + d;
                if target >= pass.layers.len() {
                    break;
                }
                clock.advance(cost.prediction);
                let layer = layers[target].layer;
                expected.extend(predictor.expected(n, target, d).into_iter().map(|index| ExpertId { layer, index }));
            }
            if !expected.is_empty() {
                pager.prefetch(&mut device, &expected);
            }
            pager.run(&mut device, &OPS, tokens, Act::NONE, &routing, Act::NONE)?;
        }
        times.push(clock.now() - begin);
    }
    let mut ledger = Ledger::default();
    pager.ledger().iter().for_each(|l| ledger += *l);
    let (warm, memory) = (pager.warm_ledger(), pager.cache().memory());
    Ok(Outcome { passes: times, stats: pager.stats(), ledger, warm, memory })
}
