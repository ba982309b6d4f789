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
//! - Prefetched experts live in probation: slots that no demanded expert is evicted for. One that is requested is a hit
//!   and becomes demanded; the slot of its victim (or an empty one) joins probation in exchange.
//! - Experts that an earlier run kept stand in slots that count as empty.

mod classes;
mod kept;
mod policy;
mod probation;
mod request;
#[cfg(test)]
mod tests;

pub use classes::{classes_for, largest_budget, smallest_budget};
pub use policy::{Belady, EvictionPolicy, Lru, PolicyKind, PolicyShape};
pub use request::{Counts, Fill, Phase, Promotion, Request, Wave};

use std::collections::VecDeque;

use self::probation::Probation;
use super::{ExpertId, LayerShape, SlotClass, SlotId};
use crate::error::{Error, Result};

/// What is left to serve of one (step, layer).
#[derive(Debug)]
pub struct Plan {
    class: usize,
    pending: Vec<ExpertId>,
}

impl Plan {
    /// Whether the last wave has been given.
    pub fn is_served(&self) -> bool {
        self.pending.is_empty()
    }
}

/// A slot's owner, whether the open wave holds it, and what it is for.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    owner: Option<ExpertId>,
    pinned: bool,
    probation: bool,
    /// Its owner was kept by an earlier run and was not requested yet.
    kept: bool,
}

/// One class of slots.
struct Pool {
    slots: usize,
    policy: Box<dyn EvictionPolicy>,
    /// Empty slots for demanded experts, the lowest on top.
    empty: Vec<SlotId>,
    probation: Probation,
    /// Experts that an earlier run kept, the coldest in front; those that were requested since are among them.
    kept: VecDeque<ExpertId>,
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
    phase: Phase,
    counts: [Counts; 2],
}

impl Cache {
    /// A cache of empty slots, each class with a policy of its own and none of its slots in probation.
    ///
    /// # Errors
    /// A layer whose class does not exist or has no slots.
    pub fn new(
        layers: &[LayerShape],
        classes: &[SlotClass],
        policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
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
            .enumerate()
            .map(|(class, c)| {
                let first = slots;
                slots += c.slots;
                let layers = layers.iter().filter(|l| l.class == class).map(|l| (l.layer, l.count)).collect();
                Pool {
                    slots: c.slots,
                    policy: policy(&PolicyShape { layers, slots: c.slots }),
                    empty: (first..slots).rev().map(|s| SlotId(s as u32)).collect(),
                    probation: Probation::default(),
                    kept: VecDeque::new(),
                }
            })
            .collect();
        Ok(Self {
            layers: entries,
            table: vec![None; experts],
            slots: vec![Slot::default(); slots],
            pools,
            pinned: Vec::new(),
            phase: Phase::default(),
            counts: [Counts::default(); 2],
        })
    }

    /// Starts one (step, layer): counts its requests and tells the policy. Ends the wave before it.
    ///
    /// # Panics
    /// If the layer has no experts or an index is not one of the layer's: both are fixed by the model's shape.
    pub fn begin(&mut self, request: &Request<'_>) -> Plan {
        self.release();
        let pending: Vec<ExpertId> = request.ids().collect();
        let hits = pending.iter().filter(|&&id| self.slot_of(id).is_some()).count() as u64;
        self.phase = request.phase;
        let counts = &mut self.counts[request.phase as usize];
        counts.requests += pending.len() as u64;
        counts.hits += hits;
        counts.misses += pending.len() as u64 - hits;
        let class = self.entry(request.layer).class;
        self.pools[class].policy.request(request);
        Plan { class, pending }
    }

    /// Ends the wave before, then gives slots to as many of the plan's experts as fit: the residents first.
    /// `None` when all have been served.
    pub fn next_wave(&mut self, plan: &mut Plan) -> Option<Wave> {
        self.release();
        if plan.pending.is_empty() {
            return None;
        }
        let mut wave = Wave::default();
        for &id in &plan.pending {
            if let Some(slot) = self.slot_of(id) {
                self.pin(slot);
                wave.hits.push((id, slot));
            }
        }
        // The policy learns of new residents after all victims are chosen: none of them is a victim of its own wave.
        let mut demanded = Vec::with_capacity(plan.pending.len());
        let mut full = false;
        for &id in &plan.pending {
            let held = self.slot_of(id);
            if let Some(SlotId(own)) = held
                && !self.slots[own as usize].probation
            {
                if std::mem::take(&mut self.slots[own as usize].kept) {
                    demanded.push(id);
                }
                continue;
            }
            let Some((slot, evicted)) = (if full { None } else { self.free_slot(plan.class) }) else {
                full = true;
                continue;
            };
            match held {
                Some(own) => {
                    self.exchange(plan.class, id, own, slot);
                    wave.promoted.push(Promotion { id, evicted });
                }
                None => {
                    self.slots[slot.0 as usize].owner = Some(id);
                    *self.table_mut(id) = Some(slot);
                    self.pin(slot);
                    wave.fills.push(Fill { id, slot, evicted });
                }
            }
            demanded.push(id);
        }
        self.pools[plan.class].policy.insert(&demanded);
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
        let was = std::mem::take(&mut self.slots[slot.0 as usize]);
        self.pinned.retain(|&s| s != slot);
        let class = self.entry(id.layer).class;
        if was.probation {
            self.pools[class].probation.remove(id);
            self.vacate(class, slot);
        } else {
            if !was.kept {
                self.pools[class].policy.remove(id);
            }
            self.pools[class].empty.push(slot);
        }
    }

    /// What the policies hold of the past, for [`Cache::recall`].
    pub fn memory(&self) -> Vec<(ExpertId, f32)> {
        self.pools.iter().flat_map(|p| p.policy.memory()).collect()
    }

    /// Whether a policy asks for [`Request::scores`].
    pub fn wants_scores(&self) -> bool {
        self.pools.iter().any(|p| p.policy.wants_scores())
    }

    /// The expert's slot, if it has one.
    pub fn slot_of(&self, id: ExpertId) -> Option<SlotId> {
        self.table[self.index(id)]
    }

    /// Whether the expert is in probation: prefetched and not requested yet.
    pub fn is_prefetched(&self, id: ExpertId) -> bool {
        self.slot_of(id).is_some_and(|slot| self.slots[slot.0 as usize].probation)
    }

    /// Slot classes.
    pub fn classes(&self) -> usize {
        self.pools.len()
    }

    /// Counts of a phase.
    pub fn counts(&self, phase: Phase) -> Counts {
        self.counts[phase as usize]
    }

    /// The demanded experts of a slot class in the order they would leave.
    pub fn residents(&self, class: usize) -> Vec<ExpertId> {
        self.pools[class].policy.residents()
    }

    /// Slots of all classes.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Slots of a class.
    pub fn class_slots(&self, class: usize) -> usize {
        self.pools[class].slots
    }

    /// The eviction policy's name.
    pub fn policy_name(&self) -> &'static str {
        self.pools.first().map_or("none", |p| p.policy.name())
    }

    /// An empty slot of the class, or one whose owner leaves: a kept one, or else a demanded one, which is evicted. `None` if
    /// the open wave holds all of them.
    fn free_slot(&mut self, class: usize) -> Option<(SlotId, Option<ExpertId>)> {
        if let Some(slot) = self.pools[class].empty.pop() {
            return Some((slot, None));
        }
        if let Some((slot, id)) = self.free_kept(class) {
            return Some((slot, Some(id)));
        }
        let victim = self.pools[class].policy.victim(&|id| !self.is_pinned(id))?;
        self.pools[class].policy.remove(victim);
        self.counts[self.phase as usize].evictions += 1;
        let slot = self
            .table_mut(victim)
            .take()
            .expect("the policy knows residents only: inserted and removed with the table");
        self.slots[slot.0 as usize].owner = None;
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
