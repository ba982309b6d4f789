//! Q4_0 and Q4_1: 32 weights as nibbles, with a scale and, in Q4_1, a minimum.

use bytemuck::{Pod, Zeroable};

use super::block32::{self, Block32, Dot32, f16s};
use super::simd::Isa;
use super::{Format, GgmlType};

/// `d * (q - 8)`; the low nibbles are the first half of the block.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ4_0 {
    d: [u8; 2],
    qs: [u8; 16],
}

/// `d * q + m`; nibbles as in Q4_0.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ4_1 {
    d: [u8; 2],
    m: [u8; 2],
    qs: [u8; 16],
}

pub(super) const Q4_0: Format = Format::new::<Dot32<BlockQ4_0>>(GgmlType::Q4_0, block32::dequantize::<BlockQ4_0>);
pub(super) const Q4_1: Format = Format::new::<Dot32<BlockQ4_1>>(GgmlType::Q4_1, block32::dequantize::<BlockQ4_1>);

impl Block32 for BlockQ4_0 {
    const SIGNED: bool = false;
    const OFFSET: i32 = 8;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        isa.nibbles(&self.qs)
    }

    #[inline(always)]
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float {
        f16s(isa, blocks, |b| b.d)
    }
}

impl Block32 for BlockQ4_1 {
    const SIGNED: bool = false;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        isa.nibbles(&self.qs)
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
