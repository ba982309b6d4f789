//! Runs the routed experts of one layer: asks the cache, reads the misses, computes what is there meanwhile, and brings
//! experts that are predicted.
//!
//! [`Pager::begin`] takes the router's choice: the cache decides, and all misses are queued at once. Then the caller may
//! compute what needs no routed expert, and name the experts that it expects ([`Pager::prefetch`]); [`Pager::run`]
//! computes the layer's experts as they land. The device keeps results per (token, rank) and sums them in the router's
//! order at the end, so neither what was resident nor the order in which reads land changes a bit.

mod flights;
mod governor;
mod prefetch;
mod stats;
#[cfg(test)]
mod tests;
mod uses;

use std::time::Duration;

pub use self::governor::Prefetch;
pub use self::prefetch::SLOTS_PER_PREFETCH;
pub use self::stats::{Ledger, PagerStats, PhaseStats, PrefetchedTokens, WarmLedger};

use self::flights::{Flight, Flights, Purpose};
use self::governor::Governor;
use self::prefetch::Kept;
use self::stats::Reading;
use self::uses::Uses;
use super::cache::{Cache, Counts, Phase, Plan, Request, Wave};
use super::source::{Landed, Outcome, Source};
use super::trace::{Event, Residency, Routed};
use super::{ExpertId, ExpertLayer, SlotId};
use crate::compute::{Act, ExpertDevice, ExpertOps, Routing};
use crate::error::{Error, Result};

/// Is told what happens to the cache, in order.
pub type Recorder = Box<dyn FnMut(Event) -> Result<()> + Send>;

/// Which step the next layers belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepInfo {
    /// Turn of the conversation.
    pub turn: u32,
    /// What the step is for; it is counted there.
    pub phase: Phase,
    /// Absolute position of its first token.
    pub position: u32,
}

/// The step in hand, for the governor.
#[derive(Clone, Copy, Debug, Default)]
struct Token {
    begin: Duration,
    /// When its last layer so far was done, if it is a new token.
    end: Option<Duration>,
    /// [`Pager::missing_so_far`] when it began.
    missing: u64,
}

/// Pages experts for a forward pass.
pub struct Pager {
    cache: Cache,
    flights: Flights,
    layers: Vec<ExpertLayer>,
    uses: Uses,
    step: StepInfo,
    reading: [Reading; 2],
    /// Beside `layers`.
    ledger: Vec<Ledger>,
    governor: Governor,
    /// Tokens that are over.
    tokens: PrefetchedTokens,
    kept: Kept,
    warm: WarmLedger,
    token: Token,
    /// What the cache would be if nothing had ever been prefetched, while a governor compares.
    shadow: Option<Cache>,
    recorder: Option<Recorder>,
    record_scores: bool,
    /// Why the recorder was let go, until somebody can be told: between a decision of the cache and the reads that follow
    /// from it nothing may fail.
    unrecorded: Option<Error>,
    /// The layer that is being served: where it is in `layers`, what is left of its requests, and the open wave.
    open: Option<(usize, Plan, Wave)>,
}

impl Pager {
    /// Joins a cache and a source for the experts of `layers`. At most `staging` buffers (at least one) of the largest
    /// expert are allocated, and only if the device's slots cannot be read into.
    pub fn new(cache: Cache, source: Box<dyn Source>, layers: Vec<ExpertLayer>, staging: usize) -> Self {
        let bytes = layers.iter().map(ExpertLayer::window_bytes).max().unwrap_or(0);
        let flights = Flights::new(source, cache.slot_count(), staging, bytes);
        let ledger = vec![Ledger::default(); layers.len()];
        Self {
            cache,
            flights,
            layers,
            uses: Uses::default(),
            step: StepInfo::default(),
            reading: [Reading::default(); 2],
            ledger,
            governor: Governor::new(Prefetch::Off, 0, 0),
            tokens: PrefetchedTokens::default(),
            kept: Kept::default(),
            warm: WarmLedger::default(),
            token: Token::default(),
            shadow: None,
            recorder: None,
            record_scores: false,
            unrecorded: None,
            open: None,
        }
    }

    /// Tells `recorder` from now on what happens to the cache, with the router's scores if `scores`. One that fails is told
    /// nothing more.
    pub fn record(&mut self, recorder: Recorder, scores: bool) {
        self.recorder = Some(recorder);
        self.record_scores = scores;
    }

    /// Tells the recorder nothing more.
    ///
    /// # Errors
    /// It has failed, and [`Pager::set_step`] has not said so yet.
    pub fn stop_recording(&mut self) -> Result<()> {
        self.recorder = None;
        self.record_scores = false;
        self.unrecorded.take().map_or(Ok(()), Err)
    }

    /// Says which step the next layers belong to; the one before is over.
    ///
    /// # Errors
    /// What happened could not be recorded.
    pub fn set_step(&mut self, step: StepInfo) -> Result<()> {
        if let Some(e) = self.unrecorded.take() {
            return Err(e);
        }
        self.end_token();
        self.step = step;
        self.token = Token { begin: self.source().now(), end: None, missing: self.missing_so_far() };
        Ok(())
    }

    /// The cache, to be looked at.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The reader, to be looked at.
    pub fn source(&self) -> &dyn Source {
        self.flights.source()
    }

    /// Counts since the start.
    pub fn stats(&self) -> PagerStats {
        let phase = |phase: Phase| {
            let Counts { requests, hits, misses, evictions } = self.cache.counts(phase);
            let Reading { bytes: bytes_read, reads, late, stall } = self.reading[phase as usize];
            PhaseStats { requests, hits, misses, evictions, late, bytes_read, reads, stall }
        };
        PagerStats { prefill: phase(Phase::Prefill), decode: phase(Phase::Decode) }
    }

    /// Takes the router's choice of the model's layer `layer` for `n` tokens: the cache decides, and the reads of all
    /// misses are queued. `scores` are the router's probabilities `(n, experts)`, where somebody asks for them
    /// ([`Pager::wants_scores`]).
    ///
    /// # Errors
    /// A read that has landed meanwhile and that the device refuses.
    ///
    /// # Panics
    /// If the layer has no routed experts, or the router chose one that it does not have.
    pub fn begin(
        &mut self,
        device: &mut dyn ExpertDevice,
        layer: usize,
        n: usize,
        routing: &Routing,
        scores: Option<&[f32]>,
    ) -> Result<()> {
        self.close();
        while let Some((flight, landed)) = self.flights.landed(false) {
            self.settle(device, flight, landed)?;
        }
        let at = self.place(layer);
        let chosen = &routing.experts[..n * routing.k];
        self.uses.set(chosen, self.layers[at].count);
        self.cancel_disagreed(layer as u32);
        let late = self.late(at);
        self.reading[self.step.phase as usize].late += late.len() as u64;
        self.account_kept(layer as u32, &late);
        let request = Request {
            phase: self.step.phase,
            layer: layer as u32,
            tokens: n,
            chosen,
            distinct: &self.uses.distinct,
            scores,
        };
        let routed = self.recorder.is_some().then(|| {
            let layer = layer as u32;
            let residency =
                chosen.iter().map(|&index| residency(&self.cache, &self.flights, ExpertId { layer, index }));
            Routed {
                turn: self.step.turn,
                phase: self.step.phase,
                position: self.step.position,
                layer,
                k: routing.k,
                residency: residency.collect(),
                chosen: chosen.to_vec(),
                weights: routing.weights[..n * routing.k].to_vec(),
                scores: scores.filter(|_| self.record_scores).map(<[f32]>::to_vec),
            }
        });
        if let Some(shadow) = &mut self.shadow {
            let mut plan = shadow.begin(&request);
            while shadow.next_wave(&mut plan).is_some() {}
        }
        let mut plan = self.cache.begin(&request);
        let wave = self.cache.next_wave(&mut plan).unwrap_or_default();
        if let Some(routed) = routed {
            self.emit(Event::Routed(routed));
        }
        self.account(at, &wave.promoted, &late);
        self.queue(device, &wave);
        self.open = Some((at, plan, wave));
        Ok(())
    }

    /// Whether the cache's policy or the recorder asks for the router's scores.
    pub fn wants_scores(&self) -> bool {
        self.record_scores || self.cache.wants_scores()
    }

    /// Computes the experts of the layer that [`Pager::begin`] has begun, for `n` rows of `x` `(n, d_model)`, into `out`
    /// `(n, d_model)`.
    ///
    /// # Errors
    /// The first failed read or device operation. No demanded read is outstanding afterwards and every slot that was to
    /// be filled is either filled or empty, so the next layer works.
    pub fn run(
        &mut self,
        device: &mut dyn ExpertDevice,
        ops: &ExpertOps,
        n: usize,
        x: Act,
        routing: &Routing,
        out: Act,
    ) -> Result<()> {
        let (at, mut plan, mut wave) = self.open.take().expect("a layer is begun before it is run");
        let mut result = device.experts_begin(n, routing.k, x);
        loop {
            result = self.serve(device, at, ops, &wave, result);
            if result.is_err() {
                self.cache.release();
                return result;
            }
            match self.cache.next_wave(&mut plan) {
                Some(next) => wave = next,
                None => break,
            }
            self.emit(Event::Wave);
            self.queue(device, &wave);
        }
        device.experts_end(routing, out)?;
        if self.step.phase == Phase::Decode {
            self.token.end = Some(self.source().now());
        }
        Ok(())
    }

    /// Queues what a wave reads.
    fn queue(&mut self, device: &mut dyn ExpertDevice, wave: &Wave) {
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
    fn void(&mut self, evicted: Option<ExpertId>) {
        if let Some(id) = evicted {
            self.flights.cancel(id);
        }
    }

    /// Computes a wave's experts: those that are there first, the others in groups as they land. After an error what is
    /// under way for the wave is still waited for, but nothing more is begun.
    fn serve(
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
    fn wait(&mut self) -> Option<(Flight, Landed)> {
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
    fn settle(&mut self, device: &mut dyn ExpertDevice, flight: Flight, landed: Landed) -> Result<()> {
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
    fn fail(&mut self, id: ExpertId) {
        self.cache.fill_failed(id);
        if let Some(shadow) = self.shadow.as_mut().filter(|shadow| shadow.is_kept(id)) {
            shadow.fill_failed(id);
        }
        self.emit(Event::Failed(id));
    }

    /// Ends a layer that was begun and not run to its end, because something between the two failed or was cancelled.
    fn close(&mut self) {
        if self.open.take().is_some() {
            self.cache.release();
        }
    }

    /// Tells the recorder. If it fails, the run goes on to a place where it can end.
    fn emit(&mut self, event: Event) {
        if let Some(Err(e)) = self.recorder.as_mut().map(|record| record(event)) {
            self.recorder = None;
            self.unrecorded = Some(e);
        }
    }

    /// Where a layer with experts is in `layers`.
    fn place(&self, layer: usize) -> usize {
        self.layers.iter().position(|l| l.layer as usize == layer).expect("only layers with experts route")
    }
}

/// Where an expert is now.
fn residency(cache: &Cache, flights: &Flights, id: ExpertId) -> Residency {
    match cache.slot_of(id) {
        None => Residency::Missing,
        Some(_) if flights.of(id).is_some() => Residency::Late,
        Some(_) if cache.is_prefetched(id) => Residency::Prefetched,
        Some(_) => Residency::Resident,
    }
}
