//! Q5_0 and Q5_1: 32 weights of five bits, with a scale and, in Q5_1, a minimum.

use bytemuck::{Pod, Zeroable};

use super::block32::{self, Block32, Dot32, f16s};
use super::simd::Isa;
use super::{Format, GgmlType};

/// `d * (q - 16)`; the low nibbles are the first half of the block, bit i of `qh` is the fifth bit of weight i.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ5_0 {
    d: [u8; 2],
    qh: [u8; 4],
    qs: [u8; 16],
}

/// `d * q + m`; bits as in Q5_0.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ5_1 {
    d: [u8; 2],
    m: [u8; 2],
    qh: [u8; 4],
    qs: [u8; 16],
}

pub(super) const Q5_0: Format = Format::new::<Dot32<BlockQ5_0>>(GgmlType::Q5_0, block32::dequantize::<BlockQ5_0>);
pub(super) const Q5_1: Format = Format::new::<Dot32<BlockQ5_1>>(GgmlType::Q5_1, block32::dequantize::<BlockQ5_1>);

#[inline(always)]
fn five_bits<S: Isa>(isa: S, qh: [u8; 4], qs: &[u8; 16]) -> S::Int {
    let high = isa.and(isa.expand_bits(u32::from_le_bytes(qh)), isa.splat_u8(16));
    isa.or(isa.nibbles(qs), high)
}

impl Block32 for BlockQ5_0 {
    const SIGNED: bool = false;
    const OFFSET: i32 = 16;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        five_bits(isa, self.qh, &self.qs)
    }

    #[inline(always)]
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float {
        f16s(isa, blocks, |b| b.d)
    }
}

impl Block32 for BlockQ5_1 {
    const SIGNED: bool = false;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        five_bits(isa, self.qh, &self.qs)
    }

    #[inline(always)]
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float {
        f16s(isa, blocks, |b| b.d)
    }

    #[inline(always)]
    fn mins<S: Isa>(isa: S, blocks: &[Self; 8]) -> Option<S::Float> {
        Some(f16s(isa, blocks, |b| b.m))
    }
}
