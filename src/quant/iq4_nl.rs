//! IQ4_NL: 32 weights as indices of a fixed table of 16 values, with a scale.

use bytemuck::{Pod, Zeroable};

use super::block32::{self, Block32, Dot32, f16s};
use super::simd::Isa;
use super::{Format, GgmlType};

/// The values of a nibble, ggml's `kvalues_iq4nl`; their bytes are unsigned only to be looked up.
pub(super) const VALUES: [u8; 16] = {
    let values: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
    let mut bytes = [0; 16];
    let mut i = 0;
    while i < 16 {
        bytes[i] = values[i].cast_unsigned();
        i += 1;
    }
    bytes
};

/// `d * VALUES[q]`; the low nibbles are the first half of the block.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockIq4Nl {
    d: [u8; 2],
    qs: [u8; 16],
}

pub(super) const IQ4_NL: Format = Format::new::<Dot32<BlockIq4Nl>>(GgmlType::IQ4_NL, block32::dequantize::<BlockIq4Nl>);

impl Block32 for BlockIq4Nl {
    const SIGNED: bool = true;

    #[inline(always)]
    fn quants<S: Isa>(&self, isa: S) -> S::Int {
        isa.lookup(isa.twice(&VALUES), isa.nibbles(&self.qs))
    }

    #[inline(always)]
    fn scales<S: Isa>(isa: S, blocks: &[Self; 8]) -> S::Float {
        f16s(isa, blocks, |b| b.d)
    }
}
