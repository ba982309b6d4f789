//! Probation: slots for prefetched experts, which no demanded expert has to leave for.

use std::collections::VecDeque;

use super::{Cache, Slot};
use crate::expert::{ExpertId, SlotId};

/// The probation slots of one class.
#[derive(Default)]
pub(super) struct Probation {
    empty: Vec<SlotId>,
    /// Experts in probation, the longest there in front.
    held: VecDeque<ExpertId>,
    /// Slots that there should be: exchanges keep the number, and what is above it goes back when it falls empty.
    wanted: usize,
}

impl Probation {
    pub(super) fn remove(&mut self, id: ExpertId) {
        self.held.retain(|&held| held != id);
    }

    fn slots(&self) -> usize {
        self.empty.len() + self.held.len()
    }
}

impl Cache {
    /// Sets how many slots of a class are for prefetched experts. More: empty slots first, then those of victims, which
    /// are evicted and told. Fewer: empty ones go back at once, others when they fall empty. At least one slot stays demanded.
    pub fn set_probation(&mut self, class: usize, wanted: usize) -> Vec<ExpertId> {
        let wanted = wanted.min(self.pools[class].slots.saturating_sub(1));
        self.pools[class].probation.wanted = wanted;
        let mut victims = Vec::new();
        while self.pools[class].probation.slots() < wanted {
            let Some((slot, victim)) = self.free_slot(class) else { break };
            victims.extend(victim);
            self.slots[slot.0 as usize].probation = true;
            self.pools[class].probation.empty.push(slot);
        }
        while self.pools[class].probation.slots() > wanted {
            let Some(slot) = self.pools[class].probation.empty.pop() else { break };
            self.slots[slot.0 as usize].probation = false;
            self.pools[class].empty.push(slot);
        }
        victims
    }

    /// How many slots of a class should be for prefetched experts; fewer or more are while slots are in use.
    pub fn probation_wanted(&self, class: usize) -> usize {
        self.pools[class].probation.wanted
    }

    /// A slot for an expert that is predicted; `None` if it has a slot, or no probation slot is empty.
    pub fn prefetch(&mut self, id: ExpertId) -> Option<SlotId> {
        let class = self.entry(id.layer).class;
        if self.slot_of(id).is_some() {
            return None;
        }
        let probation = &mut self.pools[class].probation;
        let slot = probation.empty.pop()?;
        probation.held.push_back(id);
        self.slots[slot.0 as usize].owner = Some(id);
        *self.table_mut(id) = Some(slot);
        Some(slot)
    }

    /// Gives up a prefetched expert that was not requested: its slot in probation is empty again. `false` if the expert
    /// is not in probation, or in use.
    pub fn cancel(&mut self, id: ExpertId) -> bool {
        let held = self.slot_of(id).map(|slot| self.slots[slot.0 as usize]);
        let given_up = held.is_some_and(|s| s.probation && !s.pinned);
        if given_up {
            self.fill_failed(id);
        }
        given_up
    }

    /// The experts of a class that are in probation, the longest there first.
    pub fn in_probation(&self, class: usize) -> impl Iterator<Item = ExpertId> + '_ {
        self.pools[class].probation.held.iter().copied()
    }

    /// Slots of a class that are for prefetched experts, and how many of them are empty.
    pub fn probation_slots(&self, class: usize) -> (usize, usize) {
        let probation = &self.pools[class].probation;
        (probation.slots(), probation.empty.len())
    }

    /// Makes the prefetched expert `id` in slot `own` a demanded one, and `other`, which has no owner, a probation slot.
    pub(super) fn exchange(&mut self, class: usize, id: ExpertId, own: SlotId, other: SlotId) {
        self.slots[own.0 as usize].probation = false;
        self.pools[class].probation.remove(id);
        self.vacate(class, other);
    }

    /// Puts a slot without an owner to the empty ones of probation, or to the others if probation has enough.
    pub(super) fn vacate(&mut self, class: usize, slot: SlotId) {
        let pool = &mut self.pools[class];
        let stays = pool.probation.slots() < pool.probation.wanted;
        self.slots[slot.0 as usize] = Slot { probation: stays, ..Slot::default() };
        if stays { pool.probation.empty.push(slot) } else { pool.empty.push(slot) }
    }
}
