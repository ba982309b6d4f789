//! The expert cache: which experts have slots, which one gives its slot up, and the counts.
//!
//! It does no I/O, reads no clock and knows no device, so a recorded routing replayed through it gives the counts of
//! the run that recorded it. Its rules:
//!
//! - One request per distinct expert of a (step, layer), in order of first appearance (token, then rank).
//! - Hits and misses are counted first; filling an empty slot is a miss and no eviction.
//! - All residents are touched and pinned; then victims for all misses are chosen together among the unpinned.
//! - Recency follows request order; ties fall to the lowest (layer, expert).
//! - More distinct experts than slots: waves, the residents first, then in request order. Pins end with the wave.
//! - When a read completes does not matter to the policy.

mod classes;
mod policy;
#[cfg(test)]
mod tests;

pub use classes::{classes_for, largest_budget, smallest_budget};
pub use policy::{EvictionPolicy, Lru};

use super::{ExpertId, ExpertLayer, SlotClass, SlotId};
use crate::error::{Error, Result};

/// What a step is for; counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// The prompt.
    #[default]
    Prefill,
    /// One new token at a time.
    Decode,
}

/// Counts per (layer, expert) request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct experts asked for, summed over (step, layer).
    pub requests: u64,
    /// Requests that found their expert in a slot.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Experts that lost their slot to a miss.
    pub evictions: u64,
}

/// One miss: the slot that the expert is to be read into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The missing expert.
    pub id: ExpertId,
    /// Its slot from now on.
    pub slot: SlotId,
    /// Whose slot it was; `None` if the slot was empty.
    pub evicted: Option<ExpertId>,
}

/// Experts that are in the cache at once, pinned until the next wave or [`Cache::release`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wave {
    /// Residents.
    pub hits: Vec<(ExpertId, SlotId)>,
    /// Misses, in request order.
    pub fills: Vec<Fill>,
}

/// What is left to serve of one (step, layer).
#[derive(Debug)]
pub struct Plan {
    phase: Phase,
    class: usize,
    pending: Vec<ExpertId>,
}

/// A slot's owner and whether the open wave holds it.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    owner: Option<ExpertId>,
    pinned: bool,
}

/// One class of slots.
struct Pool {
    policy: Box<dyn EvictionPolicy>,
    /// Empty slots, the lowest on top.
    empty: Vec<SlotId>,
}

/// Where a layer's experts are in the table.
#[derive(Clone, Copy)]
struct LayerEntry {
    first: usize,
    count: usize,
    class: usize,
}

/// The slots of all classes and who is in them.
pub struct Cache {
    /// By model layer; `None` for layers without experts.
    layers: Vec<Option<LayerEntry>>,
    /// Slot of every expert of every layer, if it has one.
    table: Vec<Option<SlotId>>,
    slots: Vec<Slot>,
    pools: Vec<Pool>,
    pinned: Vec<SlotId>,
    counts: [Counts; 2],
}

impl Cache {
    /// A cache of empty slots, each class with a policy of its own.
    ///
    /// # Errors
    /// A layer whose class does not exist or has no slots.
    pub fn new(
        layers: &[ExpertLayer],
        classes: &[SlotClass],
        policy: impl Fn() -> Box<dyn EvictionPolicy>,
    ) -> Result<Self> {
        let mut entries = vec![None; layers.iter().map(|l| l.layer as usize + 1).max().unwrap_or(0)];
        let mut experts = 0;
        for l in layers {
            if classes.get(l.class).is_none_or(|c| c.slots == 0) {
                return Err(Error::Budget(format!("expert cache: no slot for the experts of layer {}", l.layer)));
            }
            entries[l.layer as usize] = Some(LayerEntry { first: experts, count: l.count, class: l.class });
            experts += l.count;
        }
        let mut slots = 0;
        let pools = classes
            .iter()
            .map(|c| {
                let first = slots;
                slots += c.slots;
                Pool { policy: policy(), empty: (first..slots).rev().map(|s| SlotId(s as u32)).collect() }
            })
            .collect();
        Ok(Self {
            layers: entries,
            table: vec![None; experts],
            slots: vec![Slot::default(); slots],
            pools,
            pinned: Vec::new(),
            counts: [Counts::default(); 2],
        })
    }

    /// Starts one (step, layer): counts its requests and tells the policy. Ends the wave before it.
    ///
    /// `distinct` holds each expert once, in order of first appearance.
    ///
    /// # Panics
    /// If the layer has no experts or an index is not one of the layer's: both are fixed by the model's shape.
    pub fn begin(&mut self, phase: Phase, layer: u32, distinct: &[u32]) -> Plan {
        self.release();
        let pending: Vec<ExpertId> = distinct.iter().map(|&index| ExpertId { layer, index }).collect();
        let hits = pending.iter().filter(|&&id| self.slot_of(id).is_some()).count() as u64;
        let counts = &mut self.counts[phase as usize];
        counts.requests += pending.len() as u64;
        counts.hits += hits;
        counts.misses += pending.len() as u64 - hits;
        let class = self.entry(layer).class;
        self.pools[class].policy.request(&pending);
        Plan { phase, class, pending }
    }

    /// Ends the wave before, then gives slots to as many of the plan's experts as fit: the residents first.
    /// `None` when all have been served.
    pub fn next_wave(&mut self, plan: &mut Plan) -> Option<Wave> {
        self.release();
        if plan.pending.is_empty() {
            return None;
        }
        let mut wave = Wave::default();
        let mut missing = Vec::with_capacity(plan.pending.len());
        for &id in &plan.pending {
            match self.slot_of(id) {
                Some(slot) => {
                    self.pin(slot);
                    wave.hits.push((id, slot));
                }
                None => missing.push(id),
            }
        }
        for &id in &missing {
            let Some((slot, evicted)) = self.free_slot(plan.class) else { break };
            self.counts[plan.phase as usize].evictions += u64::from(evicted.is_some());
            self.slots[slot.0 as usize].owner = Some(id);
            *self.table_mut(id) = Some(slot);
            self.pin(slot);
            wave.fills.push(Fill { id, slot, evicted });
        }
        // The policy learns of new residents after all victims are chosen: none of them is a victim of its own wave.
        self.pools[plan.class].policy.insert(&missing[..wave.fills.len()]);
        plan.pending.retain(|&id| !self.is_pinned(id));
        Some(wave)
    }

    /// Ends the open wave: its slots may be evicted from now on.
    pub fn release(&mut self) {
        for slot in self.pinned.drain(..) {
            self.slots[slot.0 as usize].pinned = false;
        }
    }

    /// Takes back a fill that could not be read: its slot is empty again. The miss stays counted.
    pub fn fill_failed(&mut self, id: ExpertId) {
        let Some(slot) = self.table_mut(id).take() else { return };
        self.slots[slot.0 as usize] = Slot::default();
        self.pinned.retain(|&s| s != slot);
        let class = self.entry(id.layer).class;
        self.pools[class].policy.remove(id);
        self.pools[class].empty.push(slot);
    }

    /// The expert's slot, if it has one.
    pub fn slot_of(&self, id: ExpertId) -> Option<SlotId> {
        self.table[self.index(id)]
    }

    /// Counts of a phase.
    pub fn counts(&self, phase: Phase) -> Counts {
        self.counts[phase as usize]
    }

    /// The experts of a slot class in the order they would leave.
    pub fn residents(&self, class: usize) -> Vec<ExpertId> {
        self.pools[class].policy.residents()
    }

    /// Slots of all classes.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The eviction policy's name.
    pub fn policy_name(&self) -> &'static str {
        self.pools.first().map_or("none", |p| p.policy.name())
    }

    /// An empty slot of the class, or one whose owner is evicted; `None` if the open wave holds all of them.
    fn free_slot(&mut self, class: usize) -> Option<(SlotId, Option<ExpertId>)> {
        if let Some(slot) = self.pools[class].empty.pop() {
            return Some((slot, None));
        }
        let victim = self.pools[class].policy.victim(&|id| !self.is_pinned(id))?;
        self.pools[class].policy.remove(victim);
        let slot = self
            .table_mut(victim)
            .take()
            .expect("the policy knows residents only: inserted and removed with the table");
        Some((slot, Some(victim)))
    }

    fn pin(&mut self, slot: SlotId) {
        self.slots[slot.0 as usize].pinned = true;
        self.pinned.push(slot);
    }

    fn is_pinned(&self, id: ExpertId) -> bool {
        self.slot_of(id).is_some_and(|s| self.slots[s.0 as usize].pinned)
    }

    fn entry(&self, layer: u32) -> LayerEntry {
        self.layers[layer as usize].expect("only layers with experts route")
    }

    fn index(&self, id: ExpertId) -> usize {
        let entry = self.entry(id.layer);
        assert!((id.index as usize) < entry.count, "expert {} of layer {} of {}", id.index, id.layer, entry.count);
        entry.first + id.index as usize
    }

    fn table_mut(&mut self, id: ExpertId) -> &mut Option<SlotId> {
        let index = self.index(id);
        &mut self.table[index]
    }
}
