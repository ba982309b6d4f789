//! A run once more, as its trace tells it.

use std::collections::VecDeque;
use std::fmt;

use super::{PhaseCounts, request};
use crate::error::Result;
use crate::expert::ExpertId;
use crate::expert::cache::{Cache, EvictionPolicy, Plan, PolicyShape, Wave};
use crate::expert::trace::{Event, Residency, Routed, Setup, Trace};

/// Where a trace tells another story than the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Line of the trace.
    pub line: u64,
    /// What is there, and what should be.
    pub what: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Gives a cache of `setup`'s shape with the recorded policy all that the run's cache was given, and returns its counts.
/// `None` inside if the trace agrees with the cache: where each expert was, which prefetches got slots, which were used.
///
/// # Errors
/// A setup without a slot for a layer.
pub fn as_recorded(
    trace: &Trace,
    setup: &Setup,
    policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
) -> Result<(PhaseCounts, Option<Disagreement>)> {
    let cache = Cache::new(&setup.layers, &setup.classes, policy)?;
    let tells_waves = trace.events.iter().any(|e| e.event == Event::Wave);
    let mut player =
        Player { tells_waves, cache, open: None, distinct: Vec::new(), seen: Vec::new(), promoted: VecDeque::new() };
    for recorded in &trace.events {
        if let Err(what) = player.play(&recorded.event, setup) {
            return Ok((PhaseCounts::of(&player.cache), Some(Disagreement { line: recorded.line, what })));
        }
    }
    let line = trace.events.last().map_or(1, |e| e.line);
    let end = player.end().err().map(|what| Disagreement { line, what });
    Ok((PhaseCounts::of(&player.cache), end))
}

/// The layer that is being served.
struct Open {
    plan: Plan,
    /// Experts of the open wave that got slots in it.
    new: Vec<ExpertId>,
    /// Whether there may be more waves.
    left: bool,
    /// A read of the layer failed: what is left of it was given up.
    failed: bool,
}

struct Player {
    /// Whether the trace marks waves. If not, a layer is served whole before anything is prefetched.
    tells_waves: bool,
    cache: Cache,
    open: Option<Open>,
    distinct: Vec<u32>,
    seen: Vec<bool>,
    /// Promotions that the trace has still to name.
    promoted: VecDeque<ExpertId>,
}

impl Player {
    fn play(&mut self, event: &Event, setup: &Setup) -> Result<(), String> {
        if let Event::Issued(id) | Event::Landed(id) | Event::Cancelled(id) | Event::Promoted(id) | Event::Failed(id) =
            event
        {
            known(*id, setup)?;
        }
        match event {
            Event::Recalled(memory) => {
                memory.iter().try_for_each(|&(id, _)| known(id, setup))?;
                self.cache.recall(memory);
                Ok(())
            }
            Event::Probation(class, slots) => {
                if *class >= self.cache.classes() {
                    return Err(format!("there is no slot class {class}"));
                }
                // Comes between layers only.
                self.end()?;
                self.cache.set_probation(*class, *slots);
                Ok(())
            }
            Event::Issued(id) => {
                self.serve_rest(|_| false);
                match self.cache.prefetch(*id) {
                    Some(_) => Ok(()),
                    None => Err(format!("no slot in probation for {}", name(*id))),
                }
            }
            // When a read completes does not matter.
            Event::Landed(_) => Ok(()),
            Event::Cancelled(id) => {
                // One that was in use could be cancelled only behind the end of its layer.
                if !self.cache.cancel(*id) {
                    self.end()?;
                    if !self.cache.cancel(*id) {
                        return Err(format!("{} is not in probation", name(*id)));
                    }
                }
                Ok(())
            }
            Event::Promoted(id) => match self.promoted.pop_front() {
                Some(expected) if expected == *id => Ok(()),
                Some(expected) => Err(format!("{} was promoted, not {}", name(expected), name(*id))),
                None => Err(format!("{} was not promoted", name(*id))),
            },
            Event::Failed(id) => {
                if self.cache.slot_of(*id).is_none() {
                    self.serve_rest(|wave| wave.fills.iter().any(|fill| fill.id == *id));
                }
                if let Some(open) = self.open.as_mut().filter(|open| open.new.contains(id)) {
                    open.failed = true;
                }
                self.cache.fill_failed(*id);
                Ok(())
            }
            Event::Routed(routed) => {
                self.end()?;
                self.begin(routed)
            }
            Event::Wave => {
                let Some(open) = &mut self.open else { return Err("a wave of no layer".into()) };
                match self.cache.next_wave(&mut open.plan) {
                    Some(wave) => {
                        self.served(wave);
                        Ok(())
                    }
                    None => Err("a wave where all experts were served".into()),
                }
            }
        }
    }

    fn begin(&mut self, routed: &Routed) -> Result<(), String> {
        self.distinct.clear();
        for (&index, &recorded) in routed.chosen.iter().zip(&routed.residency) {
            let id = ExpertId { layer: routed.layer, index };
            let (held, prefetched) = (self.cache.slot_of(id).is_some(), self.cache.is_prefetched(id));
            let agrees = match recorded {
                Residency::Missing => !held,
                Residency::Resident => held && !prefetched,
                Residency::Prefetched => prefetched,
                Residency::Late => held,
            };
            if !agrees {
                let was = match (held, prefetched) {
                    (false, _) => "has no slot",
                    (true, false) => "has a slot",
                    (true, true) => "is in probation",
                };
                return Err(format!("{} {was} in the replay, and residency {} in the trace", name(id), recorded as u8));
            }
        }
        super::distinct_of(&routed.chosen, &mut self.seen, &mut self.distinct);
        let mut plan = self.cache.begin(&request(routed, &self.distinct));
        let wave = self.cache.next_wave(&mut plan);
        self.open = Some(Open { plan, new: Vec::new(), left: true, failed: false });
        wave.into_iter().for_each(|wave| self.served(wave));
        Ok(())
    }

    fn served(&mut self, wave: Wave) {
        self.promoted.extend(wave.promoted.iter().map(|p| p.id));
        if let Some(open) = &mut self.open {
            open.new = wave.fills.iter().map(|f| f.id).chain(wave.promoted.iter().map(|p| p.id)).collect();
        }
    }

    /// Where the trace does not tell waves, serves those that are left of the layer, up to one that `stops`.
    fn serve_rest(&mut self, stops: impl Fn(&Wave) -> bool) {
        while let Some(open) = self.open.as_mut().filter(|open| !self.tells_waves && !open.failed && open.left) {
            let wave = self.cache.next_wave(&mut open.plan);
            open.left = wave.is_some();
            let Some(wave) = wave else { return };
            let stop = stops(&wave);
            self.served(wave);
            if stop {
                return;
            }
        }
    }

    /// Ends the layer.
    fn end(&mut self) -> Result<(), String> {
        self.serve_rest(|_| false);
        self.open = None;
        self.cache.release();
        match self.promoted.pop_front() {
            Some(id) => Err(format!("{} was promoted before, which the trace does not tell", name(id))),
            None => Ok(()),
        }
    }
}

/// Whether the model has the expert.
fn known(id: ExpertId, setup: &Setup) -> Result<(), String> {
    let layer = setup.layers.iter().find(|l| l.layer == id.layer);
    match layer.is_some_and(|l| (id.index as usize) < l.count) {
        true => Ok(()),
        false => Err(format!("the model has no {}", name(id))),
    }
}

fn name(id: ExpertId) -> String {
    format!("expert {} of layer {}", id.index, id.layer)
}
