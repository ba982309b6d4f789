//! The search from its untimed run to what came of it; what is timed between them is in the rounds.

use std::cell::RefCell;
use std::path::Path;

use serde::Serialize;

use super::forecast::{Forecast, Predicted, cost, recall};
use super::rounds::{self, Rounds};
use super::trial::Trial;
use crate::bench::run::{Bench, Probe};
use crate::error::{Error, Result};
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::trace::Trace;
use crate::generate::options::{LOOKAHEAD_DEFAULT, Options};
use crate::generate::plan::Plan;
use crate::generate::planner::Planner;
use crate::generate::profile::Setting;

/// What the user settled; the rest is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settled {
    /// The cache's size is given.
    pub cache: bool,
    /// Who leaves the cache.
    pub policy: Option<PolicyKind>,
    /// How much is prefetched.
    pub prefetch: Option<Prefetch>,
    /// How experts are read is given, or by how many lanes.
    pub reading: bool,
}

/// A size of the cache that was not timed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Size {
    /// Slots.
    pub slots: usize,
    /// Of all experts.
    pub share: f64,
    /// Bytes.
    pub cache_bytes: u64,
    /// What it would reach.
    #[serde(flatten)]
    pub predicted: Predicted,
}

/// What came of it.
pub struct Tuned {
    /// The untimed run.
    pub probe: Probe,
    /// All that was timed, in order.
    pub trials: Vec<Trial>,
    /// Place of the fastest.
    pub best: usize,
    /// Sizes at the fastest's other settings, the largest first.
    pub sizes: Vec<Size>,
    /// Predicts.
    pub forecast: Forecast,
}

/// Told of progress.
pub trait Watch {
    /// The untimed run is over.
    fn probed(&mut self, probe: &Probe);
    /// `runs` of all prompts come next, and this is the first of them.
    fn planned(&mut self, runs: usize);
    /// A run begins.
    fn begin(&mut self, what: &str);
    /// A prompt was answered.
    fn answered(&mut self);
    /// Whether to stop.
    fn stopped(&self) -> bool;
}

/// See the module.
pub struct Search<'a> {
    bench: Bench<'a>,
    planner: &'a Planner,
    settled: Settled,
    watch: &'a mut dyn Watch,
}

impl<'a> Search<'a> {
    /// A search for the fastest setting of the model of `bench`, which `planner` has open too.
    pub fn new(bench: Bench<'a>, planner: &'a Planner, settled: Settled, watch: &'a mut dyn Watch) -> Self {
        Self { bench, planner, settled, watch }
    }

    /// Looks for the fastest setting; the routing that was measured is left in the file `trace`. `None` if it was stopped.
    ///
    /// # Errors
    /// Those of opening the model and of answering; answers without a second token, which have no speed.
    pub fn run(mut self, trace: &Path) -> Result<Option<Tuned>> {
        let policy = self.settled.policy.unwrap_or_default();
        let prefetch = self.settled.prefetch.unwrap_or(Prefetch::Off);
        self.watch.begin("routing, untimed");
        let options = Options { policy: Some(policy), prefetch: Some(prefetch), ..self.bench.options.clone() };
        let Some((probe, routing)) = probe(&self.bench, &options, trace, self.watch)? else { return Ok(None) };
        self.watch.probed(&probe);
        // the same at all sizes, and on GPUs another batch may move the last bits of a logit
        self.bench.options.batch = Some(probe.plan.batch);
        let reading = (probe.source.path, probe.source.lanes);
        self.watch.begin("the drive");
        let disk = rounds::disk(self.planner.gguf.shard_paths(), &probe.plan.layers, reading)?;
        let lookahead = self.bench.options.lookahead.unwrap_or(LOOKAHEAD_DEFAULT);
        let start = cost(&probe.plan, 1.0);
        let Some(forecast) = Forecast::new(&routing, start, disk, recall(&probe.recall), lookahead)? else {
            let what = "the answers are a token long and have no speed: give other prompts, or a larger -n";
            return Err(Error::Usage(what.into()));
        };
        let (path, lanes) = reading;
        let cache = self.settled.cache.then_some(probe.plan.slots);
        let base = Setting { cache, policy, prefetch, path, lanes };
        let mut rounds = Rounds {
            planner: self.planner,
            bench: self.bench,
            settled: self.settled,
            watch: self.watch,
            probe,
            forecast,
            fitted: None,
            times: Vec::new(),
            rounds: 0,
        };
        rounds.search(&base)?.map(|best| rounds.finish(&best)).transpose()
    }
}

fn probe(bench: &Bench<'_>, options: &Options, trace: &Path, watch: &mut dyn Watch) -> Result<Option<(Probe, Trace)>> {
    let watch = RefCell::new(watch);
    bench.probe(options, trace, &|| watch.borrow().stopped(), &mut || watch.borrow_mut().answered())
}

/// What a plan would reach.
///
/// # Errors
/// A plan without slots.
pub fn size(forecast: &Forecast, plan: &Plan, setting: &Setting) -> Result<Size> {
    Ok(Size {
        slots: plan.slot_count(),
        share: plan.slot_count() as f64 / plan.experts.max(1) as f64,
        cache_bytes: plan.slots,
        predicted: forecast.predict(plan, setting.policy, setting.prefetch)?,
    })
}
