//! Q8_0: 32 weights as signed bytes with a scale.

use bytemuck::{Pod, Zeroable};

use super::block32::{self, Block32, Dot32, f16s};
use super::simd::Isa;
use super::{Format, GgmlType};

/// `d * q`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ8_0 {
    d: [u8; 2],
    qs: [i8; 32],
}

pub(super) const Q8_0: Format = Format::new::<Dot32<BlockQ8_0>>(GgmlType::Q8_0, block32::dequantize::<BlockQ8_0>);

impl Block32 for BlockQ8_0 {
    const SIGNED: bool = true;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        isa.load_i8(&self.qs)
    }

    #[inline(always)]
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float {
        f16s(isa, blocks, |b| b.d)
    }
}
