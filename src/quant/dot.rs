//! How dot kernels are called: rows of weights times columns of activations, at a level.
//!
//! A [`Kernel`] computes rows against up to [`MAX_COLUMNS`] columns. What an output element is depends on
//! its row and column alone: neither the number of rows and columns in a call nor the level changes a bit.

use std::ops::Range;

use super::acts::Acts;
#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512};
use super::simd::{Isa, Portable, Task};
use super::{ActFormat, CpuLevel};

/// Dot products of weight rows with activation columns: `out[row * columns + column]`.
///
/// `rows` are whole rows of `row_bytes` bytes each, `acts` columns in the format's [`ActFormat`] with the rows' width,
/// and `out` has one place for each pair.
pub type DotRows = fn(rows: &[u8], row_bytes: usize, acts: &Acts, out: &mut [f32]);

/// The most columns that a kernel is given at once: enough to pay for decoding the weights, few enough for the first
/// cache (8 columns of 2048 bytes).
pub const MAX_COLUMNS: usize = 8;

/// Weight bytes that are kept near while all columns pass: a share of the second cache.
const TILE_BYTES: usize = 128 << 10;

/// The dot kernel of one weight type.
pub trait Kernel {
    /// What it multiplies with.
    const ACT: ActFormat;

    /// Dot products of whole rows with the columns `columns`, at most [`MAX_COLUMNS`], into these columns of `out`, which
    /// is `(rows, columns of acts)`.
    fn rows<S: Isa>(isa: S, rows: &[u8], row_bytes: usize, acts: &Acts, columns: Range<usize>, out: &mut [f32]);
}

/// A kernel that takes one row at a time.
pub trait RowDot {
    /// What it multiplies with.
    const ACT: ActFormat;

    /// Dot products of `row` with the columns `columns`, at most [`MAX_COLUMNS`], into `out`, one each.
    fn row<S: Isa>(isa: S, row: &[u8], acts: &Acts, columns: Range<usize>, out: &mut [f32]);

    /// The same for one column, where nothing need be kept for the next.
    fn row_by_one<S: Isa>(isa: S, row: &[u8], acts: &Acts, column: usize) -> f32;
}

impl<K: RowDot> Kernel for K {
    const ACT: ActFormat = K::ACT;

    #[inline(always)]
    fn rows<S: Isa>(isa: S, rows: &[u8], row_bytes: usize, acts: &Acts, columns: Range<usize>, out: &mut [f32]) {
        for (row, out) in rows.chunks_exact(row_bytes).zip(out.chunks_exact_mut(acts.columns())) {
            if columns.len() == 1 {
                out[columns.start] = K::row_by_one(isa, row, acts, columns.start);
            } else {
                K::row(isa, row, acts, columns.clone(), &mut out[columns.clone()]);
            }
        }
    }
}

struct Rows<'a, K> {
    rows: &'a [u8],
    row_bytes: usize,
    acts: &'a Acts,
    out: &'a mut [f32],
    kernel: std::marker::PhantomData<K>,
}

impl<K: Kernel> Task for Rows<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let Self { rows, row_bytes, acts, out, .. } = self;
        let columns = acts.columns();
        // Rows tile by tile, so that weights come from memory once, and columns chunk by chunk inside, so that the
        // activations of a chunk are in the first cache for all rows of the tile.
        let tile = (TILE_BYTES / row_bytes).max(1);
        for (rows, out) in rows.chunks(tile * row_bytes).zip(out.chunks_mut(tile * columns)) {
            for first in (0..columns).step_by(MAX_COLUMNS) {
                let chunk = first..columns.min(first + MAX_COLUMNS);
                K::rows(isa, rows, row_bytes, acts, chunk, out);
            }
        }
    }
}

/// A kernel's entry points, one per level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dots {
    portable: DotRows,
    #[cfg(target_arch = "x86_64")]
    avx2: DotRows,
    #[cfg(target_arch = "x86_64")]
    avx512: DotRows,
}

impl Dots {
    /// The entry points of `K`.
    pub(super) const fn of<K: Kernel>() -> Self {
        Self {
            portable: |rows, row_bytes, acts, out| enter::<K, _>(Portable, rows, row_bytes, acts, out),
            #[cfg(target_arch = "x86_64")]
            avx2: |rows, row_bytes, acts, out| {
                enter::<K, _>(Avx2::detect().expect(DETECTED), rows, row_bytes, acts, out)
            },
            #[cfg(target_arch = "x86_64")]
            avx512: |rows, row_bytes, acts, out| {
                enter::<K, _>(Avx512::detect().expect(DETECTED), rows, row_bytes, acts, out);
            },
        }
    }

    pub(super) fn at(&self, level: CpuLevel) -> DotRows {
        match level {
            CpuLevel::Portable(_) => self.portable,
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx2(_) => self.avx2,
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx512(_) => self.avx512,
        }
    }
}

#[cfg(target_arch = "x86_64")]
const DETECTED: &str = "entry points are handed out for a detected level only";

fn enter<K: Kernel, S: Isa>(isa: S, rows: &[u8], row_bytes: usize, acts: &Acts, out: &mut [f32]) {
    assert!(row_bytes > 0 && rows.len().is_multiple_of(row_bytes), "weights are whole rows");
    assert_eq!(acts.format(), K::ACT, "activations in the format that the weights need");
    assert_eq!(out.len(), rows.len() / row_bytes * acts.columns(), "one result per row and column");
    isa.vectorize(Rows::<K> { rows, row_bytes, acts, out, kernel: std::marker::PhantomData });
}
