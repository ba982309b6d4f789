//! MXFP4: 32 weights as E2M1 floats of four bits, with a power of two as their scale (OCP Microscaling Formats 1.0).

use bytemuck::{Pod, Zeroable};

use super::block32::{self, Block32, Dot32};
use super::simd::Isa;
use super::{Format, GgmlType};

/// `2^(e - 127) * E2M1[q]`; the low nibbles are the first half of the block.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockMxfp4 {
    e: u8,
    qs: [u8; 16],
}

pub(super) const MXFP4: Format = Format::new::<Dot32<BlockMxfp4>>(GgmlType::MXFP4, block32::dequantize::<BlockMxfp4>);

/// Twice the E2M1 values of a nibble, plus 12: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives as unsigned integers.
const TWICE_E2M1: [u8; 16] = [12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0];

/// Half of `2^(e - 127)`, to go with the doubled values. The first two are subnormal; 255, which the format reserves for
/// NaN, is one power more, as in ggml.
const HALF_SCALES: [f32; 256] = {
    let mut scales = [0.0; 256];
    let mut e = 0;
    while e < 256 {
        scales[e] = f32::from_bits(if e < 2 { 0x0020_0000 << e } else { (e as u32 - 1) << 23 });
        e += 1;
    }
    scales
};

impl Block32 for BlockMxfp4 {
    const SIGNED: bool = false;
    const OFFSET: i32 = 12;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        isa.lookup(isa.twice(&TWICE_E2M1), isa.nibbles(&self.qs))
    }

    #[inline(always)]
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float {
        isa.load_f32(&std::array::from_fn(|i| HALF_SCALES[usize::from(blocks[i].e)]))
    }
}
