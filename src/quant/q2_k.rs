//! Q2_K: 256 weights in 84 bytes, sixteen sub-blocks of 16 two-bit quants with 4-bit scales and 4-bit minimums:
//! `w = (d * scale) * q - dmin * min`.

use bytemuck::{Pod, Zeroable};

use super::float::f16_to_f32;
use super::k_dot::{self, IN_ORDER, KBlock, KDot, Sink, SumUse, sub_blocks};
use super::simd::Isa;
use super::{Format, GgmlType};

/// One block as it stands in the file (ggml's `block_q2_K`).
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ2_K {
    /// Scale in the low nibble, minimum in the high one, a byte per sub-block.
    scales: [u8; 16],
    /// Weight `128 h + 32 k + i` is in bits `2k` and `2k + 1` of byte i of half h.
    qs: [[u8; 32]; 2],
    d: [u8; 2],
    dmin: [u8; 2],
}

const _: () = assert!(size_of::<BlockQ2_K>() == 84);

pub(super) const Q2_K: Format = Format::new::<KDot<BlockQ2_K>>(GgmlType::Q2_K, k_dot::dequantize::<BlockQ2_K>);

/// Scale bytes to the i16 lanes of vector j: sub-blocks 2j and 2j + 1.
const SCALES: [[u8; 32]; 8] = sub_blocks(1);

impl KBlock for BlockQ2_K {
    const SIGNED: bool = false;
    const SUM_USE: SumUse = SumUse::Minimum;

    fn deltas(&self) -> [u16; 2] {
        [u16::from_le_bytes(self.d), u16::from_le_bytes(self.dmin)]
    }

    fn dequantize(&self, out: &mut [f32; 256]) {
        let [d, dmin] = self.deltas().map(f16_to_f32);
        for (sub, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let (half, k, side) = (sub / 8, sub / 2 % 4, sub % 2);
            let scale = d * f32::from(self.scales[sub] & 15);
            let min = dmin * f32::from(self.scales[sub] >> 4);
            for (out, byte) in out.iter_mut().zip(&self.qs[half][16 * side..]) {
                *out = scale * f32::from(byte >> (2 * k) & 3) - min;
            }
        }
    }

    /// Quants are below 4: pair sums within 762, and 256 of them with scales below 16 within 1.5 million.
    #[inline(always)]
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int {
        let (two_bits, nibble) = (isa.splat_u8(3), isa.splat_u8(15));
        let packed = isa.twice(&self.scales);
        let scales = isa.and(packed, nibble);
        for (half, qs) in self.qs.iter().enumerate() {
            let qs = isa.load_u8(qs);
            let shifted = [qs, isa.shr_u16::<2>(qs), isa.shr_u16::<4>(qs), isa.shr_u16::<6>(qs)];
            for (k, q) in shifted.into_iter().enumerate() {
                let scale = isa.lookup_pairs(scales, &SCALES[4 * half + k]);
                sink.take(4 * half + k, isa.and(q, two_bits), scale);
            }
        }
        let mins = isa.and(isa.shr_u16::<4>(packed), nibble);
        isa.lookup(mins, isa.load_u8(&IN_ORDER))
    }
}
