//! Runs the routed experts of one layer: asks the cache, reads the misses, computes what is there meanwhile.
//!
//! The device keeps results per (token, rank) and sums them in the router's order at the end, so neither what was
//! resident nor the order in which reads land changes a bit.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::cache::{Cache, Counts, Phase, Request, Wave};
use super::source::{Landed, Source};
use super::{ExpertBuf, ExpertId, ExpertLayer, SlotId};
use crate::compute::{Act, Device, ExpertJob, ExpertOps, Routing};
use crate::error::Result;

/// What one phase cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PhaseStats {
    /// Distinct experts asked for, summed over (step, layer).
    pub requests: u64,
    /// Requests served from a slot.
    pub hits: u64,
    /// Requests that waited for the disk.
    pub misses: u64,
    /// Experts that lost their slot.
    pub evictions: u64,
    /// Bytes read from the files, window padding counted.
    pub bytes_read: u64,
    /// Read calls.
    pub reads: u64,
    /// Time in which nothing could be computed for want of an expert.
    pub stall: Duration,
}

/// What the run cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PagerStats {
    /// The prompt.
    pub prefill: PhaseStats,
    /// New tokens.
    pub decode: PhaseStats,
}

/// Reading of one phase; the cache counts the rest.
#[derive(Clone, Copy, Default)]
struct Reading {
    bytes: u64,
    reads: u64,
    stall: Duration,
}

/// The (token, rank) pairs of each distinct expert of a step, in order of first appearance.
#[derive(Default)]
struct Uses {
    distinct: Vec<u32>,
    /// Where an expert is in `distinct`, by its index; `u32::MAX` elsewhere.
    place: Vec<u32>,
    /// `token * k + rank`, ascending, beside `distinct`; longer than it, to keep the memory.
    uses: Vec<Vec<u32>>,
}

impl Uses {
    /// Groups the chosen experts `(n, k)` of a layer of `count`.
    fn set(&mut self, chosen: &[u32], count: usize) {
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

    fn job(&self, id: ExpertId, slot: SlotId) -> ExpertJob<'_> {
        ExpertJob { slot, expert: id.index, uses: &self.uses[self.place[id.index as usize] as usize] }
    }
}

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

/// Pages experts for a forward pass.
pub struct Pager {
    cache: Cache,
    source: Source,
    layers: Vec<ExpertLayer>,
    staging: Staging,
    uses: Uses,
    phase: Phase,
    reading: [Reading; 2],
}

impl Pager {
    /// Joins a cache and a source for the experts of `layers`. At most `staging` buffers (at least one) of the largest
    /// expert are allocated, and only if the device's slots cannot be read into.
    pub fn new(cache: Cache, source: Source, layers: Vec<ExpertLayer>, staging: usize) -> Self {
        let bytes = layers.iter().map(ExpertLayer::window_bytes).max().unwrap_or(0);
        let staging = Staging { free: Vec::new(), out: 0, limit: staging.max(1), bytes };
        Self {
            cache,
            source,
            layers,
            staging,
            uses: Uses::default(),
            phase: Phase::default(),
            reading: [Reading::default(); 2],
        }
    }

    /// Says what the next steps are for; they are counted there.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// The cache, to be looked at.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The reader, to be looked at.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Counts since the start.
    pub fn stats(&self) -> PagerStats {
        let phase = |phase: Phase| {
            let Counts { requests, hits, misses, evictions } = self.cache.counts(phase);
            let Reading { bytes: bytes_read, reads, stall } = self.reading[phase as usize];
            PhaseStats { requests, hits, misses, evictions, bytes_read, reads, stall }
        };
        PagerStats { prefill: phase(Phase::Prefill), decode: phase(Phase::Decode) }
    }

    /// Computes the routed experts of the model's layer `layer` for `n` rows of `x` `(n, d_model)` into `out`
    /// `(n, d_model)`.
    ///
    /// # Errors
    /// The first failed read or device operation. No read is outstanding afterwards and every slot that was to be filled
    /// is either filled or empty, so the next call works.
    ///
    /// # Panics
    /// If the layer has no routed experts, or the router chose one that it does not have.
    #[allow(clippy::too_many_arguments)]
    pub fn run(
        &mut self,
        device: &mut dyn Device,
        layer: usize,
        ops: &ExpertOps,
        n: usize,
        x: Act,
        routing: &Routing,
        out: Act,
    ) -> Result<()> {
        let at = self.layers.iter().position(|l| l.layer as usize == layer).expect("only layers with experts route");
        self.uses.set(&routing.experts[..n * routing.k], self.layers[at].count);
        device.experts_begin(n, routing.k, x)?;
        let mut plan = self.cache.begin(&Request {
            phase: self.phase,
            layer: layer as u32,
            tokens: n,
            chosen: &routing.experts[..n * routing.k],
            distinct: &self.uses.distinct,
            scores: None,
        });
        while let Some(wave) = self.cache.next_wave(&mut plan) {
            let served = self.serve(device, at, ops, &wave);
            if served.is_err() {
                self.cache.release();
                return served;
            }
        }
        device.experts_end(routing, out)
    }

    /// Reads a wave's misses, all queued at once, and computes all of its experts: the residents first, the others in
    /// groups as they land. After an error what is under way is still waited for, but nothing more is begun.
    fn serve(&mut self, device: &mut dyn Device, at: usize, ops: &ExpertOps, wave: &Wave) -> Result<()> {
        let mut unread = wave.fills.iter().map(|f| (f.id, f.slot));
        let mut result = Ok(());
        let mut waiting = unread.next();
        self.submit(device, at, &mut waiting, &mut unread);
        let mut ready: Vec<(ExpertId, SlotId)> = wave.hits.clone();
        loop {
            if result.is_ok() && !ready.is_empty() {
                let jobs: Vec<_> = ready.iter().map(|&(id, slot)| self.uses.job(id, slot)).collect();
                result = device.experts_run(&self.layers[at], ops, &jobs);
            }
            ready.clear();
            let Some(first) = self.wait() else { break };
            let mut next = Some(first);
            while let Some(landed) = next {
                match self.store(device, at, landed) {
                    Ok(expert) => ready.push(expert),
                    Err(e) => result = result.and(Err(e)),
                }
                if result.is_ok() {
                    self.submit(device, at, &mut waiting, &mut unread);
                }
                next = self.source.poll();
            }
        }
        for (id, _) in waiting.into_iter().chain(unread) {
            self.cache.fill_failed(id);
        }
        result
    }

    /// Queues reads, first `waiting` and then `unread`, until all are queued or no buffer is left.
    fn submit(
        &mut self,
        device: &mut dyn Device,
        at: usize,
        waiting: &mut Option<(ExpertId, SlotId)>,
        unread: &mut dyn Iterator<Item = (ExpertId, SlotId)>,
    ) {
        while let Some((id, slot)) = *waiting {
            let Some(buf) = device.slot_take(slot).or_else(|| self.staging.take()) else { return };
            self.source.submit(&self.layers[at], id.index, buf);
            *waiting = unread.next();
        }
    }

    /// The next expert that lands; the time spent waiting is stall.
    fn wait(&mut self) -> Option<Landed> {
        if let Some(landed) = self.source.poll() {
            return Some(landed);
        }
        let begin = Instant::now();
        let landed = self.source.wait()?;
        self.reading[self.phase as usize].stall += begin.elapsed();
        Some(landed)
    }

    /// Makes what was read the content of its slot. The buffer goes back where it came from even if the read failed;
    /// then the slot is empty.
    fn store(&mut self, device: &mut dyn Device, at: usize, landed: Landed) -> Result<(ExpertId, SlotId)> {
        let Landed { id, buf, bytes, reads, result } = landed;
        let reading = &mut self.reading[self.phase as usize];
        reading.bytes += bytes;
        reading.reads += reads;
        let slot = self.cache.slot_of(id).expect("an expert on its way keeps its slot: the wave pins it");
        self.staging.out = self.staging.out.saturating_sub(1);
        let put = device.slot_put(slot, &self.layers[at], buf).map(|buf| self.staging.free.extend(buf));
        match result.and(put) {
            Ok(()) => Ok((id, slot)),
            Err(e) => {
                self.cache.fill_failed(id);
                Err(e)
            }
        }
    }
}
