//! Rounds of timed runs: settings that are timed there and back, and compared with the first of their round alone, since
//! what else the machine does drifts from round to round.

use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use super::forecast::Forecast;
use super::search::{Settled, Tuned, Watch, size};
use super::trial::{Timed, Verdict};
use crate::bench::run::{Bench, Probe, same_answers};
use crate::bench::{line_rate, order};
use crate::error::Result;
use crate::expert::ExpertLayer;
use crate::expert::pager::Prefetch;
use crate::expert::source::{DiskModel, ReadPath};
use crate::generate::plan::Plan;
use crate::generate::planner::Planner;
use crate::generate::profile::Setting;

/// Sizes of the cache that are looked at, in sixteenths of what fits.
pub(super) const SIXTEENTHS: [u64; 7] = [16, 12, 8, 6, 4, 3, 2];
/// All sixteenths.
const MOST: u64 = 16;
/// Sizes that calibrate beside the largest: the first that works.
const SMALL: [u64; 3] = [4, 6, 8];
/// Seconds: a drive's latency at most.
const LATENCY_MOST: f64 = 0.02;

/// How experts are read, and by how many lanes.
pub(super) type Reading = (ReadPath, usize);

/// See the module.
pub(super) struct Rounds<'a> {
    pub(super) bench: Bench<'a>,
    pub(super) settled: Settled,
    pub(super) watch: &'a mut dyn Watch,
    pub(super) planner: &'a Planner,
    pub(super) probe: Probe,
    pub(super) forecast: Forecast,
    /// The reading that the forecast was fitted to: what another takes is not known.
    pub(super) fitted: Option<Reading>,
    /// All that was timed.
    pub(super) times: Vec<Timed>,
    /// Rounds so far.
    pub(super) rounds: usize,
}

impl Rounds<'_> {
    /// Looks for the fastest setting, from `base` on. `None` if it was stopped.
    pub(super) fn search(&mut self, base: &Setting) -> Result<Option<Setting>> {
        if !self.calibrate(base)? {
            return Ok(None);
        }
        let Some(best) = self.step(base)? else { return Ok(None) };
        // predictions for other sizes are to be those of the reading that was taken
        if self.fitted != Some((best.path, best.lanes)) && !self.refit(&best)? {
            return Ok(None);
        }
        self.downhill(best)
    }

    pub(super) fn plan(&self, setting: &Setting) -> Result<Plan> {
        self.planner.plan(&self.bench.options_of(setting))
    }

    /// The setting with so many sixteenths of the cache that fits.
    pub(super) fn sized(&self, setting: &Setting, sixteenths: u64) -> Setting {
        let cache = (sixteenths < MOST).then_some(self.probe.plan.slots / MOST * sixteenths);
        Setting { cache, ..*setting }
    }

    /// Fits the forecast to the largest cache and a small one, read as in `base`. `false` if it was stopped.
    fn calibrate(&mut self, base: &Setting) -> Result<bool> {
        let calm = Setting { prefetch: Prefetch::Off, ..*base };
        let most = if self.settled.cache { calm } else { self.sized(&calm, MOST) };
        let small = SMALL.map(|n| self.sized(&calm, n)).into_iter().find(|setting| self.plan(setting).is_ok());
        let settings: Vec<Setting> = [Some(most), small].into_iter().flatten().collect();
        self.fitted = None;
        let Some(ran) = self.round(&settings)? else { return Ok(false) };
        self.times[ran.clone()].iter_mut().for_each(|timed| timed.verdict = Verdict::Fitted);
        let (more, fewer) = (&self.times[ran.start], &self.times[ran.end - 1]);
        self.forecast.calibrate(base.policy, more.measured(), fewer.measured())?;
        self.fitted = Some((base.path, base.lanes));
        Ok(true)
    }

    /// Fits the forecast anew to the reading of `best`. `false` if it was stopped.
    fn refit(&mut self, best: &Setting) -> Result<bool> {
        self.watch.begin("the drive");
        let layers = &self.probe.plan.layers;
        self.forecast.disk = disk(self.planner.gguf.shard_paths(), layers, (best.path, best.lanes))?;
        self.calibrate(best)
    }

    /// What came of it: `best` is the fastest.
    pub(super) fn finish(self, best: &Setting) -> Result<Tuned> {
        let last = |fits: bool| {
            let same = |timed: &Timed| timed.setting == *best && (fits || timed.verdict != Verdict::Fitted);
            self.times.iter().rposition(same)
        };
        let place = last(false).or_else(|| last(true)).unwrap_or(0);
        let sizes = SIXTEENTHS.into_iter().filter_map(|n| self.plan(&self.sized(best, n)).ok());
        let sizes = sizes.map(|plan| size(&self.forecast, &plan, best)).collect::<Result<_>>()?;
        let trials = self.times.iter().map(Timed::trial).collect();
        Ok(Tuned { probe: self.probe, trials, best: place, sizes, forecast: self.forecast })
    }

    /// Times these settings, there and back, compares the answers, and judges all by the first. Their places among all that
    /// was timed; `None` if it was stopped.
    pub(super) fn round(&mut self, settings: &[Setting]) -> Result<Option<Range<usize>>> {
        let first = self.times.len();
        self.rounds += 1;
        for setting in settings {
            let plan = self.plan(setting)?;
            let known = self.times[..first].iter().any(|timed| timed.setting == *setting);
            let predicted = (self.fitted == Some((setting.path, setting.lanes)) && !known)
                .then(|| self.forecast.predict(&plan, setting.policy, setting.prefetch));
            let predicted = predicted.transpose()?.map(|p| p.tok_s);
            let (round, verdict, runs) = (self.rounds, Verdict::Base, Vec::new());
            self.times.push(Timed { setting: *setting, plan, predicted, round, verdict, runs });
        }
        self.watch.planned(2 * settings.len());
        for place in order(settings.len()) {
            if !self.run(first + place)? {
                return Ok(None);
            }
        }
        for place in first + 1..self.times.len() {
            self.times[place].verdict = self.times[place].against(&self.times[first]);
        }
        Ok(Some(first..self.times.len()))
    }

    /// One run of a setting. `false` if it was stopped.
    fn run(&mut self, place: usize) -> Result<bool> {
        let setting = self.times[place].setting;
        let what = setting.brief();
        self.watch.begin(&what);
        let options = self.bench.options_of(&setting);
        let watch = RefCell::new(&mut *self.watch);
        let (stopped, answered) = (|| watch.borrow().stopped(), || watch.borrow_mut().answered());
        let Some(outcome) = self.bench.run(&options, &stopped, &mut { answered })? else { return Ok(false) };
        same_answers(("the untimed run", &self.probe.outcome), (&what, &outcome))?;
        self.times[place].runs.push(outcome);
        Ok(true)
    }
}

/// What the drive does: its rate in as many lanes as are used, and the latency that one lane alone shows.
pub(super) fn disk(shards: &[PathBuf], layers: &[ExpertLayer], (path, lanes): Reading) -> Result<DiskModel> {
    let together = line_rate::measure(shards, layers, path, lanes, false)?;
    let alone = line_rate::measure(shards, layers, path, 1, false)?;
    let extents = layers.iter().flat_map(|layer| &layer.extents);
    let (bytes, count) = extents.fold((0.0, 0.0), |(bytes, n), extent| (bytes + extent.len as f64, n + 1.0));
    let read = bytes / f64::max(count, 1.0);
    let latency = read / alone.bytes_per_s.max(1.0) - read / together.bytes_per_s.max(1.0);
    let latency = Duration::from_secs_f64(latency.clamp(0.0, LATENCY_MOST));
    Ok(DiskModel { latency, bytes_per_s: together.bytes_per_s.max(1.0), lanes })
}
