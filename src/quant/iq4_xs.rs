//! IQ4_XS: 256 weights in 136 bytes, eight sub-blocks of 32 four-bit indices into a table of signed bytes, with signed
//! 6-bit scales: `w = (d * (scale - 32)) * table[index]`.

use bytemuck::{Pod, Zeroable};

use super::float::f16_to_f32;
use super::iq4_nl::VALUES;
use super::k_dot::{self, KBlock, KDot, SPREAD_I16, Sink, SumUse, zero_extended};
use super::simd::Isa;
use super::{Format, GgmlType};

/// One block as it stands in the file (ggml's `block_iq4_xs`).
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockIQ4_XS {
    d: [u8; 2],
    /// High two bits of scale s: bits `2s` and `2s + 1`.
    scales_high: [u8; 2],
    /// Low four bits of scale s: nibble `s % 2` of byte `s / 2`.
    scales_low: [u8; 4],
    /// Byte i of sub-block s: weight `32 s + i` in the low nibble, `32 s + 16 + i` in the high one.
    qs: [[u8; 16]; 8],
}

const _: () = assert!(size_of::<BlockIQ4_XS>() == 136);

pub(super) const IQ4_XS: Format = Format::new::<KDot<BlockIQ4_XS>>(GgmlType::IQ4_XS, k_dot::dequantize::<BlockIQ4_XS>);

/// Unpacked scale bytes (even sub-blocks, then odd ones) to i16 lanes in order, in each half.
const SCALES_I16: [u8; 32] = zero_extended([0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7]);

impl BlockIQ4_XS {
    /// The scales without their offset, 0 to 63: bytes of the even sub-blocks, then of the odd ones.
    #[inline(always)]
    fn scales(&self) -> [u8; 8] {
        let low = u32::from_le_bytes(self.scales_low);
        // Nibble n of the high bits to byte n: bits of sub-block 2n below those of 2n + 1.
        let high = u32::from(u16::from_le_bytes(self.scales_high));
        let high = (high | high << 8) & 0x00FF_00FF;
        let high = (high | high << 4) & 0x0F0F_0F0F;
        let even = low & 0x0F0F_0F0F | high << 4 & 0x3030_3030;
        let odd = low >> 4 & 0x0F0F_0F0F | high << 2 & 0x3030_3030;
        (u64::from(even) | u64::from(odd) << 32).to_le_bytes()
    }
}

impl KBlock for BlockIQ4_XS {
    const SIGNED: bool = true;
    const SUM_USE: SumUse = SumUse::None;

    #[inline(always)]
    fn deltas(&self) -> [u16; 2] {
        [u16::from_le_bytes(self.d), 0]
    }

    fn dequantize(&self, out: &mut [f32; 256]) {
        let d = f16_to_f32(u16::from_le_bytes(self.d));
        let scales = self.scales();
        for (s, (out, qs)) in out.as_chunks_mut::<32>().0.iter_mut().zip(&self.qs).enumerate() {
            let scale = d * f32::from(scales[s / 2 + 4 * (s % 2)].cast_signed() - 32);
            for (i, out) in out.iter_mut().enumerate() {
                *out = scale * f32::from(VALUES[usize::from(qs[i % 16] >> (4 * (i / 16)) & 15)].cast_signed());
            }
        }
    }

    /// Values are within -127..=127: pair sums within 32258.
    #[inline(always)]
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int {
        let values = isa.twice(&VALUES);
        let scales = isa.lookup(isa.splat_u64(u64::from_le_bytes(self.scales())), isa.load_u8(&SCALES_I16));
        let scales = isa.sub_i16(scales, isa.splat_i16(32));
        for (s, qs) in self.qs.iter().enumerate() {
            let q = isa.lookup(values, isa.nibbles(qs));
            sink.take(s, q, isa.lookup_pairs(scales, &SPREAD_I16[s]));
        }
        scales
    }
}
