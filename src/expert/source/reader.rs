//! The reader of a model's files: experts are cut into pieces that reader threads fill.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::file::{Piece, ReadCost, Shards};
use super::lanes::{Done, Job, Lanes};
use super::{LANES_MAX, Landed, Outcome, Source, SourceInfo, SourceOptions, Urgency, measure, speculative_lanes};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertId, ExpertLayer, Extent, WINDOW};

/// An expert on its way.
struct Request {
    id: ExpertId,
    starts: [usize; 3],
    /// Pieces that are back, in their places.
    pieces: Vec<Option<BytesMut>>,
    missing: usize,
    /// The buffer's unused end.
    rest: BytesMut,
    cost: ReadCost,
    outcome: Outcome,
}

/// The reader of a model's experts.
pub struct Reader {
    begin: Instant,
    lanes: Lanes,
    info: SourceInfo,
    requests: Vec<Option<Request>>,
    in_flight: usize,
    /// Reads given up before anything of them had begun.
    given_up: VecDeque<Landed>,
}

impl Reader {
    /// Opens the shard files of a model whose experts are `layers`, measuring in well under a second what `options`
    /// leave open. A small model is not measured.
    ///
    /// # Errors
    /// A file that cannot be opened; a number of lanes out of range.
    pub fn open(shards: &[PathBuf], layers: &[ExpertLayer], options: SourceOptions) -> Result<Self> {
        if let Some(lanes) = options.lanes.filter(|n| !(1..=LANES_MAX).contains(n)) {
            return Err(Error::Usage(format!("{lanes} read lanes: give 1 to {LANES_MAX}")));
        }
        let info = measure::choose(shards, layers, options)?;
        let shards = Arc::new(Shards::open(shards, info.path)?);
        let lanes = Lanes::start(&shards, info.lanes, speculative_lanes(info.lanes))?;
        Ok(Self { begin: Instant::now(), lanes, info, requests: Vec::new(), in_flight: 0, given_up: VecDeque::new() })
    }

    /// Counts what a piece cost; gives the expert if it was the last one.
    fn accept(&mut self, done: Done) -> Option<Landed> {
        let Done { job, result } = done;
        let request = self.requests[job.request].as_mut()?;
        match result {
            Ok(cost) => {
                request.cost.bytes += cost.bytes;
                request.cost.reads += cost.reads;
            }
            Err(e) if !matches!(request.outcome, Outcome::Failed(_)) => request.outcome = Outcome::Failed(e),
            Err(_) => {}
        }
        self.give_back(job)
    }

    /// Puts a piece's memory back to its expert; gives the expert if it was the last one.
    fn give_back(&mut self, job: Job) -> Option<Landed> {
        let place = &mut self.requests[job.request];
        let request = place.as_mut()?;
        request.pieces[job.index] = Some(job.piece.mem);
        request.missing -= 1;
        if request.missing > 0 {
            return None;
        }
        let request = place.take()?;
        self.in_flight -= 1;
        let mut mem = BytesMut::new();
        for piece in request.pieces.into_iter().flatten().chain([request.rest]) {
            mem.unsplit(piece);
        }
        Some(Landed {
            id: request.id,
            buf: ExpertBuf { mem, starts: request.starts },
            bytes: request.cost.bytes,
            reads: request.cost.reads,
            outcome: request.outcome,
        })
    }

    fn request_of(&self, id: ExpertId) -> Option<usize> {
        self.requests.iter().position(|r| r.as_ref().is_some_and(|r| r.id == id))
    }
}

impl Source for Reader {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn submit(&mut self, layer: &ExpertLayer, index: u32, buf: ExpertBuf, urgency: Urgency) {
        let id = ExpertId { layer: layer.layer, index };
        let ExpertBuf { mem: mut rest, mut starts } = buf;
        let request = self.requests.iter().position(Option::is_none).unwrap_or_else(|| {
            self.requests.push(None);
            self.requests.len() - 1
        });
        let mut jobs = Vec::new();
        let mut at = 0;
        for (i, extent) in layer.extents.iter().enumerate() {
            let first = extent.offset + u64::from(index) * extent.len as u64;
            starts[i] = at + (first % WINDOW as u64) as usize;
            at += cut(extent, first, id, urgency.piece(), &mut rest, |piece| {
                jobs.push(Job { request, index: jobs.len(), piece })
            });
        }
        let pieces = jobs.iter().map(|_| None).collect();
        let cost = ReadCost::default();
        let outcome = Outcome::Read;
        self.requests[request] = Some(Request { id, starts, pieces, missing: jobs.len(), rest, cost, outcome });
        self.in_flight += 1;
        self.lanes.push(jobs, urgency);
    }

    fn raise(&mut self, id: ExpertId) {
        let Some(at) = self.request_of(id) else { return };
        let Some(request) = self.requests[at].as_mut() else { return };
        let mut jobs: Vec<Job> = Vec::new();
        for job in self.lanes.take_speculative(at) {
            match jobs.last_mut() {
                Some(last) if last.piece.goes_on_in(&job.piece) => {
                    // its memory comes back with the piece before it
                    request.pieces[job.index] = Some(BytesMut::new());
                    request.missing -= 1;
                    last.piece.join(job.piece);
                }
                _ => jobs.push(job),
            }
        }
        self.lanes.push(jobs, Urgency::Demand);
    }

    fn cancel(&mut self, id: ExpertId) {
        let Some(request) = self.request_of(id) else { return };
        for job in self.lanes.take_back(request) {
            if let Some(request) = self.requests[job.request].as_mut() {
                request.outcome = Outcome::Cancelled;
            }
            let landed = self.give_back(job);
            self.given_up.extend(landed);
        }
    }

    fn poll(&mut self) -> Option<Landed> {
        if let Some(landed) = self.given_up.pop_front() {
            return Some(landed);
        }
        while let Some(done) = self.lanes.poll() {
            if let Some(landed) = self.accept(done) {
                return Some(landed);
            }
        }
        None
    }

    fn wait(&mut self) -> Option<Landed> {
        if let Some(landed) = self.given_up.pop_front() {
            return Some(landed);
        }
        while self.in_flight > 0 {
            let done = self.lanes.wait();
            if let Some(landed) = self.accept(done) {
                return Some(landed);
            }
        }
        None
    }
}

/// Cuts the aligned window around `extent.len` bytes at `first` into pieces of about `piece` bytes, with memory from the
/// front of `rest`. Returns the window's bytes.
fn cut(
    extent: &Extent,
    first: u64,
    expert: ExpertId,
    piece: usize,
    rest: &mut BytesMut,
    mut push: impl FnMut(Piece),
) -> usize {
    let skip = (first % WINDOW as u64) as usize;
    let wanted = skip + extent.len;
    let window = wanted.next_multiple_of(WINDOW);
    let count = ((window + piece / 2) / piece).max(1);
    let size = window.div_ceil(count).next_multiple_of(WINDOW);
    for start in (0..window).step_by(size) {
        let len = size.min(window - start);
        push(Piece {
            shard: extent.shard,
            offset: first - skip as u64 + start as u64,
            skip: if start == 0 { skip } else { 0 },
            need: len.min(wanted - start),
            mem: rest.split_to(len),
            expert,
        });
    }
    window
}
