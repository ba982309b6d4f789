//! F32, F16 and BF16 weights, which take their activations as they are.
//!
//! Element i is added to sum `i mod 32`, a product at a time; sums 0..8 and 16..24, then 8..16 and 24..32 are added lane
//! by lane, then both, and the eight lanes as everywhere.

use std::ops::Range;

use super::acts::{Acts, Floats32};
use super::dot::RowDot;
use super::simd::Isa;
use super::{ActFormat, Format, GgmlType};

pub(super) const F32: Format = Format::new::<DotFloat<4, false>>(GgmlType::F32, |bytes, out| {
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
        *out = f32::from_le_bytes(*bytes);
    }
});
pub(super) const F16: Format = Format::new::<DotFloat<2, false>>(GgmlType::F16, |bytes, out| {
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
        *out = f16_to_f32(u16::from_le_bytes(*bytes));
    }
});
pub(super) const BF16: Format = Format::new::<DotFloat<2, true>>(GgmlType::BF16, |bytes, out| {
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
        *out = bf16_to_f32(u16::from_le_bytes(*bytes));
    }
});

/// The value of a half-precision float, given by its bits; subnormals included.
#[inline(always)]
pub fn f16_to_f32(bits: u16) -> f32 {
    // The exponent is moved up by a product, which is exact and makes normal numbers of subnormal ones.
    let magnitude = u32::from(bits & 0x7FFF) << 13;
    let value = (f32::from_bits(magnitude) * f32::from_bits((112 + 127) << 23)).to_bits();
    let special = if magnitude >= 0x0F80_0000 { 0x7F80_0000 } else { 0 };
    f32::from_bits(value | special | u32::from(bits & 0x8000) << 16)
}

/// The value of a bfloat16, given by its bits.
#[inline(always)]
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The kernel of weights of `BYTES` bytes: f32 of 4, f16 or, if `BRAIN`, bf16 of 2.
pub(super) struct DotFloat<const BYTES: usize, const BRAIN: bool>;

impl<const BYTES: usize, const BRAIN: bool> DotFloat<BYTES, BRAIN> {
    /// 32 weights from `bytes`, which has as many.
    #[inline(always)]
    fn load<S: Isa>(isa: S, bytes: &[u8]) -> [S::Float; 4] {
        let mut weights = [isa.splat_f32(0.0); 4];
        for (weights, bytes) in weights.iter_mut().zip(bytes.chunks_exact(8 * BYTES)) {
            *weights = match (BYTES, BRAIN) {
                (4, _) => isa.load_f32(&bytemuck::pod_read_unaligned(bytes)),
                (_, false) => isa.load_f16(&bytemuck::pod_read_unaligned(bytes)),
                (_, true) => isa.load_bf16(&bytemuck::pod_read_unaligned(bytes)),
            };
        }
        weights
    }

    #[inline(always)]
    fn add_products<S: Isa>(isa: S, sums: &mut [S::Float; 4], weights: &[S::Float; 4], acts: &Floats32) {
        for ((sum, weight), act) in sums.iter_mut().zip(weights).zip(acts.0.as_chunks().0) {
            *sum = isa.add_f32(*sum, isa.mul_f32(*weight, isa.load_f32(act)));
        }
    }

    #[inline(always)]
    fn total<S: Isa>(isa: S, [a, b, c, d]: [S::Float; 4]) -> f32 {
        isa.sum_f32(isa.add_f32(isa.add_f32(a, c), isa.add_f32(b, d)))
    }
}

/// Calls `$body` with the bytes of each 32 weights and their index; the last ones are filled up with zeros.
macro_rules! for_chunks {
    ($row:expr, |$index:ident, $bytes:ident| $body:block) => {
        let chunks = $row.chunks_exact(32 * BYTES);
        let (count, tail) = (chunks.len(), chunks.remainder());
        for ($index, $bytes) in chunks.enumerate() $body
        if !tail.is_empty() {
            let mut filled = [0; 128];
            filled[..tail.len()].copy_from_slice(tail);
            let ($index, $bytes) = (count, &filled[..32 * BYTES]);
            $body
        }
    };
}

impl<const BYTES: usize, const BRAIN: bool> RowDot for DotFloat<BYTES, BRAIN> {
    const ACT: ActFormat = ActFormat::F32;

    #[inline(always)]
    fn row<S: Isa>(isa: S, row: &[u8], acts: &Acts, columns: Range<usize>, out: &mut [f32]) {
        // Two columns at a time, because the sums of more do not fit into 16 registers.
        let (pairs, last) = out.as_chunks_mut::<2>();
        for (out, column) in pairs.iter_mut().zip(columns.clone().step_by(2)) {
            let acts = [acts.floats(column), acts.floats(column + 1)];
            let mut sums = [[isa.splat_f32(0.0); 4]; 2];
            for_chunks!(row, |i, bytes| {
                let weights = Self::load(isa, bytes);
                Self::add_products(isa, &mut sums[0], &weights, &acts[0][i]);
                Self::add_products(isa, &mut sums[1], &weights, &acts[1][i]);
            });
            *out = [Self::total(isa, sums[0]), Self::total(isa, sums[1])];
        }
        if let [last] = last {
            *last = Self::row_by_one(isa, row, acts, columns.end - 1);
        }
    }

    #[inline(always)]
    fn row_by_one<S: Isa>(isa: S, row: &[u8], acts: &Acts, column: usize) -> f32 {
        let acts = acts.floats(column);
        let mut sums = [isa.splat_f32(0.0); 4];
        for_chunks!(row, |i, bytes| {
            Self::add_products(isa, &mut sums, &Self::load(isa, bytes), &acts[i]);
        });
        Self::total(isa, sums)
    }
}
