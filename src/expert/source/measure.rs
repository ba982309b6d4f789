//! Finds out which read path and how many lanes are fastest here: it depends on the drive, the file system and what
//! the page cache holds, so it is measured on the model's own file.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::file::{Piece, Shards, verify_direct};
use super::{Measured, PIECE, ReadPath, SourceInfo, SourceOptions};
use crate::error::Result;
use crate::expert::{ExpertBuf, ExpertId, ExpertLayer, Extent, WINDOW};

/// Models with fewer expert bytes are read through the page cache, unmeasured: it holds them.
const MEASURED_BYTES_MIN: u64 = 512 << 20;
/// Lanes where nothing is measured.
const LANES_DEFAULT: usize = 4;
/// Lanes that are tried.
const LANES_TRIED: [usize; 3] = [2, 4, 8];
/// How long one path with one number of lanes is read, in each of two rounds.
const TRIAL: Duration = Duration::from_millis(30);
/// No further trial begins after this, except one of each path.
const TRIALS_END: Duration = Duration::from_millis(700);
/// A trial within this share of the fastest is as good: then the earlier one is taken, which leaves more of the
/// processor to compute.
const AS_GOOD: f64 = 0.95;

impl SourceOptions {
    /// These options for a model whose experts are `layers`: of one that is too small to be measured nothing stays open.
    pub fn settled(self, layers: &[ExpertLayer]) -> Self {
        let bytes: u64 = layers.iter().map(|l| l.count as u64 * l.expert_bytes() as u64).sum();
        if bytes >= MEASURED_BYTES_MIN {
            return self;
        }
        Self { path: self.path.or(Some(ReadPath::Buffered)), lanes: self.lanes.or(Some(LANES_DEFAULT)) }
    }
}

/// Settles what `options` leave open.
pub(super) fn choose(shards: &[PathBuf], layers: &[ExpertLayer], options: SourceOptions) -> Result<SourceInfo> {
    let options = options.settled(layers);
    let mut info = SourceInfo {
        path: options.path.unwrap_or(ReadPath::Buffered),
        lanes: options.lanes.unwrap_or(LANES_DEFAULT),
        measured: Vec::new(),
        note: None,
    };
    let mut direct = false;
    if options.path.is_none_or(|path| path == ReadPath::Direct) {
        match direct_works(shards, layers) {
            Ok(()) => direct = true,
            Err(why) => {
                info.note = Some(format!("direct reads do not work here ({why}): reading through the page cache"));
                if options.path == Some(ReadPath::Direct) {
                    info.path = ReadPath::Buffered;
                }
            }
        }
    }
    if options.path.is_some() && options.lanes.is_some() {
        return Ok(info);
    }
    let paths = match options.path {
        Some(_) => vec![info.path],
        None if direct => vec![ReadPath::Direct, ReadPath::Buffered, ReadPath::Mmap],
        None => vec![ReadPath::Buffered, ReadPath::Mmap],
    };
    let lanes = options.lanes.map_or(LANES_TRIED.to_vec(), |n| vec![n]);
    info.measured = trials(shards, layers, &paths, &lanes)?;
    let fastest = info.measured.iter().map(|m| m.bytes_per_s).fold(0.0, f64::max);
    if let Some(best) = info.measured.iter().find(|m| m.bytes_per_s >= fastest * AS_GOOD) {
        (info.path, info.lanes) = (best.path, best.lanes);
    }
    Ok(info)
}

/// Tries direct reads on every shard that holds experts.
fn direct_works(shards: &[PathBuf], layers: &[ExpertLayer]) -> Result<(), String> {
    for (shard, path) in shards.iter().enumerate() {
        let extents = layers.iter().flat_map(|l| &l.extents).filter(|x| x.shard == shard);
        let windows: Vec<u64> = extents.take(3).map(|x| x.offset - x.offset % WINDOW as u64).collect();
        if !windows.is_empty() {
            verify_direct(path, &windows)?;
        }
    }
    Ok(())
}

/// Measures all paths with all numbers of lanes, in two rounds of opposite order, and keeps the better result of each:
/// what else the machine does can only make a trial slower.
fn trials(shards: &[PathBuf], layers: &[ExpertLayer], paths: &[ReadPath], lanes: &[usize]) -> Result<Vec<Measured>> {
    let samples = Samples::new(layers);
    let opened = paths.iter().map(|&path| Shards::open(shards, path)).collect::<Result<Vec<_>>>()?;
    let mut rates = vec![0.0f64; paths.len() * lanes.len()];
    let begin = Instant::now();
    // A slow drive may have time for the first number of lanes only, but each path gets its turn.
    let order: Vec<(usize, usize)> = (0..lanes.len()).flat_map(|l| (0..paths.len()).map(move |p| (p, l))).collect();
    for (n, &(p, l)) in order.iter().chain(order.iter().rev()).enumerate() {
        if n < paths.len() || begin.elapsed() < TRIALS_END {
            let rate = &mut rates[p * lanes.len() + l];
            *rate = rate.max(trial(&opened[p], &samples, lanes[l]));
        }
    }
    let tried = paths.iter().flat_map(|&path| lanes.iter().map(move |&lanes| (path, lanes)));
    let measured = tried.zip(rates).map(|((path, lanes), bytes_per_s)| Measured { path, lanes, bytes_per_s });
    Ok(measured.filter(|m| m.bytes_per_s > 0.0).collect())
}

/// Bytes per second of `lanes` threads that read one sample after the other. A failed read ends its thread: the
/// model's first use of that expert will say what is wrong.
fn trial(shards: &Shards, samples: &Samples<'_>, lanes: usize) -> f64 {
    let bytes = AtomicU64::new(0);
    let begin = Instant::now();
    let lane = || {
        let mut mem = std::mem::take(&mut ExpertBuf::new(PIECE + WINDOW).mem);
        while begin.elapsed() < TRIAL {
            let mut piece = samples.next(mem);
            let read = shards.read(&mut piece);
            mem = piece.mem;
            match read {
                Ok(_) => bytes.fetch_add((piece.need - piece.skip) as u64, Ordering::Relaxed),
                Err(_) => break,
            };
        }
    };
    std::thread::scope(|scope| (0..lanes).for_each(|_| drop(scope.spawn(lane))));
    bytes.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

/// Ranges of expert data, spread over the whole model and not repeated soon: what a trial has read is in the page
/// cache for the next.
struct Samples<'a> {
    /// Extent and experts in it.
    extents: Vec<(&'a Extent, u64, u32)>,
    next: AtomicU64,
}

impl<'a> Samples<'a> {
    fn new(layers: &'a [ExpertLayer]) -> Self {
        let extents = layers.iter().flat_map(|l| l.extents.iter().map(move |x| (x, l.count as u64, l.layer)));
        // Each start samples elsewhere: the page cache may still hold what the last one read.
        let next = RandomState::new().build_hasher().finish().into();
        Self { extents: extents.filter(|x| x.1 > 0 && x.0.len > 0).collect(), next }
    }

    /// The next range, of at most [`PIECE`] bytes, to be read into `mem`.
    fn next(&self, mem: bytes::BytesMut) -> Piece {
        // The golden ratio's multiples are spread evenly however many are taken.
        let n = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let pick = |range: u64, n: u64| ((u128::from(n) * u128::from(range)) >> 64) as u64;
        let (extent, count, layer) = self.extents[pick(self.extents.len() as u64, n) as usize];
        let index = pick(count, n.wrapping_mul(self.extents.len() as u64));
        let first = extent.offset + index * extent.len as u64;
        let skip = (first % WINDOW as u64) as usize;
        let need = skip + extent.len.min(PIECE);
        Piece {
            shard: extent.shard,
            offset: first - skip as u64,
            skip,
            need,
            mem,
            expert: ExpertId { layer, index: index as u32 },
        }
    }
}
