//! Activations as dot kernels read them: f32, or quantised to signed bytes block by block.
//!
//! A block of 32 or 256 values with the largest magnitude `amax` becomes the scale `amax / 127` and the bytes
//! `x * (127 / amax)`, rounded to the nearest integer, ties to even. A block whose magnitudes all lie below about 4e-37
//! becomes zeros. A block that holds an infinity or a NaN gets the scale NaN, so that the result shows it.

use super::level::CpuLevel;
use super::simd::{Isa, Task};

/// How a weight format wants its activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActFormat {
    /// As they are.
    F32,
    /// Blocks of 32 bytes: rows of a multiple of 32 values.
    Q8x32,
    /// Blocks of 256 bytes: rows of a multiple of 256 values.
    Q8x256,
}

/// 32 values; zeros behind the end of the row.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Floats32(pub [f32; 32]);

/// Eight blocks of 32; blocks behind the end of the row are zeros.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Group32 {
    /// Within -127..=127.
    pub quants: [[i8; 32]; 8],
    /// Value of a quant of 1, block by block.
    pub scales: [f32; 8],
    /// Sum of each block's quants.
    pub sums: [i32; 8],
}

/// One block of 256.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Block256 {
    /// Within -127..=127.
    pub quants: [[i8; 32]; 8],
    /// Sums of 16 quants each, in order.
    pub sums: [i16; 16],
    /// Value of a quant of 1.
    pub scale: f32,
}

const NO_FLOATS: Floats32 = Floats32([0.0; 32]);
const NO_GROUP: Group32 = Group32 { quants: [[0; 32]; 8], scales: [0.0; 8], sums: [0; 8] };
const NO_BLOCK: Block256 = Block256 { quants: [[0; 32]; 8], sums: [0; 16], scale: 0.0 };

/// Activations `(columns, width)` in one format. The buffers are kept from one use to the next.
#[derive(Clone, Debug)]
pub struct Acts {
    level: CpuLevel,
    format: ActFormat,
    columns: usize,
    width: usize,
    floats: Vec<Floats32>,
    groups: Vec<Group32>,
    blocks: Vec<Block256>,
}

impl Default for Acts {
    fn default() -> Self {
        Self::new(CpuLevel::detect())
    }
}

impl Acts {
    /// No columns; quantises with `level`'s instructions.
    pub fn new(level: CpuLevel) -> Self {
        let (floats, groups, blocks) = (Vec::new(), Vec::new(), Vec::new());
        Self { level, format: ActFormat::F32, columns: 0, width: 0, floats, groups, blocks }
    }

    /// Holds the rows of `x`, `(columns, width)` row-major, in `format`. `width` is a whole number of its blocks.
    pub fn quantize(&mut self, format: ActFormat, x: &[f32], width: usize) {
        assert!(width > 0 && x.len().is_multiple_of(width), "activations are whole rows of {width}");
        self.reset(format, x.len() / width, width);
        match format {
            ActFormat::F32 => {
                for (column, x) in self.floats.chunks_exact_mut(width.div_ceil(32)).zip(x.chunks_exact(width)) {
                    for (out, x) in column.iter_mut().zip(x.chunks(32)) {
                        out.0[..x.len()].copy_from_slice(x);
                    }
                }
            }
            ActFormat::Q8x32 => self.level.run(Quantize32 { x, width, out: &mut self.groups }),
            ActFormat::Q8x256 => self.level.run(Quantize256 { x, out: &mut self.blocks }),
        }
    }

    /// Holds columns `columns` of `from`, in this order.
    pub fn gather(&mut self, from: &Self, columns: impl ExactSizeIterator<Item = usize>) {
        self.reset(from.format, 0, from.width);
        self.columns = columns.len();
        for c in columns {
            match from.format {
                ActFormat::F32 => self.floats.extend_from_slice(from.floats(c)),
                ActFormat::Q8x32 => self.groups.extend_from_slice(from.groups(c)),
                ActFormat::Q8x256 => self.blocks.extend_from_slice(from.blocks(c)),
            }
        }
    }

    /// Zeros of the given shape, in the buffer of `format`; the other buffers are empty.
    fn reset(&mut self, format: ActFormat, columns: usize, width: usize) {
        (self.format, self.columns, self.width) = (format, columns, width);
        self.floats.clear();
        self.groups.clear();
        self.blocks.clear();
        match format {
            ActFormat::F32 => self.floats.resize(columns * width.div_ceil(32), NO_FLOATS),
            ActFormat::Q8x32 => {
                assert!(width.is_multiple_of(32), "a row of {width} is not whole blocks of 32");
                self.groups.resize(columns * width.div_ceil(256), NO_GROUP);
            }
            ActFormat::Q8x256 => {
                assert!(width.is_multiple_of(256), "a row of {width} is not whole blocks of 256");
                self.blocks.resize(columns * (width / 256), NO_BLOCK);
            }
        }
    }

    /// The format held.
    pub fn format(&self) -> ActFormat {
        self.format
    }

    /// Columns held.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Values per column.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A column in [`ActFormat::F32`].
    #[inline(always)]
    pub fn floats(&self, column: usize) -> &[Floats32] {
        column_of(&self.floats, column, self.width.div_ceil(32))
    }

    /// A column in [`ActFormat::Q8x32`].
    #[inline(always)]
    pub fn groups(&self, column: usize) -> &[Group32] {
        column_of(&self.groups, column, self.width.div_ceil(256))
    }

    /// A column in [`ActFormat::Q8x256`].
    #[inline(always)]
    pub fn blocks(&self, column: usize) -> &[Block256] {
        column_of(&self.blocks, column, self.width / 256)
    }
}

#[inline(always)]
fn column_of<T>(all: &[T], column: usize, len: usize) -> &[T] {
    &all[column * len..][..len]
}

struct Quantize32<'a> {
    x: &'a [f32],
    width: usize,
    out: &'a mut [Group32],
}

impl Task for Quantize32<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let groups = self.width.div_ceil(256);
        for (column, x) in self.out.chunks_exact_mut(groups).zip(self.x.chunks_exact(self.width)) {
            for (group, x) in column.iter_mut().zip(x.chunks(256)) {
                for (b, x) in x.as_chunks::<32>().0.iter().enumerate() {
                    let x = load(isa, x);
                    let (scale, factor) = scale_and_factor(isa.max_abs_bits(&x));
                    let quants = quantize(isa, x, factor);
                    group.scales[b] = scale;
                    group.sums[b] = isa.sum_i32(isa.dot_u8(isa.splat_i32(0), isa.splat_u8(1), quants));
                    group.quants[b] = isa.store_i8(quants);
                }
            }
        }
    }
}

struct Quantize256<'a> {
    x: &'a [f32],
    out: &'a mut [Block256],
}

impl Task for Quantize256<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        for (block, x) in self.out.iter_mut().zip(self.x.as_chunks::<256>().0) {
            let x = x.as_chunks::<32>().0;
            let mut bits = 0;
            for x in x {
                bits = isa.max_abs_bits(&load(isa, x)).max(bits);
            }
            let (scale, factor) = scale_and_factor(bits);
            block.scale = scale;
            for (b, x) in x.iter().enumerate() {
                let quants = quantize(isa, load(isa, x), factor);
                let fours = isa.store_i32(isa.dot_u8(isa.splat_i32(0), isa.splat_u8(1), quants));
                // 16 bytes within -127..=127 sum to an i16.
                block.sums[2 * b] = (fours[0] + fours[1] + fours[2] + fours[3]) as i16;
                block.sums[2 * b + 1] = (fours[4] + fours[5] + fours[6] + fours[7]) as i16;
                block.quants[b] = isa.store_i8(quants);
            }
        }
    }
}

#[inline(always)]
fn load<S: Isa>(isa: S, x: &[f32; 32]) -> [S::Float; 4] {
    let [a, b, c, d] = x.as_chunks::<8>().0 else { unreachable!("32 values are four times eight") };
    [isa.load_f32(a), isa.load_f32(b), isa.load_f32(c), isa.load_f32(d)]
}

/// The scale of a block whose largest magnitude has these bits, and what its values are multiplied by; no factor where
/// they all become 0.
#[inline(always)]
fn scale_and_factor(amax_bits: u32) -> (f32, Option<f32>) {
    let amax = f32::from_bits(amax_bits);
    let factor = 127.0 / amax;
    if !amax.is_finite() {
        (f32::NAN, None)
    } else if factor.is_finite() {
        (amax / 127.0, Some(factor))
    } else {
        (0.0, None)
    }
}

#[inline(always)]
fn quantize<S: Isa>(isa: S, x: [S::Float; 4], factor: Option<f32>) -> S::Int {
    match factor {
        Some(factor) => {
            let factor = isa.splat_f32(factor);
            let [a, b, c, d] = x;
            isa.round_to_i8([
                isa.mul_f32(a, factor),
                isa.mul_f32(b, factor),
                isa.mul_f32(c, factor),
                isa.mul_f32(d, factor),
            ])
        }
        None => isa.splat_u8(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(level: CpuLevel, format: ActFormat, x: &[f32], width: usize) -> Acts {
        let mut acts = Acts::new(level);
        acts.quantize(format, x, width);
        acts
    }

    fn wave(n: usize) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.37).sin() * (1.0 + (i / 32) as f32)).collect()
    }

    #[test]
    fn a_quant_is_the_value_over_the_scale_rounded_to_the_nearest() {
        let x = wave(96);
        let acts = acts(CpuLevel::detect(), ActFormat::Q8x32, &x, 96);
        let group = &acts.groups(0)[0];
        for (b, x) in x.chunks(32).enumerate() {
            let amax = x.iter().fold(0f32, |m, x| m.max(x.abs()));
            assert_eq!(group.scales[b], amax / 127.0);
            for (q, x) in group.quants[b].iter().zip(x) {
                assert!((f32::from(*q) * group.scales[b] - x).abs() <= group.scales[b] * 0.5001, "{q} for {x}");
            }
            assert_eq!(group.sums[b], group.quants[b].iter().map(|q| i32::from(*q)).sum::<i32>());
        }
        assert_eq!(group.scales[3..], [0.0; 5]);
        assert_eq!(group.quants[3..], [[0; 32]; 5]);
    }

    #[test]
    fn ties_round_to_even() {
        let mut x = [0.0; 32];
        x[..6].copy_from_slice(&[127.0, 0.5, 1.5, 2.5, -0.5, -3.5]);
        for level in CpuLevel::available() {
            let acts = acts(level, ActFormat::Q8x32, &x, 32);
            assert_eq!(acts.groups(0)[0].quants[0][..6], [127, 0, 2, 2, 0, -4], "{}", level.name());
        }
    }

    #[test]
    fn blocks_of_256_have_sums_of_16() {
        let x = wave(512);
        let acts = acts(CpuLevel::detect(), ActFormat::Q8x256, &x, 256);
        assert_eq!((acts.columns(), acts.width()), (2, 256));
        for c in 0..2 {
            let block = &acts.blocks(c)[0];
            let quants: Vec<i16> = block.quants.as_flattened().iter().map(|q| i16::from(*q)).collect();
            for (i, sixteen) in quants.chunks(16).enumerate() {
                assert_eq!(block.sums[i], sixteen.iter().sum::<i16>());
            }
            assert_eq!(quants.iter().map(|q| q.abs()).max(), Some(127));
        }
    }

    #[test]
    fn every_level_quantises_to_the_same_bits() {
        let x: Vec<f32> = wave(1024).iter().enumerate().map(|(i, x)| x * 10f32.powi(i as i32 % 7 - 3)).collect();
        let portable = CpuLevel::by_name("portable").unwrap();
        for level in CpuLevel::available() {
            for format in [ActFormat::F32, ActFormat::Q8x32, ActFormat::Q8x256] {
                let (a, b) = (acts(portable, format, &x, 512), acts(level, format, &x, 512));
                let text = |acts: &Acts| format!("{:?}{:?}{:?}", acts.floats, acts.groups, acts.blocks);
                assert!(text(&a) == text(&b), "{} {format:?}", level.name());
            }
        }
    }

    #[test]
    fn values_that_are_not_finite_are_seen_in_the_scale_and_tiny_ones_become_zero() {
        for (value, scale_is_nan) in
            [(f32::NAN, true), (f32::INFINITY, true), (f32::NEG_INFINITY, true), (1e-38, false)]
        {
            let mut x = vec![0.0; 256];
            x[77] = value;
            for level in CpuLevel::available() {
                let by_32 = acts(level, ActFormat::Q8x32, &x, 256);
                let group = &by_32.groups(0)[0];
                assert_eq!(group.scales[2].is_nan(), scale_is_nan);
                assert_eq!((group.quants[2], group.sums[2], group.scales[1]), ([0; 32], 0, 0.0));
                let by_256 = acts(level, ActFormat::Q8x256, &x, 256);
                assert_eq!(by_256.blocks(0)[0].scale.is_nan(), scale_is_nan);
            }
        }
    }

    #[test]
    fn gathered_columns_are_those_asked_for() {
        let x = wave(4 * 64);
        for format in [ActFormat::F32, ActFormat::Q8x32] {
            let all = acts(CpuLevel::detect(), format, &x, 64);
            let mut some = Acts::default();
            some.gather(&all, [3, 0, 3].into_iter());
            let picked: Vec<f32> = [3, 0, 3].iter().flat_map(|c| x[c * 64..][..64].to_vec()).collect();
            let want = acts(CpuLevel::detect(), format, &picked, 64);
            assert_eq!(some.columns(), 3);
            assert_eq!(format!("{some:?}"), format!("{want:?}"));
        }
    }
}
