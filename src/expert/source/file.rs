//! The model's shard files, opened for one of the read paths, and one read of a piece of an expert.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use memmap2::Mmap;

use super::{LONGEST_PIECE, ReadPath};
use crate::error::{Error, Result};
use crate::expert::{ExpertId, WINDOW};
use crate::os::{self, Stamp};

/// A range of a shard file that is read into memory of its own: whole windows from `offset`, of which the bytes from
/// `skip` to `need` are wanted.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) shard: usize,
    /// Aligned byte offset in the file of the memory's first byte.
    pub(super) offset: u64,
    pub(super) skip: usize,
    pub(super) need: usize,
    pub(super) mem: BytesMut,
    /// For messages.
    pub(super) expert: ExpertId,
}

impl Piece {
    /// Whether `next` is what follows, and both together are no more than one demanded piece may be.
    pub(super) fn goes_on_in(&self, next: &Self) -> bool {
        let end = self.offset + self.mem.len() as u64;
        let follows = self.shard == next.shard && end == next.offset && next.skip == 0 && self.need == self.mem.len();
        follows && self.mem.len() + next.mem.len() <= LONGEST_PIECE
    }

    /// Takes in a piece that it goes on in.
    pub(super) fn join(&mut self, next: Self) {
        self.need = self.mem.len() + next.need;
        self.mem.unsplit(next.mem);
    }
}

/// What a read cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadCost {
    pub(super) bytes: u64,
    pub(super) reads: u64,
}

/// One shard on one read path.
enum Shard {
    /// Aligned reads past the page cache.
    Direct(File),
    /// Copies out of a map whose pages are dropped again.
    Mmap(Mmap),
    /// Reads through the page cache.
    Buffered(File),
}

/// One shard, and what it was when it was opened.
struct Opened {
    shard: Shard,
    file: File,
    stamp: Stamp,
}

/// All shards, opened for one read path.
pub(super) struct Shards {
    shards: Vec<Opened>,
    paths: Vec<PathBuf>,
}

impl Shards {
    pub(super) fn open(paths: &[PathBuf], path: ReadPath) -> Result<Self> {
        let open = |p: &PathBuf| {
            let file = File::open(p)?;
            let shard = match path {
                ReadPath::Direct => Shard::Direct(os::open_direct(p)?),
                ReadPath::Mmap => Shard::Mmap(os::map_for_random_reads(&file)?),
                ReadPath::Buffered => Shard::Buffered(file.try_clone()?),
            };
            Ok(Opened { shard, stamp: Stamp::of(&file)?, file })
        };
        let open = |p: &PathBuf| open(p).map_err(|e: io::Error| Error::io(p, e));
        Ok(Self { shards: paths.iter().map(open).collect::<Result<_>>()?, paths: paths.to_vec() })
    }

    /// Reads the wanted bytes of a piece to their place in its memory.
    ///
    /// # Errors
    /// The file's path, the offset and the expert, with what the system said, where the file now ends, or that it was
    /// written to since it was opened: what was read may be of another model.
    pub(super) fn read(&self, piece: &mut Piece) -> Result<ReadCost> {
        let Opened { shard, file, stamp } = &self.shards[piece.shard];
        let cost = match shard {
            Shard::Direct(file) => self.read_file(file, piece, 0, WINDOW),
            Shard::Buffered(file) => self.read_file(file, piece, piece.skip, 1),
            Shard::Mmap(map) => self.copy(map, piece),
        }?;
        match Stamp::of(file) {
            Ok(now) if now == *stamp => Ok(cost),
            Ok(_) => Err(self.failure(piece, "the file was written to while in use")),
            Err(e) => Err(self.failure(piece, &format!("cannot look at the file: {e}"))),
        }
    }

    /// Reads from `from` until all wanted bytes are there; each read starts at a multiple of `align`.
    fn read_file(&self, file: &File, piece: &mut Piece, from: usize, align: usize) -> Result<ReadCost> {
        let mut cost = ReadCost::default();
        // Aligned reads end aligned too; where the file ends first, the read is short.
        let end = piece.need.next_multiple_of(align);
        let mut at = from;
        while at < piece.need {
            let start = at - at % align;
            let offset = piece.offset + start as u64;
            let n = os::read_at(file, offset, &mut piece.mem[start..end]).map_err(|e| {
                self.failure(piece, &format!("cannot read {} bytes at offset {offset}: {e}", end - start))
            })?;
            cost.reads += 1;
            cost.bytes += n as u64;
            if start + n <= at {
                return Err(self.shortened(piece, offset + n as u64));
            }
            at = start + n;
        }
        Ok(cost)
    }

    fn copy(&self, map: &Mmap, piece: &mut Piece) -> Result<ReadCost> {
        let range = usize::try_from(piece.offset).ok().map(|at| at + piece.skip..at + piece.need);
        let Some((range, from)) = range.and_then(|r| map.get(r.clone()).map(|bytes| (r, bytes))) else {
            return Err(self.shortened(piece, map.len() as u64));
        };
        os::will_need(map, range.start, range.len());
        // what one fault may map is dropped before the next is touched
        let (mut rest, mut out) = (from, &mut piece.mem[piece.skip..piece.need]);
        while !rest.is_empty() {
            let at = range.end - rest.len();
            let (part, others) = rest.split_at(rest.len().min(os::MAPPED_AROUND - at % os::MAPPED_AROUND));
            let (place, places) = out.split_at_mut(part.len());
            place.copy_from_slice(part);
            os::drop_mapped_range(map, at, part.len());
            (rest, out) = (others, places);
        }
        Ok(ReadCost { bytes: range.len() as u64, reads: 1 })
    }

    fn shortened(&self, piece: &Piece, end: u64) -> Error {
        let wanted = piece.offset + piece.need as u64;
        self.failure(piece, &format!("the file ends at byte {end} before byte {wanted}: it was shortened while in use"))
    }

    fn failure(&self, piece: &Piece, what: &str) -> Error {
        let ExpertId { layer, index } = piece.expert;
        Error::file(&self.paths[piece.shard], format!("expert {index} of layer {layer}: {what}"))
    }
}

/// Checks with real reads that a file gives the same bytes past the page cache as through it: some file systems accept
/// the flag and refuse the read, or return other bytes. `windows` are aligned offsets; the file's tail is tried too.
pub(super) fn verify_direct(path: &Path, windows: &[u64]) -> Result<(), String> {
    let why = |e: std::io::Error| e.to_string();
    let (direct, buffered) = (os::open_direct(path).map_err(why)?, File::open(path).map_err(why)?);
    let len = buffered.metadata().map_err(why)?.len();
    let tail = len.saturating_sub(1) / WINDOW as u64 * WINDOW as u64;
    let mut got = crate::expert::ExpertBuf::new(WINDOW);
    let mut want = vec![0; WINDOW];
    for &offset in windows.iter().chain([&tail]).filter(|&&offset| offset < len) {
        let n = os::read_at(&direct, offset, got.bytes_mut()).map_err(why)?;
        let m = os::read_at(&buffered, offset, &mut want).map_err(why)?;
        if n != m || got.bytes()[..n] != want[..m] {
            return Err(format!("other bytes at offset {offset} than through the page cache"));
        }
    }
    Ok(())
}
