//! The steps of the search: what is tried from a setting on, and what of that is taken.

use super::forecast::Forecast;
use super::rounds::{Reading, Rounds, SIXTEENTHS};
use super::trial::Timed;
use crate::bench::run::Probe;
use crate::error::Result;
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::source::ReadPath;
use crate::generate::plan::Plan;
use crate::generate::profile::Setting;

/// A policy that promises less than this factor is not tried.
const PROMISING: f64 = 1.005;
/// Other ways of reading that are tried.
const PATHS_TRIED: usize = 2;
/// Reads at once where few are tried.
const FEW_LANES: usize = 2;

impl Rounds<'_> {
    /// Tries one step away from the base in each direction, and those together that are faster. `None` if it was stopped.
    pub(super) fn step(&mut self, base: &Setting) -> Result<Option<Setting>> {
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
            tried.extend([12, 8].map(|n| self.sized(base, n)));
        }
        // a way of reading may need more memory than there is, and a cache may have too few slots
        tried.retain(|setting| self.plan(setting).is_ok());
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
        if together == best || self.plan(&together).is_err() {
            return Ok(Some(best));
        }
        let Some(ran) = self.round(&[best, together])? else { return Ok(None) };
        let better = self.times[ran.start + 1].beats(&self.times[ran.start]);
        Ok(Some(if better { together } else { best }))
    }

    /// Where less cache was faster, goes on to still less as long as that is faster. `None` if it was stopped.
    pub(super) fn downhill(&mut self, mut best: Setting) -> Result<Option<Setting>> {
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
fn readings(probe: &Probe) -> Vec<Reading> {
    let (path, lanes) = (probe.source.path, probe.source.lanes);
    let mut others: Vec<_> = probe.source.measured.iter().filter(|m| (m.path, m.lanes) != (path, lanes)).collect();
    others.sort_by(|a, b| b.bytes_per_s.total_cmp(&a.bytes_per_s));
    let mut tried: Vec<Reading> = Vec::new();
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
