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
mod serve;
mod stats;
#[cfg(test)]
mod tests;
mod uses;

use std::time::Duration;

pub use self::governor::Prefetch;
pub use self::prefetch::SLOTS_PER_PREFETCH;
pub use self::stats::{Ledger, PagerStats, PhaseStats, PrefetchedTokens, WarmLedger};

use self::flights::Flights;
use self::governor::Governor;
use self::prefetch::Kept;
use self::stats::Reading;
use self::uses::Uses;
use super::cache::{Cache, Counts, Phase, Plan, Request, Wave};
use super::source::Source;
use super::trace::{Event, Residency, Routed};
use super::{ExpertId, ExpertLayer};
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
