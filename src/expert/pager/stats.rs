//! What paging costs.

use std::time::Duration;

use serde::Serialize;

/// What one phase cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PhaseStats {
    /// Distinct experts asked for, summed over (step, layer).
    pub requests: u64,
    /// Requests served from a slot, prefetched ones and those still on their way among them.
    pub hits: u64,
    /// Requests that waited for the disk.
    pub misses: u64,
    /// Demanded experts that lost their slot.
    pub evictions: u64,
    /// Hits whose read was still under way.
    pub late: u64,
    /// Bytes read from the files, window padding and prefetches counted.
    pub bytes_read: u64,
    /// Read calls.
    pub reads: u64,
    /// Time in which nothing could be computed for want of an expert.
    pub stall: Duration,
}

/// What the run cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PagerStats {
    /// The prompt.
    pub prefill: PhaseStats,
    /// New tokens.
    pub decode: PhaseStats,
}

/// What prefetches of one layer's experts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Prefetches that got a slot.
    pub issued: u64,
    /// Bytes that were read for them so far, padding counted.
    pub read_bytes: u64,
    /// Those that were requested after they had landed, and their bytes.
    pub useful: u64,
    /// See `useful`.
    pub useful_bytes: u64,
    /// Those that were requested while they were read.
    pub late: u64,
    /// See `late`: all of their bytes.
    pub late_bytes: u64,
    /// Those that were read, wholly or in part, for nothing.
    pub wasted: u64,
    /// See `wasted`: the bytes that were read.
    pub wasted_bytes: u64,
    /// Those that were given up before they were read.
    pub cancelled: u64,
}

impl Ledger {
    /// Counts a prefetch that was given up after `bytes` of it had been read.
    pub(super) fn given_up(&mut self, bytes: u64) {
        if bytes > 0 {
            self.wasted += 1;
            self.wasted_bytes += bytes;
        } else {
            self.cancelled += 1;
        }
    }
}

impl std::ops::AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        self.issued += other.issued;
        self.read_bytes += other.read_bytes;
        self.useful += other.useful;
        self.useful_bytes += other.useful_bytes;
        self.late += other.late;
        self.late_bytes += other.late_bytes;
        self.wasted += other.wasted;
        self.wasted_bytes += other.wasted_bytes;
        self.cancelled += other.cancelled;
    }
}

/// Reading of one phase; the cache counts the rest.
#[derive(Clone, Copy, Default)]
pub(super) struct Reading {
    pub(super) bytes: u64,
    pub(super) reads: u64,
    pub(super) late: u64,
    pub(super) stall: Duration,
}

/// What came of the experts that an earlier run kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct WarmLedger {
    /// Experts that were given slots at the start.
    pub kept: u64,
    /// Bytes that were read for them.
    pub read_bytes: u64,
    /// Of them, asked for after they had landed; each counts once.
    pub useful: u64,
    /// Asked for while they were read, or waited to be.
    pub late: u64,
}

/// Tokens, and how many of them experts were prefetched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PrefetchedTokens {
    /// Prefetched for.
    pub with: u64,
    /// All.
    pub of: u64,
}
