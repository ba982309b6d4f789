//! Reads experts from the model's files: several threads, explicit reads, buffers that are moved and never shared.
//!
//! An expert is two or three extents of a file. Each is read as [`WINDOW`]-aligned windows, packed one behind the
//! other into an [`ExpertBuf`]; compute starts at the extent's first byte inside its window, so nothing is copied
//! between read and use. The windows are cut into pieces of about 1 MiB that go to the reader threads (lanes)
//! in order, so even one expert keeps several of them busy.

mod file;
mod lanes;
mod measure;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::BytesMut;

use self::file::{Piece, ReadCost, Shards};
use self::lanes::{Done, Job, Lanes};
use super::{ExpertBuf, ExpertId, ExpertLayer, Extent, WINDOW};
use crate::error::{Error, Result};

/// Bytes of one read, about: drives are flat above 256 KiB, and smaller pieces let lanes share one expert.
const PIECE: usize = 1 << 20;

/// Pages of the map that a lane has in the resident set while it copies a piece, with what faults map around it.
pub const MAPPED_BYTES_PER_LANE: u64 = PIECE as u64 + (128 << 10);

/// The most reader threads that can be asked for; 2-10 concurrent reads saturate a drive.
pub const LANES_MAX: usize = 64;

/// How expert bytes come from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadPath {
    /// Reads that bypass the page cache.
    Direct,
    /// Copies out of a memory map; the page faults happen on the lanes.
    Mmap,
    /// Ordinary reads through the page cache.
    Buffered,
}

impl std::fmt::Display for ReadPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Direct => "direct",
            Self::Mmap => "mmap",
            Self::Buffered => "buffered",
        })
    }
}

/// What the user wants of the reader; what is `None` is measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceOptions {
    /// The read path.
    pub path: Option<ReadPath>,
    /// Reader threads, 1 to [`LANES_MAX`].
    pub lanes: Option<usize>,
}

/// One measured read path.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Measured {
    /// How was read.
    pub path: ReadPath,
    /// By how many threads.
    pub lanes: usize,
    /// Bytes per second.
    pub bytes_per_s: f64,
}

/// What was chosen, and why.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SourceInfo {
    /// The read path in use.
    pub path: ReadPath,
    /// Reader threads.
    pub lanes: usize,
    /// What was measured at start; empty if nothing was.
    pub measured: Vec<Measured>,
    /// A fallback that the user should know of.
    pub note: Option<String>,
}

/// An expert that has been read, or has failed to be. The buffer comes back in either case.
pub struct Landed {
    /// Which expert.
    pub id: ExpertId,
    /// The buffer that was given to [`Source::submit`], filled.
    pub buf: ExpertBuf,
    /// Bytes that were read for it.
    pub bytes: u64,
    /// Read calls.
    pub reads: u64,
    /// Why it failed, naming file, offset and expert.
    pub result: Result<()>,
}

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
    result: Result<()>,
}

/// The reader of a model's experts.
pub struct Source {
    lanes: Lanes,
    info: SourceInfo,
    requests: Vec<Option<Request>>,
    in_flight: usize,
}

impl Source {
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
        let lanes = Lanes::start(&Arc::new(Shards::open(shards, info.path)?), info.lanes)?;
        Ok(Self { lanes, info, requests: Vec::new(), in_flight: 0 })
    }

    /// What is in use.
    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// Experts on their way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many buffers of `slot_bytes` keep all lanes busy: two pieces per lane, and always two buffers.
    pub fn buffers_to_keep_busy(&self, slot_bytes: usize) -> usize {
        (2 * self.lanes.count() * PIECE).div_ceil(slot_bytes.max(1)).clamp(2, 2 * self.lanes.count().max(1))
    }

    /// Queues the read of expert `index` of a layer into `buf`, which holds at least [`ExpertLayer::window_bytes`].
    pub fn submit(&mut self, layer: &ExpertLayer, index: u32, buf: ExpertBuf) {
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
            at += cut(extent, first, id, &mut rest, |piece| jobs.push(Job { request, index: jobs.len(), piece }));
        }
        let pieces = jobs.iter().map(|_| None).collect();
        let cost = ReadCost::default();
        self.requests[request] = Some(Request { id, starts, pieces, missing: jobs.len(), rest, cost, result: Ok(()) });
        self.in_flight += 1;
        self.lanes.push(jobs.into_iter());
    }

    /// An expert that has landed, without waiting.
    pub fn poll(&mut self) -> Option<Landed> {
        while let Some(done) = self.lanes.poll() {
            if let Some(landed) = self.accept(done) {
                return Some(landed);
            }
        }
        None
    }

    /// Waits for the next expert to land; `None` if none is on its way.
    pub fn wait(&mut self) -> Option<Landed> {
        while self.in_flight > 0 {
            let done = self.lanes.wait();
            if let Some(landed) = self.accept(done) {
                return Some(landed);
            }
        }
        None
    }

    /// Puts a piece back to its expert; gives the expert if it was the last one.
    fn accept(&mut self, done: Done) -> Option<Landed> {
        let Done { job, result } = done;
        let place = &mut self.requests[job.request];
        let request = place.as_mut()?;
        request.pieces[job.index] = Some(job.piece.mem);
        request.missing -= 1;
        match result {
            Ok(cost) => {
                request.cost.bytes += cost.bytes;
                request.cost.reads += cost.reads;
            }
            Err(e) if request.result.is_ok() => request.result = Err(e),
            Err(_) => {}
        }
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
            result: request.result,
        })
    }
}

/// Cuts the aligned window around `extent.len` bytes at `first` into pieces with memory from the front of `rest`.
/// Returns the window's bytes.
fn cut(extent: &Extent, first: u64, expert: ExpertId, rest: &mut BytesMut, mut push: impl FnMut(Piece)) -> usize {
    let skip = (first % WINDOW as u64) as usize;
    let wanted = skip + extent.len;
    let window = wanted.next_multiple_of(WINDOW);
    let count = ((window + PIECE / 2) / PIECE).max(1);
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
