//! Reads under way, and the memory that they read into.

use std::collections::{HashMap, VecDeque};

use crate::compute::ExpertDevice;
use crate::expert::source::{Landed, Source, Urgency};
use crate::expert::{ExpertBuf, ExpertId, ExpertLayer, SlotId};

/// Buffers for devices whose slots cannot be read into: a bounded number, allocated when first needed.
struct Staging {
    free: Vec<ExpertBuf>,
    out: usize,
    limit: usize,
    bytes: usize,
}

impl Staging {
    fn take(&mut self) -> Option<ExpertBuf> {
        let buf = match self.free.pop() {
            Some(buf) => buf,
            None if self.out < self.limit => ExpertBuf::new(self.bytes),
            None => return None,
        };
        self.out += 1;
        Some(buf)
    }
}

/// What a read is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A request waits for it.
    Demand,
    /// It was predicted.
    Prefetch,
    /// An earlier run kept it.
    Kept,
}

impl Purpose {
    fn urgency(self) -> Urgency {
        match self {
            Self::Demand => Urgency::Demand,
            Self::Prefetch | Self::Kept => Urgency::Speculative,
        }
    }
}

/// One read, queued here or with the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) slot: SlotId,
    pub(super) purpose: Purpose,
    /// What it was added for, whether or not a request waits for it now.
    pub(super) origin: Purpose,
    /// With the source. Else it waits for a buffer, or for its slot's own memory to come back from another read.
    pub(super) begun: bool,
    /// The expert has lost its slot: what is read is of no use.
    pub(super) void: bool,
}

/// All reads under way.
pub(super) struct Flights {
    source: Box<dyn Source>,
    /// Reads of experts that have slots.
    flights: HashMap<ExpertId, Flight>,
    /// Reads that have begun, of experts that have lost their slots.
    void: HashMap<ExpertId, Flight>,
    /// What has not begun, demanded and speculative.
    queues: [VecDeque<ExpertId>; 2],
    /// Slots whose own memory is being read into.
    away: Vec<bool>,
    staging: Staging,
}

impl Flights {
    /// At most `staging` buffers (at least one) of `bytes` are allocated for devices whose `slots` cannot be read into.
    pub(super) fn new(source: Box<dyn Source>, slots: usize, staging: usize, bytes: usize) -> Self {
        let staging = Staging { free: Vec::new(), out: 0, limit: staging.max(1), bytes };
        let (flights, void) = (HashMap::new(), HashMap::new());
        Self { source, flights, void, queues: Default::default(), away: vec![false; slots], staging }
    }

    pub(super) fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// The read of an expert that has a slot.
    pub(super) fn of(&self, id: ExpertId) -> Option<&Flight> {
        self.flights.get(&id)
    }

    /// The reads of experts that have slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ExpertId, &Flight)> {
        self.flights.iter().map(|(&id, flight)| (id, flight))
    }

    /// Adds a read; [`Flights::begin`] starts it.
    pub(super) fn add(&mut self, id: ExpertId, slot: SlotId, purpose: Purpose) {
        self.flights.insert(id, Flight { slot, purpose, origin: purpose, begun: false, void: false });
        self.queues[purpose.urgency() as usize].push_back(id);
    }

    /// Makes a read one that a request waits for.
    pub(super) fn demand(&mut self, id: ExpertId) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let before = std::mem::replace(&mut flight.purpose, Purpose::Demand);
        if flight.begun {
            self.source.raise(id);
        } else if before.urgency() == Urgency::Speculative {
            self.queues[Urgency::Speculative as usize].retain(|&queued| queued != id);
            self.queues[Urgency::Demand as usize].push_back(id);
        }
    }

    /// Gives up a read: the expert has lost its slot. What has begun comes back through [`Flights::landed`].
    /// Whether any of it had begun.
    pub(super) fn cancel(&mut self, id: ExpertId) -> bool {
        let Some(flight) = self.flights.remove(&id) else { return false };
        if flight.begun {
            self.void.insert(id, Flight { void: true, ..flight });
            self.source.cancel(id);
        } else {
            self.queues[flight.purpose.urgency() as usize].retain(|&queued| queued != id);
        }
        flight.begun
    }

    /// Starts what can be started, demanded reads first.
    pub(super) fn begin(&mut self, device: &mut dyn ExpertDevice, layers: &[ExpertLayer]) {
        for urgency in [Urgency::Demand, Urgency::Speculative] {
            let mut queue = std::mem::take(&mut self.queues[urgency as usize]);
            let mut blocked = VecDeque::new();
            while let Some(id) = queue.pop_front() {
                let slot = self.flights[&id].slot;
                // what is still read for nothing, into the same memory or under the same name, comes back first
                if self.away[slot.0 as usize] || self.void.contains_key(&id) {
                    blocked.push_back(id);
                    continue;
                }
                // demanded reads find a buffer however many speculative ones are out
                let spare = urgency == Urgency::Demand || self.staging.out < self.staging.limit / 2;
                let own = device.slot_take(slot);
                self.away[slot.0 as usize] = own.is_some();
                let Some(buf) = own.or_else(|| if spare { self.staging.take() } else { None }) else {
                    queue.push_front(id);
                    break;
                };
                let layer = layers.iter().find(|l| l.layer == id.layer).expect("slots are of layers with experts");
                self.flights.entry(id).and_modify(|flight| flight.begun = true);
                self.source.submit(layer, id.index, buf, urgency);
            }
            blocked.append(&mut queue);
            self.queues[urgency as usize] = blocked;
        }
    }

    /// A read that has ended: one that has already, or the next if `wait`.
    pub(super) fn landed(&mut self, wait: bool) -> Option<(Flight, Landed)> {
        let landed = if wait { self.source.wait() } else { self.source.poll() }?;
        let flight = self.void.remove(&landed.id).or_else(|| self.flights.remove(&landed.id));
        Some((flight.expect("what lands was submitted"), landed))
    }

    /// Takes a buffer back that was read into: to its slot, or to staging.
    pub(super) fn give_back(
        &mut self,
        device: &mut dyn ExpertDevice,
        layer: &ExpertLayer,
        slot: SlotId,
        buf: ExpertBuf,
    ) -> crate::Result<()> {
        let away = std::mem::take(&mut self.away[slot.0 as usize]);
        if !away {
            self.staging.out -= 1;
        }
        let back = device.slot_put(slot, layer, buf)?;
        self.staging.free.extend(back);
        Ok(())
    }

    /// Takes the buffer of a read that is of no use.
    pub(super) fn discard(
        &mut self,
        device: &mut dyn ExpertDevice,
        layer: &ExpertLayer,
        slot: SlotId,
        buf: ExpertBuf,
    ) -> crate::Result<()> {
        if self.away[slot.0 as usize] {
            return self.give_back(device, layer, slot, buf);
        }
        self.staging.out -= 1;
        self.staging.free.push(buf);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn staging(&self) -> (usize, usize) {
        (self.staging.free.len(), self.staging.out)
    }
}
