//! Experts that an earlier run kept: they stand in slots that count as empty.
//!
//! A slot that is wanted is theirs before a demanded expert is evicted, the coldest first; and one that is requested is a
//! hit, demanded from then on as if it had just been read. So a cache that began with them holds the same demanded experts
//! at every time as one that began empty, and no policy misses more than it would have: whatever was kept, of whichever
//! topic. (Where a layer asks for more than fits, the order of its waves differs, and with it what is left of them; and what
//! is prefetched is another matter.)

use super::Cache;
use crate::expert::{ExpertId, SlotId};

impl Cache {
    /// Gives slots to experts that an earlier run kept, before the first request: of each class the last in `memory` (see
    /// [`EvictionPolicy::memory`](super::EvictionPolicy::memory)) while slots are empty. The experts that are to be read,
    /// the most wanted first.
    pub fn recall(&mut self, memory: &[(ExpertId, f32)]) -> Vec<(ExpertId, SlotId)> {
        let mut filled = Vec::new();
        for &(id, _) in memory.iter().rev() {
            let layer = self.layers.get(id.layer as usize).copied().flatten();
            let Some(layer) = layer.filter(|l| (id.index as usize) < l.count) else { continue };
            if self.slot_of(id).is_some() {
                continue;
            }
            let Some(slot) = self.pools[layer.class].empty.pop() else { continue };
            let held = &mut self.slots[slot.0 as usize];
            (held.owner, held.kept) = (Some(id), true);
            *self.table_mut(id) = Some(slot);
            self.pools[layer.class].kept.push_front(id);
            filled.push((id, slot));
        }
        filled
    }

    /// Whether the expert has been in its slot, or on its way there, since [`Cache::recall`], and was not requested yet.
    pub fn is_kept(&self, id: ExpertId) -> bool {
        self.slot_of(id).is_some_and(|slot| self.slots[slot.0 as usize].kept)
    }

    /// A slot of the class whose owner is kept, and that owner, which loses it; `None` if there is none outside the open
    /// wave.
    pub(super) fn free_kept(&mut self, class: usize) -> Option<(SlotId, ExpertId)> {
        let mut at = 0;
        loop {
            let &id = self.pools[class].kept.get(at)?;
            let slot = self.slot_of(id).filter(|slot| self.slots[slot.0 as usize].kept);
            match slot {
                Some(slot) if self.slots[slot.0 as usize].pinned => at += 1,
                Some(slot) => {
                    self.pools[class].kept.remove(at);
                    *self.table_mut(id) = None;
                    self.slots[slot.0 as usize] = super::Slot::default();
                    return Some((slot, id));
                }
                // requested or given up since
                None => _ = self.pools[class].kept.remove(at),
            }
        }
    }
}
