//! The dot product of all formats with blocks of 256 weights.
//!
//! A block times a block of activations is exact integer arithmetic: each format decodes its weights into eight vectors
//! of 32 small quants with an integer scale per i16 lane. Totals of eight blocks are then summed lane-wise together and
//! meet their f32 scales, which puts block i of a row into lane `i mod 8`.

use std::marker::PhantomData;
use std::ops::Range;

use bytemuck::Pod;

use super::ActFormat;
use super::acts::{Acts, Block256};
use super::dot::Kernel;
use super::simd::Isa;

/// What a format does with the sums of the activations over 16 weights each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SumUse {
    /// Nothing: quants are as they are.
    None,
    /// Subtracts their products from the block's total: quants carry an offset.
    Offset,
    /// Subtracts their products times the second delta: sub-blocks have minimums.
    Minimum,
}

/// A block of 256 weights as it stands in the file.
pub(super) trait KBlock: Pod {
    /// Whether decoded quants are signed bytes.
    const SIGNED: bool;
    /// What the vector that [`KBlock::decode`] returns is for.
    const SUM_USE: SumUse;

    /// The f16 bits of the scale and, with [`SumUse::Minimum`], of the minimums' scale (else 0).
    fn deltas(&self) -> [u16; 2];

    /// The weights, bit-equal to the definition of the format in the `gguf` package.
    fn dequantize(&self, out: &mut [f32; 256]);

    /// Hands the weights to `sink`, vectors 0 to 7. Gives the factors of the sums over 16 weights, one per i16 lane.
    ///
    /// Sums of two products of a quant and an activation fit an i16; no total of a block leaves an i32.
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int;
}

/// Takes decoded weights.
pub(super) trait Sink<I: Isa> {
    /// The quants of weights `32 j .. 32 j + 32` and their integer scales, one per i16 lane (two weights).
    fn take(&mut self, j: usize, quants: I::Int, scale: I::Int);
}

/// A block's products with `C` columns, summed over vectors.
struct Totals<'a, I: Isa, B, const C: usize> {
    isa: I,
    acts: [&'a Block256; C],
    /// i32 lanes, one vector per column.
    sums: [I::Int; C],
    block: PhantomData<B>,
}

impl<I: Isa, B: KBlock, const C: usize> Sink<I> for Totals<'_, I, B, C> {
    #[inline(always)]
    fn take(&mut self, j: usize, quants: I::Int, scale: I::Int) {
        let isa = self.isa;
        let magnitudes = if B::SIGNED { isa.abs_i8(quants) } else { quants };
        for c in 0..C {
            let act = isa.load_i8(&self.acts[c].quants[j]);
            let act = if B::SIGNED { isa.sign_i8(act, quants) } else { act };
            self.sums[c] = isa.scaled_dot_u8(self.sums[c], magnitudes, act, scale);
        }
    }
}

/// Dequantises whole blocks.
pub(super) fn dequantize<B: KBlock>(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in bytemuck::cast_slice::<u8, B>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        block.dequantize(out);
    }
}

/// The dot kernel of a format.
pub(super) struct KDot<B>(PhantomData<B>);

impl<B: KBlock> Kernel for KDot<B> {
    const ACT: ActFormat = ActFormat::Q8x256;

    #[inline(always)]
    fn rows<I: Isa>(isa: I, rows: &[u8], row_bytes: usize, acts: &Acts, columns: Range<usize>, out: &mut [f32]) {
        let tile = Tile { rows: bytemuck::cast_slice::<u8, B>(rows), width: row_bytes / size_of::<B>(), acts };
        let mut first = columns.start;
        while first < columns.end {
            // Enough groups at once that the float work of one hides behind the integer work of the next.
            first += match columns.end - first {
                8.. => tile.dots::<I, 1, 8>(isa, first, out),
                4..8 => tile.dots::<I, 2, 4>(isa, first, out),
                2..4 => tile.dots::<I, 4, 2>(isa, first, out),
                _ => tile.dots::<I, 4, 1>(isa, first, out),
            };
        }
    }
}

/// Rows of `width` blocks and the activations that they meet.
struct Tile<'a, B> {
    rows: &'a [B],
    width: usize,
    acts: &'a Acts,
}

/// What eight blocks, or four of each of two rows, leave behind for each of `C` columns.
#[derive(Clone, Copy)]
struct Group<I: Isa, const C: usize> {
    /// Per block: i32 lanes of the products with the quants and with the factors of the sums.
    products: [[[I::Int; 2]; C]; 8],
    /// f16 bits of the blocks' scales and scales of minimums; 0 where there is no block.
    deltas: [[u16; 8]; 2],
    /// Scales of the activations; 0 where there is no block.
    scales: [[f32; 8]; C],
}

impl<B: KBlock> Tile<'_, B> {
    /// Dots of all rows with `C` columns from `first` on into `out`, `(rows, columns of acts)`. Gives `C`.
    ///
    /// Weights are read in file order, `R` groups at a time.
    #[inline(always)]
    fn dots<I: Isa, const R: usize, const C: usize>(&self, isa: I, first: usize, out: &mut [f32]) -> usize {
        let width = self.width;
        let columns = std::array::from_fn(|c| self.acts.blocks(first + c));
        let mut groups = [Group::<I, C>::new(isa); R];
        // Short rows share a group: four lanes each.
        let side_by_side = if width <= 4 { 2 } else { 1 };
        let groups_per_row = width.div_ceil(8);

        let mut next_rows = self.rows.chunks(side_by_side * width);
        let mut outs = out.chunks_exact_mut(self.acts.columns());
        let (mut rows, mut start) = (&self.rows[..0], width);
        let (mut lanes, mut groups_left) = ([isa.splat_f32(0.0); C], groups_per_row);
        let mut total = next_rows.len() * groups_per_row;
        while total > 0 {
            let groups = &mut groups[..R.min(total)];
            total -= groups.len();
            for group in &mut *groups {
                if start >= width {
                    (rows, start) = (next_rows.next().unwrap_or_default(), 0);
                }
                group.clear();
                let end = width.min(start + 8);
                for side in 0..side_by_side {
                    if let Some(blocks) = rows.get(side * width + start..side * width + end) {
                        group.integer_part(isa, 4 * side, blocks, &columns, start);
                    }
                }
                start += 8;
            }
            for group in &*groups {
                group.float_part::<B>(isa, &mut lanes);
                groups_left -= 1;
                if groups_left == 0 {
                    let mut sums = [[0.0; C]; 2];
                    for c in 0..C {
                        if side_by_side == 2 {
                            [sums[0][c], sums[1][c]] = isa.sum_halves_f32(lanes[c]);
                        } else {
                            sums[0][c] = isa.sum_f32(lanes[c]);
                        }
                    }
                    for (sums, out) in sums[..side_by_side].iter().zip(&mut outs) {
                        out[first..first + C].copy_from_slice(sums);
                    }
                    (lanes, groups_left) = ([isa.splat_f32(0.0); C], groups_per_row);
                }
            }
        }
        C
    }
}

impl<I: Isa, const C: usize> Group<I, C> {
    #[inline(always)]
    fn new(isa: I) -> Self {
        Self { products: [[[isa.splat_u8(0); 2]; C]; 8], deltas: [[0; 8]; 2], scales: [[0.0; 8]; C] }
    }

    /// No blocks. What the products are left from stays: it is finite, and the scales make it zero.
    #[inline(always)]
    fn clear(&mut self) {
        (self.deltas, self.scales) = ([[0; 8]; 2], [[0.0; 8]; C]);
    }

    /// Takes blocks of a row and activations from block `start` on in, from slot `slot` on.
    #[inline(always)]
    fn integer_part<B: KBlock>(&mut self, isa: I, slot: usize, blocks: &[B], columns: &[&[Block256]; C], start: usize) {
        let acts: [_; C] = std::array::from_fn(|c| &columns[c][start..][..blocks.len()]);
        for (b, block) in blocks.iter().enumerate() {
            // Always below 8: the mask only shows it.
            let slot = (slot + b) % 8;
            if C == 1 {
                isa.prefetch(bytemuck::bytes_of(block));
            }
            [self.deltas[0][slot], self.deltas[1][slot]] = block.deltas();
            let acts: [_; C] = std::array::from_fn(|c| &acts[c][b]);
            let mut totals = Totals::<I, B, C> { isa, acts, sums: [isa.splat_u8(0); C], block: PhantomData };
            let factors = block.decode(isa, &mut totals);
            for (c, act) in acts.iter().enumerate() {
                self.scales[c][slot] = act.scale;
                let products = isa.mul_pairs_i16(factors, isa.load_i16(&act.sums));
                let out = &mut self.products[slot][c];
                match B::SUM_USE {
                    SumUse::None => out[0] = totals.sums[c],
                    SumUse::Offset => out[0] = isa.sub_i32(totals.sums[c], products),
                    SumUse::Minimum => *out = [totals.sums[c], products],
                }
            }
        }
    }

    /// Adds the blocks to the lanes of their slots. A slot without a block adds a zero.
    #[inline(always)]
    fn float_part<B: KBlock>(&self, isa: I, lanes: &mut [I::Float; C]) {
        let [d, dmin] = &self.deltas;
        let (d, dmin) = (isa.load_f16(d), isa.load_f16(dmin));
        for (c, lanes) in lanes.iter_mut().enumerate() {
            let scale = isa.load_f32(&self.scales[c]);
            let mut dots = isa.mul_f32(isa.mul_f32(d, scale), self.sums(isa, c, 0));
            if B::SUM_USE == SumUse::Minimum {
                dots = isa.sub_f32(dots, isa.mul_f32(isa.mul_f32(dmin, scale), self.sums(isa, c, 1)));
            }
            *lanes = isa.add_f32(*lanes, dots);
        }
    }

    /// Lane b: the sum of the lanes of part `part` of block b's products with column `c`.
    #[inline(always)]
    fn sums(&self, isa: I, c: usize, part: usize) -> I::Float {
        let mut vectors = [isa.splat_u8(0); 8];
        for (vector, products) in vectors.iter_mut().zip(&self.products) {
            *vector = products[c][part];
        }
        isa.to_f32(isa.sums_i32(vectors))
    }
}

/// Index of a byte that [`Isa::lookup`] makes 0.
const ZERO: u8 = 0x80;

/// For [`Isa::lookup`]: the byte at `index[i]` of the same half, zero-extended, to i16 lane i.
pub(super) const fn zero_extended(index: [u8; 16]) -> [u8; 32] {
    let mut out = [ZERO; 32];
    let mut i = 0;
    while i < 16 {
        out[2 * i] = index[i];
        i += 1;
    }
    out
}

/// For [`Isa::lookup`], entry j: a byte per sub-block, zero-extended, to all lanes of the half that it scales: byte
/// `j * (1 + step)` to the first half and the byte `step` behind it to the second.
pub(super) const fn sub_blocks(step: u8) -> [[u8; 32]; 8] {
    let mut out = [[0; 32]; 8];
    let mut j = 0;
    while j < 8 {
        let l = j as u8 * (1 + step);
        let h = l + step;
        out[j] = zero_extended([l, l, l, l, l, l, l, l, h, h, h, h, h, h, h, h]);
        j += 1;
    }
    out
}

/// For [`Isa::lookup`], entry j: i16 lane j of each half to all lanes of the half.
pub(super) const SPREAD_I16: [[u8; 32]; 8] = {
    let mut out = [[0; 32]; 8];
    let mut i = 0;
    while i < 256 {
        out[i / 32][i % 32] = (2 * (i / 32) + i % 2) as u8;
        i += 1;
    }
    out
};

/// For [`Isa::lookup`] in 16 bytes that stand in both halves: byte i to i16 lane i, the order of the sums over 16 weights.
pub(super) const IN_ORDER: [u8; 32] = zero_extended([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

/// For [`Isa::lookup`] in 16 bytes that stand in both halves: even bytes to the i16 lanes of the first half, odd ones to
/// those of the second. [`SPREAD_I16`] then gives each vector of 32 weights the scales of its two sub-blocks.
pub(super) const EVEN_ODD: [u8; 32] = zero_extended([0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15]);
