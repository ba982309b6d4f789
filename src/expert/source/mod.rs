//! Reads experts from the model's files: several threads, explicit reads, buffers that are moved and never shared.
//!
//! An expert is two or three extents of a file. Each is read as [`WINDOW`](super::WINDOW)-aligned windows, packed one behind the
//! other into an [`ExpertBuf`]; compute starts at the extent's first byte inside its window, so nothing is copied
//! between read and use. The windows are cut into pieces of about 1 MiB that go to the reader threads (lanes)
//! in order, so even one expert keeps several of them busy.
//!
//! Reads that something waits for go first. Speculative ones wait for a lane that is idle, in smaller pieces, and can
//! be given up, or raised: then what is left of them is read in pieces as large as if it had been demanded.

mod file;
mod lanes;
mod measure;
mod reader;
mod simulated;
#[cfg(test)]
mod tests;

pub use self::reader::Reader;
pub use self::simulated::{Clock, DiskModel, SimulatedDisk};

use std::time::Duration;

use super::{ExpertBuf, ExpertId, ExpertLayer};
use crate::error::Error;
use crate::os::MAPPED_AROUND;

/// Bytes of one read, about: drives are flat above 256 KiB, and smaller pieces let lanes share one expert.
const PIECE: usize = 1 << 20;

/// Bytes of one read at most.
const LONGEST_PIECE: usize = PIECE + PIECE / 2;

/// Bytes of one speculative read, about: what is under way when a demand read comes delays it.
const SPECULATIVE_PIECE: usize = 256 << 10;

/// Pages of the map that a lane has in the resident set while it copies a piece: what faults on one part of it map.
pub const MAPPED_BYTES_PER_LANE: u64 = MAPPED_AROUND as u64;

/// The most reader threads that can be asked for; 2-10 concurrent reads saturate a drive.
pub const LANES_MAX: usize = 64;

/// How expert bytes come from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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

/// Whether something waits for a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The compute waits for it, or will soon.
    Demand,
    /// It is for a prediction, or for later.
    Speculative,
}

impl Urgency {
    /// Bytes of one read, about.
    fn piece(self) -> usize {
        match self {
            Self::Demand => PIECE,
            Self::Speculative => SPECULATIVE_PIECE,
        }
    }
}

/// Lanes that take speculative reads at once, at most: two keep a drive's line busy, and what more of them have under way
/// delays the demand reads that come meanwhile.
const SPECULATIVE_LANES: usize = 2;

/// How many lanes take speculative reads at once: at least as many are left for demand reads.
fn speculative_lanes(lanes: usize) -> usize {
    (lanes / 2).clamp(1, SPECULATIVE_LANES)
}

/// How a read ended.
#[derive(Debug)]
pub enum Outcome {
    /// The expert is in the buffer.
    Read,
    /// It was given up before all of it was read.
    Cancelled,
    /// It could not be read; the error names file, offset and expert.
    Failed(Error),
}

/// An expert whose read has ended.
pub struct Landed {
    /// Which expert.
    pub id: ExpertId,
    /// The buffer that was given to [`Source::submit`].
    pub buf: ExpertBuf,
    /// Bytes that were read for it.
    pub bytes: u64,
    /// Read calls.
    pub reads: u64,
    /// What is in the buffer.
    pub outcome: Outcome,
}

/// Reads experts: the model's files, or a disk that is simulated on a virtual clock.
pub trait Source: Send {
    /// What is in use.
    fn info(&self) -> &SourceInfo;
    /// Experts on their way.
    fn in_flight(&self) -> usize;
    /// Time since some fixed moment, on the clock that reads take time on.
    fn now(&self) -> Duration;
    /// Queues the read of expert `index` of a layer into `buf`, which holds at least [`ExpertLayer::window_bytes`].
    fn submit(&mut self, layer: &ExpertLayer, index: u32, buf: ExpertBuf, urgency: Urgency);
    /// Something waits for this expert now: what is left of its read goes to the demand reads.
    fn raise(&mut self, id: ExpertId);
    /// Gives up what has not begun of a read. It comes back in any case, perhaps whole.
    fn cancel(&mut self, id: ExpertId);
    /// An expert whose read has ended, without waiting.
    fn poll(&mut self) -> Option<Landed>;
    /// Waits for the next expert; `None` if none is on its way.
    fn wait(&mut self) -> Option<Landed>;
}
