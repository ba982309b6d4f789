//! The dot kernel and dequantisation that all types of 32-wide blocks share.
//!
//! A weight is `(quant - OFFSET) * scale`, or `quant * scale + min`. Eight blocks are taken at once: their integer dot
//! products, one per lane, are exact; then each lane gets `(scale * activation scale) * dot`, to which types with a
//! minimum add `min * (activation scale * activation sum)`, and adds it to its running sum.

use std::ops::Range;

use bytemuck::Pod;

use super::ActFormat;
use super::acts::{Acts, Group32};
use super::dot::{MAX_COLUMNS, RowDot};
use super::simd::{Isa, Portable};

/// A block of 32 weights as it stands in the file.
pub(super) trait Block32: Pod {
    /// Whether quants are signed bytes; else they are unsigned and at most 127.
    const SIGNED: bool;
    /// What a quant is above its weight.
    const OFFSET: i32 = 0;

    /// The 32 quants as bytes.
    fn quants<S: Isa>(&self, isa: S) -> S::Int;
    /// The scales of eight blocks.
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float;
    /// The minima of eight blocks, for types that have one.
    #[inline(always)]
    fn mins<S: Isa>(_isa: S, _blocks: &[Self; 8]) -> Option<S::Float> {
        None
    }
}

/// f16 numbers of eight blocks, taken by `field`.
#[inline(always)]
pub(super) fn f16s<S: Isa, B>(isa: S, blocks: &[B; 8], field: impl Fn(&B) -> [u8; 2]) -> S::Float {
    isa.load_f16(&std::array::from_fn(|i| u16::from_le_bytes(field(&blocks[i]))))
}

/// Calls `$body` with each eight blocks of `$row` and the index of their group; the last ones are filled up with zeros,
/// whose activations are zeros too. A macro, because vectors must not pass through closures.
macro_rules! for_groups {
    ($row:expr, $block:ty, |$index:ident, $blocks:ident| $body:block) => {
        let (groups, tail) = bytemuck::cast_slice::<u8, $block>($row).as_chunks::<8>();
        for ($index, $blocks) in groups.iter().enumerate() $body
        if !tail.is_empty() {
            let mut filled = [<$block as bytemuck::Zeroable>::zeroed(); 8];
            filled[..tail.len()].copy_from_slice(tail);
            let ($index, $blocks) = (groups.len(), &filled);
            $body
        }
    };
}

/// Eight decoded blocks.
struct Eight<S: Isa> {
    quants: [S::Int; 8],
    scales: S::Float,
    mins: Option<S::Float>,
}

impl<S: Isa> Eight<S> {
    #[inline(always)]
    fn decode<B: Block32>(isa: S, blocks: &[B; 8]) -> Self {
        let mut quants = [isa.splat_i32(0); 8];
        for (quants, block) in quants.iter_mut().zip(blocks) {
            *quants = block.quants(isa);
        }
        Self { quants, scales: B::scales(isa, blocks), mins: B::mins(isa, blocks) }
    }

    /// What the eight blocks add to the eight lanes.
    #[inline(always)]
    fn dot<B: Block32>(&self, isa: S, acts: &Group32) -> S::Float {
        let zero = isa.splat_i32(0);
        let mut dots = [zero; 8];
        for ((dot, quants), acts) in dots.iter_mut().zip(&self.quants).zip(&acts.quants) {
            let acts = isa.load_i8(acts);
            *dot = if B::SIGNED { isa.dot_i8(zero, *quants, acts) } else { isa.dot_u8(zero, *quants, acts) };
        }
        let mut dots = isa.sums_i32(dots);
        let sums = isa.load_i32(&acts.sums);
        if B::OFFSET != 0 {
            dots = isa.sub_i32(dots, isa.mul_i32(sums, isa.splat_i32(B::OFFSET)));
        }
        let act_scales = isa.load_f32(&acts.scales);
        let sum = isa.mul_f32(isa.mul_f32(self.scales, act_scales), isa.to_f32(dots));
        match self.mins {
            Some(mins) => isa.add_f32(sum, isa.mul_f32(mins, isa.mul_f32(act_scales, isa.to_f32(sums)))),
            None => sum,
        }
    }
}

/// The kernel of the type whose block is `B`.
pub(super) struct Dot32<B>(std::marker::PhantomData<B>);

impl<B: Block32> RowDot for Dot32<B> {
    const ACT: ActFormat = ActFormat::Q8x32;

    #[inline(always)]
    fn row<S: Isa>(isa: S, row: &[u8], acts: &Acts, columns: Range<usize>, out: &mut [f32]) {
        let mut lanes = [isa.splat_f32(0.0); MAX_COLUMNS];
        let mut chunk: [&[Group32]; MAX_COLUMNS] = [&[]; MAX_COLUMNS];
        let chunk = &mut chunk[..columns.len()];
        for (acts_of_column, column) in chunk.iter_mut().zip(columns) {
            *acts_of_column = acts.groups(column);
        }
        for_groups!(row, B, |g, blocks| {
            let eight = Eight::decode(isa, blocks);
            for (lanes, acts) in lanes.iter_mut().zip(&*chunk) {
                *lanes = isa.add_f32(*lanes, eight.dot::<B>(isa, &acts[g]));
            }
        });
        for (out, lanes) in out.iter_mut().zip(lanes) {
            *out = isa.sum_f32(lanes);
        }
    }

    #[inline(always)]
    fn row_by_one<S: Isa>(isa: S, row: &[u8], acts: &Acts, column: usize) -> f32 {
        let acts = acts.groups(column);
        let mut lanes = isa.splat_f32(0.0);
        for_groups!(row, B, |g, blocks| {
            isa.prefetch(bytemuck::cast_slice(blocks));
            lanes = isa.add_f32(lanes, Eight::decode(isa, blocks).dot::<B>(isa, &acts[g]));
        });
        isa.sum_f32(lanes)
    }
}

/// Weights of whole blocks of `B`, in file order.
pub(super) fn dequantize<B: Block32>(bytes: &[u8], out: &mut [f32]) {
    let isa = Portable;
    for_groups!(bytes, B, |g, blocks| {
        let scales = isa.store_f32(B::scales(isa, blocks));
        let mins = B::mins(isa, blocks).map(|mins| isa.store_f32(mins));
        for (i, (block, out)) in blocks.iter().zip(out[g * 256..].chunks_mut(32)).enumerate() {
            let quants = isa.store_u8(block.quants(isa));
            for (out, quant) in out.iter_mut().zip(quants) {
                let quant = if B::SIGNED { i32::from(quant.cast_signed()) } else { i32::from(quant) };
                let weight = scales[i] * (quant - B::OFFSET) as f32;
                *out = mins.map_or(weight, |mins| weight + mins[i]);
            }
        }
    });
}
