//! Which (token, rank) pairs each expert of a step serves.

use crate::compute::ExpertJob;
use crate::expert::{ExpertId, SlotId};

/// The (token, rank) pairs of each distinct expert of a step, in order of first appearance.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) distinct: Vec<u32>,
    /// Where an expert is in `distinct`, by its index; `u32::MAX` elsewhere.
    place: Vec<u32>,
    /// `token * k + rank`, ascending, beside `distinct`; longer than it, to keep the memory.
    uses: Vec<Vec<u32>>,
}

impl Uses {
    /// Groups the chosen experts `(n, k)` of a layer of `count`.
    pub(super) fn set(&mut self, chosen: &[u32], count: usize) {
        self.distinct.clear();
        self.place.clear();
        self.place.resize(count, u32::MAX);
        for (use_, &expert) in (0..).zip(chosen) {
            let place = &mut self.place[expert as usize];
            if *place == u32::MAX {
                *place = self.distinct.len() as u32;
                if self.uses.len() == self.distinct.len() {
                    self.uses.push(Vec::new());
                }
                self.uses[self.distinct.len()].clear();
                self.distinct.push(expert);
            }
            self.uses[*place as usize].push(use_);
        }
    }

    /// Whether the step asks for the expert of this index.
    pub(super) fn contains(&self, index: u32) -> bool {
        self.place.get(index as usize).is_some_and(|&place| place != u32::MAX)
    }

    pub(super) fn job(&self, id: ExpertId, slot: SlotId) -> ExpertJob<'_> {
        ExpertJob { slot, expert: id.index, uses: &self.uses[self.place[id.index as usize] as usize] }
    }
}
