//! The search: what is timed, in what order, and what is taken.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::forecast::{Forecast, Predicted, cost, recall};
use super::trial::{Timed, Trial};
use crate::bench::run::{Bench, Probe, same_answers};
use crate::bench::{line_rate, order};
use crate::error::{Error, Result};
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::source::{DiskModel, ReadPath};
use crate::expert::trace::Trace;
use crate::generate::options::{LOOKAHEAD_DEFAULT, Options};
use crate::generate::plan::Plan;
use crate::generate::planner::Planner;
use crate::generate::profile::Setting;

/// A policy that promises less than this factor is not tried.
const PROMISING: f64 = 1.005;
/// Sizes of the cache that are looked at, in sixteenths of what fits.
const SIXTEENTHS: [u64; 7] = [16, 12, 8, 6, 4, 3, 2];
/// All sixteenths.
const MOST: u64 = 16;
/// Sizes that calibrate beside the largest: the first that works.
const SMALL: [u64; 3] = [4, 6, 8];
/// Seconds: a drive's latency at most.
const LATENCY_MOST: f64 = 0.02;
/// Other ways of reading that are tried.
const PATHS_TRIED: usize = 2;
/// Reads at once where few are tried.
const FEW_LANES: usize = 2;

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
        let disk = self.disk(&probe)?;
        let lookahead = self.bench.options.lookahead.unwrap_or(LOOKAHEAD_DEFAULT);
        let start = cost(&probe.plan, 1.0);
        let Some(forecast) = Forecast::new(&routing, start, disk, recall(&probe.recall), lookahead)? else {
            let what = "the answers are a token long and have no speed: give other prompts, or a larger -n";
            return Err(Error::Usage(what.into()));
        };
        let (path, lanes) = (probe.source.path, probe.source.lanes);
        let cache = self.settled.cache.then_some(probe.plan.slots);
        let base = Setting { cache, policy, prefetch, path, lanes };
        let mut rounds = Rounds {
            planner: self.planner,
            bench: self.bench,
            settled: self.settled,
            watch: self.watch,
            probe,
            forecast,
            times: Vec::new(),
        };
        let found = rounds.calibrate(&base)?;
        let found = if found.is_some() { rounds.step(&base)? } else { None };
        let found = match found {
            Some(best) => rounds.downhill(best)?,
            None => None,
        };
        found.map(|best| rounds.finish(&best)).transpose()
    }

    /// What the drive does: its rate in as many lanes as are used, and the latency that one lane alone shows.
    fn disk(&mut self, probe: &Probe) -> Result<DiskModel> {
        self.watch.begin("the drive");
        let shards = self.planner.gguf.shard_paths();
        let (path, lanes, layers) = (probe.source.path, probe.source.lanes, &probe.plan.layers);
        let together = line_rate::measure(shards, layers, path, lanes, false)?;
        let alone = line_rate::measure(shards, layers, path, 1, false)?;
        let extents = layers.iter().flat_map(|layer| &layer.extents);
        let (bytes, count) = extents.fold((0.0, 0.0), |(bytes, n), extent| (bytes + extent.len as f64, n + 1.0));
        let read = bytes / f64::max(count, 1.0);
        let latency = read / alone.bytes_per_s.max(1.0) - read / together.bytes_per_s.max(1.0);
        let latency = Duration::from_secs_f64(latency.clamp(0.0, LATENCY_MOST));
        Ok(DiskModel { latency, bytes_per_s: together.bytes_per_s.max(1.0), lanes })
    }
}

/// The rounds of timed runs.
struct Rounds<'a> {
    bench: Bench<'a>,
    settled: Settled,
    watch: &'a mut dyn Watch,
    planner: &'a Planner,
    probe: Probe,
    forecast: Forecast,
    /// All that was timed.
    times: Vec<Timed>,
}

impl Rounds<'_> {
    fn plan(&self, setting: &Setting) -> Result<Plan> {
        self.planner.plan(&self.bench.options_of(setting))
    }

    /// The setting with so many sixteenths of the cache that fits.
    fn sized(&self, setting: &Setting, sixteenths: u64) -> Setting {
        let cache = (sixteenths < MOST).then_some(self.probe.plan.slots / MOST * sixteenths);
        Setting { cache, ..*setting }
    }

    /// Fits the forecast to the largest cache and a small one. `None` if it was stopped.
    fn calibrate(&mut self, base: &Setting) -> Result<Option<()>> {
        let calm = Setting { prefetch: Prefetch::Off, ..*base };
        let small = SMALL.map(|n| self.sized(&calm, n)).into_iter().find(|setting| self.plan(setting).is_ok());
        let settings: Vec<Setting> = [Some(calm), small].into_iter().flatten().collect();
        let Some(ran) = self.round(&settings)? else { return Ok(None) };
        let (more, fewer) = (&self.times[ran.start], &self.times[ran.end - 1]);
        self.forecast.calibrate(base.policy, more.measured(), fewer.measured())?;
        Ok(Some(()))
    }

    /// Tries one step away from the base in each direction, and those together that are faster. `None` if it was stopped.
    fn step(&mut self, base: &Setting) -> Result<Option<Setting>> {
        let mut tried = vec![*base];
        let plan = self.plan(base)?;
        if self.settled.prefetch.is_none() && plan.slot_count() < plan.experts {
            tried.push(Setting { prefetch: Prefetch::Auto, ..*base });
        }
        if self.settled.policy.is_none()
            && let Some(policy) = promising(&self.forecast, &plan, base.policy)?
        {
            tried.push(Setting { policy, ..*base });
        }
        if !self.settled.reading {
            tried.extend(readings(&self.probe).into_iter().map(|(path, lanes)| Setting { path, lanes, ..*base }));
        }
        if !self.settled.cache {
            let sizes = [12, 8].map(|n| self.sized(base, n));
            tried.extend(sizes.into_iter().filter(|setting| self.plan(setting).is_ok()));
        }
        if tried.len() == 1 {
            return Ok(Some(*base));
        }
        let Some(ran) = self.round(&tried)? else { return Ok(None) };
        let ran = &self.times[ran];
        let mut faster: Vec<&Timed> = ran[1..].iter().filter(|timed| timed.beats(&ran[0])).collect();
        faster.sort_by_key(|timed| timed.time());
        let steps: Vec<Setting> = faster.iter().map(|timed| timed.setting).collect();
        let best = steps.first().copied().unwrap_or(*base);
        let together = together(base, &steps);
        if together == best {
            return Ok(Some(best));
        }
        let Some(ran) = self.round(&[best, together])? else { return Ok(None) };
        let better = self.times[ran.start + 1].beats(&self.times[ran.start]);
        Ok(Some(if better { together } else { best }))
    }

    /// Where less cache was faster, goes on to still less as long as that is faster. `None` if it was stopped.
    fn downhill(&mut self, mut best: Setting) -> Result<Option<Setting>> {
        while let Some(now) = best.cache.filter(|_| !self.settled.cache) {
            let smaller =
                SIXTEENTHS.map(|n| self.sized(&best, n)).into_iter().find(|s| s.cache.is_some_and(|c| c < now));
            let Some(less) = smaller.filter(|setting| self.plan(setting).is_ok()) else { break };
            let Some(ran) = self.round(&[best, less])? else { return Ok(None) };
            if !self.times[ran.start + 1].beats(&self.times[ran.start]) {
                break;
            }
            best = less;
        }
        Ok(Some(best))
    }

    fn finish(self, best: &Setting) -> Result<Tuned> {
        let place = self.times.iter().rposition(|timed| timed.setting == *best).unwrap_or(0);
        let sizes = SIXTEENTHS.into_iter().filter_map(|n| self.plan(&self.sized(best, n)).ok());
        let sizes = sizes.map(|plan| size(&self.forecast, &plan, best)).collect::<Result<_>>()?;
        let trials = self.times.iter().map(Timed::trial).collect();
        Ok(Tuned { probe: self.probe, trials, best: place, sizes, forecast: self.forecast })
    }

    /// Times these settings, there and back, and compares the answers. Their places among all that was timed; `None` if it
    /// was stopped.
    fn round(&mut self, settings: &[Setting]) -> Result<Option<Range<usize>>> {
        let first = self.times.len();
        let how = (self.probe.source.path, self.probe.source.lanes);
        for setting in settings {
            let plan = self.plan(setting)?;
            // what calibrated cannot be predicted, and what other reading takes is not known
            let blind = !self.times[..first].iter().any(|timed| timed.setting == *setting);
            let predicted = (first > 0 && blind && (setting.path, setting.lanes) == how)
                .then(|| self.forecast.predict(&plan, setting.policy, setting.prefetch));
            let predicted = predicted.transpose()?.map(|p| p.tok_s);
            self.times.push(Timed { setting: *setting, plan, predicted, runs: Vec::new() });
        }
        self.watch.planned(2 * settings.len());
        for place in order(settings.len()) {
            let setting = &settings[place];
            let what = match setting.cache {
                None => format!("all that fits, {setting}"),
                Some(bytes) => format!("{} MiB, {setting}", bytes >> 20),
            };
            self.watch.begin(&what);
            let options = self.bench.options_of(setting);
            let watch = RefCell::new(&mut *self.watch);
            let (stopped, answered) = (|| watch.borrow().stopped(), || watch.borrow_mut().answered());
            let Some(outcome) = self.bench.run(&options, &stopped, &mut { answered })? else { return Ok(None) };
            same_answers(("the untimed run", &self.probe.outcome), (&what, &outcome))?;
            self.times[first + place].runs.push(outcome);
        }
        Ok(Some(first..self.times.len()))
    }
}

fn probe(bench: &Bench<'_>, options: &Options, trace: &Path, watch: &mut dyn Watch) -> Result<Option<(Probe, Trace)>> {
    let watch = RefCell::new(watch);
    bench.probe(options, trace, &|| watch.borrow().stopped(), &mut || watch.borrow_mut().answered())
}

/// The policy that promises most at this cache, if it promises more than `policy`.
fn promising(forecast: &Forecast, plan: &Plan, policy: PolicyKind) -> Result<Option<PolicyKind>> {
    let promise = |kind| forecast.predict(plan, kind, Prefetch::Off).map(|p| p.tok_s);
    let (mut best, mut most) = (None, PROMISING * promise(policy)?);
    // scores, many times the routing, are recorded where the policy that is given wants them
    for kind in PolicyKind::ALL.into_iter().filter(|kind| *kind != policy && forecast.serves(*kind)) {
        let tok_s = promise(kind)?;
        if tok_s > most {
            (best, most) = (Some(kind), tok_s);
        }
    }
    Ok(best)
}

/// Other ways of reading that may be as good: the best of each other path, or what is left to vary where nothing was
/// measured.
fn readings(probe: &Probe) -> Vec<(ReadPath, usize)> {
    let (path, lanes) = (probe.source.path, probe.source.lanes);
    let mut others: Vec<_> = probe.source.measured.iter().filter(|m| (m.path, m.lanes) != (path, lanes)).collect();
    others.sort_by(|a, b| b.bytes_per_s.total_cmp(&a.bytes_per_s));
    let mut tried: Vec<(ReadPath, usize)> = Vec::new();
    for other in others {
        if tried.iter().all(|(path, _)| *path != other.path) {
            tried.push((other.path, other.lanes));
        }
    }
    if probe.source.measured.is_empty() {
        tried = vec![(path, if lanes > FEW_LANES { FEW_LANES } else { 2 * lanes }), (ReadPath::Mmap, lanes)];
    }
    tried.truncate(PATHS_TRIED);
    tried
}

/// `base` with what the `steps` away from it changed, the fastest in front: of a kind the first stands.
fn together(base: &Setting, steps: &[Setting]) -> Setting {
    steps.iter().fold(*base, |sum, step| combined(sum, step, base))
}

/// `sum` with what `step` changed of `base`, unless that has changed already.
fn combined(mut sum: Setting, step: &Setting, base: &Setting) -> Setting {
    if step.policy != base.policy {
        sum.policy = step.policy;
    }
    if step.prefetch != base.prefetch {
        sum.prefetch = step.prefetch;
    }
    if (step.path, step.lanes) != (base.path, base.lanes) && (sum.path, sum.lanes) == (base.path, base.lanes) {
        (sum.path, sum.lanes) = (step.path, step.lanes);
    }
    if step.cache != base.cache && sum.cache == base.cache {
        sum.cache = step.cache;
    }
    sum
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_steps_of_one_kind_the_fastest_is_taken_with_the_others() {
        let base = Setting {
            cache: None,
            policy: PolicyKind::NextUse,
            prefetch: Prefetch::Off,
            path: ReadPath::Direct,
            lanes: 4,
        };
        let steps = [
            Setting { cache: Some(8), ..base },
            Setting { path: ReadPath::Mmap, lanes: 2, ..base },
            Setting { prefetch: Prefetch::Auto, ..base },
            Setting { path: ReadPath::Buffered, lanes: 8, ..base },
            Setting { cache: Some(12), ..base },
        ];
        let all = Setting { cache: Some(8), prefetch: Prefetch::Auto, path: ReadPath::Mmap, lanes: 2, ..base };
        assert_eq!(together(&base, &steps), all);
        assert_eq!(together(&base, &[steps[4], steps[0]]), steps[4]);
        assert_eq!(together(&base, &[]), base);
    }
}
