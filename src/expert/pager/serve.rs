//! The reads of a layer, from the queue into the slots, and the experts computed as they land.

use super::Pager;
use super::flights::{Flight, Purpose};
use crate::compute::{ExpertDevice, ExpertOps};
use crate::error::Result;
use crate::expert::cache::Wave;
use crate::expert::source::{Landed, Outcome};
use crate::expert::trace::Event;
use crate::expert::{ExpertId, SlotId};

impl Pager {
    /// Queues what a wave reads.
    pub(super) fn queue(&mut self, device: &mut dyn ExpertDevice, wave: &Wave) {
        for promotion in &wave.promoted {
            self.void(promotion.evicted);
            self.emit(Event::Promoted(promotion.id));
        }
        for &(id, _) in &wave.hits {
            self.flights.demand(id);
        }
        for fill in &wave.fills {
            self.void(fill.evicted);
            self.flights.add(fill.id, fill.slot, Purpose::Demand);
        }
        self.flights.begin(device, &self.layers);
    }

    /// An expert that has lost its slot while it was still being read: the read is of no use.
    pub(super) fn void(&mut self, evicted: Option<ExpertId>) {
        if let Some(id) = evicted {
            self.flights.cancel(id);
        }
    }

    /// Computes a wave's experts: those that are there first, the others in groups as they land. After an error what is
    /// under way for the wave is still waited for, but nothing more is begun.
    pub(super) fn serve(
        &mut self,
        device: &mut dyn ExpertDevice,
        at: usize,
        ops: &ExpertOps,
        wave: &Wave,
        mut result: Result<()>,
    ) -> Result<()> {
        let all = wave.hits.iter().copied().chain(wave.fills.iter().map(|f| (f.id, f.slot)));
        let (mut awaited, mut ready): (Vec<_>, Vec<_>) = all.partition(|&(id, _)| self.flights.of(id).is_some());
        loop {
            if result.is_ok() && !ready.is_empty() {
                let jobs: Vec<_> = ready.iter().map(|&(id, slot)| self.uses.job(id, slot)).collect();
                result = device.experts_run(&self.layers[at], ops, &jobs);
            }
            ready.clear();
            if result.is_err() {
                self.give_up(&mut awaited);
            }
            if awaited.is_empty() {
                return result;
            }
            let mut next = self.wait();
            while let Some((flight, landed)) = next {
                result = result.and(self.settle(device, flight, landed));
                if result.is_ok() {
                    self.flights.begin(device, &self.layers);
                }
                next = self.flights.landed(false);
            }
            awaited.retain(|&(id, slot)| {
                let waits = self.flights.of(id).is_some();
                if !waits && self.cache.slot_of(id) == Some(slot) {
                    ready.push((id, slot));
                }
                waits
            });
        }
    }

    /// After an error: what has not begun of the reads that the wave awaits is given up, and its slot is empty.
    fn give_up(&mut self, awaited: &mut Vec<(ExpertId, SlotId)>) {
        awaited.retain(|&(id, _)| {
            let begun = self.flights.of(id).is_some_and(|f| f.begun);
            if !begun {
                self.flights.cancel(id);
                self.fail(id);
            }
            begun
        });
    }

    /// The next read that ends; the time spent waiting is stall.
    pub(super) fn wait(&mut self) -> Option<(Flight, Landed)> {
        if let Some(landed) = self.flights.landed(false) {
            return Some(landed);
        }
        let begin = self.flights.source().now();
        let landed = self.flights.landed(true)?;
        self.reading[self.step.phase as usize].stall += self.flights.source().now().saturating_sub(begin);
        Some(landed)
    }

    /// Makes what was read the content of its slot. The buffer goes back where it came from even if the read failed;
    /// then the slot is empty.
    pub(super) fn settle(&mut self, device: &mut dyn ExpertDevice, flight: Flight, landed: Landed) -> Result<()> {
        let Landed { id, buf, bytes, reads, outcome } = landed;
        let reading = &mut self.reading[self.step.phase as usize];
        reading.bytes += bytes;
        reading.reads += reads;
        let at = self.place(id.layer as usize);
        match flight.origin {
            Purpose::Prefetch => self.ledger[at].read_bytes += bytes,
            Purpose::Kept => self.warm.read_bytes += bytes,
            Purpose::Demand => {}
        }
        if flight.void {
            if flight.purpose == Purpose::Prefetch {
                self.ledger[at].given_up(bytes);
            }
            return self.flights.discard(device, &self.layers[at], flight.slot, buf);
        }
        let failed = match outcome {
            Outcome::Read => self.flights.give_back(device, &self.layers[at], flight.slot, buf),
            // a read is given up only when its slot is
            Outcome::Cancelled => self.flights.discard(device, &self.layers[at], flight.slot, buf),
            Outcome::Failed(e) => self.flights.discard(device, &self.layers[at], flight.slot, buf).and(Err(e)),
        };
        let Err(e) = failed else {
            if flight.purpose == Purpose::Prefetch {
                self.emit(Event::Landed(id));
            }
            return Ok(());
        };
        self.fail(id);
        // a prediction that cannot be read is no prediction; if it is asked for, its own read will tell
        if flight.purpose == Purpose::Demand { Err(e) } else { Ok(()) }
    }

    /// The expert could not be brought: its slot is empty.
    pub(super) fn fail(&mut self, id: ExpertId) {
        self.cache.fill_failed(id);
        if let Some(shadow) = self.shadow.as_mut().filter(|shadow| shadow.is_kept(id)) {
            shadow.fill_failed(id);
        }
        self.emit(Event::Failed(id));
    }
}
