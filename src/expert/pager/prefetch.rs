//! Prefetching: experts that a prediction names are read into probation slots while lanes are idle.

use std::collections::HashSet;

use super::flights::Purpose;
use super::governor::{Governor, Prefetch};
use super::{Event, Ledger, Pager, Phase, PrefetchedTokens, WarmLedger};
use crate::compute::ExpertDevice;
use crate::expert::ExpertId;
use crate::expert::cache::{Cache, Promotion};

/// Of so many slots one may be for prefetched experts.
pub const SLOTS_PER_PREFETCH: usize = 20;

/// Experts that an earlier run kept, and how much of what this one asks for is among them: while reads of some are under way.
#[derive(Debug, Default)]
pub(super) struct Kept {
    experts: HashSet<ExpertId>,
    requests: u64,
    hits: u64,
}

impl Kept {
    /// Requests before which nothing is concluded.
    const ENOUGH: u64 = 64;
    /// Hits over those that chance would have, below which they are plainly not what is asked for.
    const LEAST: f64 = 0.75;

    /// Whether they may be what this run, of a model with so many `experts`, asks for.
    fn serves(&self, experts: usize) -> bool {
        let chance = self.experts.len() as f64 / experts as f64;
        self.requests < Self::ENOUGH || self.hits as f64 >= Self::LEAST * chance * self.requests as f64
    }
}

impl Pager {
    /// What prefetches came to, by layer with experts, in model order.
    pub fn ledger(&self) -> &[Ledger] {
        &self.ledger
    }

    /// Decoded tokens, the one in hand with them once its last layer is done, and for how many experts were prefetched.
    pub fn prefetched_tokens(&self) -> PrefetchedTokens {
        let mut tokens = self.tokens;
        if self.token.end.is_some() {
            tokens.of += 1;
            tokens.with += u64::from(self.prefetches());
        }
        tokens
    }

    /// Whether experts are prefetched for the token in hand: that is wanted, and there are slots for it.
    fn prefetches(&self) -> bool {
        self.governor.is_on() && (0..self.cache.classes()).any(|class| self.cache.probation_wanted(class) > 0)
    }

    /// Sets how much is prefetched, from predictions up to `lookahead` layers ahead, for a model that uses `k` experts per
    /// token; that takes up to 2 k slots, and at most 5 % of them, out of the cache. `auto` follows in `shadow`, a cache as
    /// the pager's was made, what would be in it without any of that: what a token would miss then is what its time with and
    /// without is compared at.
    pub fn set_prefetch(&mut self, mode: Prefetch, lookahead: usize, k: usize, shadow: Option<Cache>) {
        self.governor = Governor::new(mode, lookahead, k);
        self.shadow = shadow;
        self.fit_probation();
    }

    /// Gives prefetches their slots, or the cache its slots back.
    fn fit_probation(&mut self) {
        let most = if self.governor.is_on() { 2 * self.governor.k() } else { 0 };
        let slots: Vec<usize> =
            (0..self.cache.classes()).map(|c| most.min(self.cache.class_slots(c) / SLOTS_PER_PREFETCH)).collect();
        if most == 0 {
            let held: Vec<_> = (0..slots.len()).flat_map(|class| self.cache.in_probation(class)).collect();
            held.into_iter().for_each(|id| self.drop_prefetch(id));
        }
        self.set_probation(&slots);
    }

    /// A step is over: the governor learns what it cost if it was a token, and decides about the next.
    pub(super) fn end_token(&mut self) {
        let tokens = self.prefetched_tokens();
        let Some(end) = self.token.end.take() else { return };
        self.tokens = tokens;
        let missing = self.missing_so_far() - self.token.missing;
        self.governor.token(end.saturating_sub(self.token.begin).as_secs_f64(), missing);
        self.fit_probation();
    }

    /// Experts asked for in decode that would not have been in the cache if nothing had been prefetched; known while a
    /// governor compares.
    pub(super) fn missing_so_far(&self) -> u64 {
        self.shadow.as_ref().map_or(0, |shadow| shadow.counts(Phase::Decode).misses)
    }

    /// How many layers ahead the step in hand should predict; 0: not at all.
    pub fn lookahead(&self) -> usize {
        if self.prefetches() && self.step.phase == Phase::Decode { self.governor.lookahead() } else { 0 }
    }

    /// Experts of one layer that [`Pager::prefetch`] takes at most.
    pub fn prefetch_cap(&self) -> usize {
        self.governor.cap()
    }

    /// Sets how many slots of each class are for prefetched experts.
    pub(super) fn set_probation(&mut self, slots: &[usize]) {
        for (class, &wanted) in slots.iter().enumerate() {
            if self.cache.probation_wanted(class) == wanted {
                continue;
            }
            for id in self.cache.set_probation(class, wanted) {
                self.flights.cancel(id);
            }
            self.emit(Event::Probation(class, wanted));
        }
    }

    /// Queues reads of experts that are expected, layer by layer, the likeliest of each first, resident or not. Of each layer
    /// at most as many are read as [`Pager::set_prefetch`] said. They take the place of prefetched experts whose layer has gone
    /// by without them; what finds no place is not read.
    pub fn prefetch(&mut self, device: &mut dyn ExpertDevice, expected: &[ExpertId]) {
        // a layer that does not fit needs every slot, and replays serve it whole before they prefetch
        if self.open.as_ref().is_some_and(|(_, plan, _)| !plan.is_served()) {
            return;
        }
        for of_layer in expected.chunk_by(|a, b| a.layer == b.layer) {
            let at = self.place(of_layer[0].layer as usize);
            let mut left = self.governor.cap();
            for &id in of_layer {
                if left > 0 && self.cache.slot_of(id).is_none() && self.issue(at, id, expected) {
                    left -= 1;
                }
            }
        }
        self.flights.begin(device, &self.layers);
    }

    /// Queues one read if there is a place for it: an empty one, or that of a prefetched expert of a layer that none of
    /// `expected` belongs to.
    fn issue(&mut self, at: usize, id: ExpertId, expected: &[ExpertId]) -> bool {
        let class = self.layers[at].class;
        if self.cache.probation_slots(class).1 == 0 {
            let keeps = |held: &ExpertId| expected.iter().any(|e| e.layer == held.layer);
            let old = self.cache.in_probation(class).find(|held| !keeps(held) && self.flights.of(*held).is_none());
            let Some(old) = old else { return false };
            self.drop_prefetch(old);
        }
        let Some(slot) = self.cache.prefetch(id) else { return false };
        self.ledger[at].issued += 1;
        self.emit(Event::Issued(id));
        self.flights.add(id, slot, Purpose::Prefetch);
        true
    }

    /// Brings back what an earlier run kept ([`Cache::memory`](crate::expert::cache::Cache::memory)), in the background.
    pub fn recall(&mut self, device: &mut dyn ExpertDevice, memory: Vec<(ExpertId, f32)>) {
        let kept = self.cache.recall(&memory);
        if let Some(shadow) = &mut self.shadow {
            shadow.recall(&memory);
        }
        self.emit(Event::Recalled(memory));
        for &(id, slot) in &kept {
            self.flights.add(id, slot, Purpose::Kept);
        }
        self.warm.kept = kept.len() as u64;
        self.kept = Kept { experts: kept.into_iter().map(|(id, _)| id).collect(), ..Kept::default() };
        self.flights.begin(device, &self.layers);
    }

    /// What came of the experts that an earlier run kept.
    pub fn warm_ledger(&self) -> WarmLedger {
        self.warm
    }

    /// A layer asks for its experts, before the cache decides: counts those that an earlier run kept. Once it is plain that
    /// this run asks for others, what is not read of them yet is not read.
    pub(super) fn account_kept(&mut self, layer: u32, late: &[ExpertId]) {
        for &index in &self.uses.distinct {
            let id = ExpertId { layer, index };
            if self.cache.is_kept(id) {
                *if late.contains(&id) { &mut self.warm.late } else { &mut self.warm.useful } += 1;
            }
        }
        if self.kept.experts.is_empty() {
            return;
        }
        self.kept.requests += self.uses.distinct.len() as u64;
        let known = |&&index: &&u32| self.kept.experts.contains(&ExpertId { layer, index });
        self.kept.hits += self.uses.distinct.iter().filter(known).count() as u64;
        let asked = |id: ExpertId| id.layer == layer && self.uses.contains(id.index);
        let under_way = self.flights.iter().filter(|&(id, flight)| flight.purpose == Purpose::Kept && !asked(id));
        let mut under_way: Vec<_> = under_way.map(|(id, _)| id).collect();
        let experts: usize = self.layers.iter().map(|layer| layer.count).sum();
        if under_way.is_empty() {
            self.kept = Kept::default();
        } else if !self.kept.serves(experts) {
            self.kept = Kept::default();
            under_way.sort_unstable();
            for id in under_way {
                self.flights.cancel(id);
                self.fail(id);
            }
        }
    }

    /// The router of `layer` has spoken: prefetches of its experts that it did not ask for are given up if they are still
    /// under way. Those that have landed stay for the next token, until their slot is wanted.
    pub(super) fn cancel_disagreed(&mut self, layer: u32) {
        let of_layer = self.flights.iter().filter(|(id, f)| f.purpose == Purpose::Prefetch && id.layer == layer);
        let mut wrong: Vec<ExpertId> = of_layer.map(|(id, _)| id).filter(|id| !self.uses.contains(id.index)).collect();
        wrong.sort_unstable();
        wrong.into_iter().for_each(|id| self.drop_prefetch(id));
    }

    /// A layer asks for its experts, before the cache decides: those whose reads are still under way.
    pub(super) fn late(&self, at: usize) -> Vec<ExpertId> {
        let mut late = Vec::new();
        for &index in &self.uses.distinct {
            let id = ExpertId { layer: self.layers[at].layer, index };
            let held = self.cache.slot_of(id).is_some();
            if held && self.flights.of(id).is_some() {
                late.push(id);
            }
        }
        late
    }

    /// Counts the prefetches that have become demanded experts.
    pub(super) fn account(&mut self, at: usize, promoted: &[Promotion], late: &[ExpertId]) {
        let bytes = self.layers[at].expert_bytes() as u64;
        let ledger = &mut self.ledger[at];
        for Promotion { id, .. } in promoted {
            let (count, sum) = match late.contains(id) {
                true => (&mut ledger.late, &mut ledger.late_bytes),
                false => (&mut ledger.useful, &mut ledger.useful_bytes),
            };
            *count += 1;
            *sum += bytes;
        }
    }

    /// Takes a prefetched expert's slot away.
    fn drop_prefetch(&mut self, id: ExpertId) {
        if !self.cache.cancel(id) {
            return;
        }
        let at = self.place(id.layer as usize);
        let flying = self.flights.of(id).is_some();
        let begun = self.flights.cancel(id);
        // of one that has begun it is not known yet how much was read
        if !flying {
            self.ledger[at].given_up(self.layers[at].expert_bytes() as u64);
        } else if !begun {
            self.ledger[at].given_up(0);
        }
        self.emit(Event::Cancelled(id));
    }
}
