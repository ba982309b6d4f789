//! Q5_K: 256 weights in 176 bytes, eight sub-blocks of 32 five-bit quants with 6-bit scales and 6-bit minimums:
//! `w = (d * scale) * q - dmin * min`.

use bytemuck::{Pod, Zeroable};

use super::k_dot::{self, KBlock, KDot, Sink, SumUse};
use super::q4_k::Head;
use super::simd::Isa;
use super::{Format, GgmlType};

/// One block as it stands in the file (ggml's `block_q5_K`).
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ5_K {
    head: Head,
    /// The fifth bit of weight `32 j + i` is bit j of byte i.
    qh: [u8; 32],
    /// Byte i of row r: low four bits of weight `64 r + i` in the low nibble, of `64 r + 32 + i` in the high one.
    qs: [[u8; 32]; 4],
}

const _: () = assert!(size_of::<BlockQ5_K>() == 176);

pub(super) const Q5_K: Format = Format::new::<KDot<BlockQ5_K>>(GgmlType::Q5_K, k_dot::dequantize::<BlockQ5_K>);

impl KBlock for BlockQ5_K {
    const SIGNED: bool = false;
    const SUM_USE: SumUse = SumUse::Minimum;

    #[inline(always)]
    fn deltas(&self) -> [u16; 2] {
        self.head.deltas()
    }

    fn dequantize(&self, out: &mut [f32; 256]) {
        for (s, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (scale, min) = self.head.scale_min(s);
            for ((out, low), high) in out.iter_mut().zip(self.qs[s / 2]).zip(self.qh) {
                *out = scale * f32::from(low >> (4 * (s % 2)) & 15 | (high >> s & 1) << 4) - min;
            }
        }
    }

    /// Quants are below 32: pair sums within 7874.
    #[inline(always)]
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int {
        let (nibble, fifth) = (isa.splat_u8(15), isa.splat_u8(16));
        let unpacked = self.head.unpack(isa);
        let high = isa.load_u8(&self.qh);
        let highs = [
            [isa.shl_u16::<4>(high), isa.shl_u16::<3>(high)],
            [isa.shl_u16::<2>(high), isa.shl_u16::<1>(high)],
            [high, isa.shr_u16::<1>(high)],
            [isa.shr_u16::<2>(high), isa.shr_u16::<3>(high)],
        ];
        for (r, (low, high)) in self.qs.iter().zip(highs).enumerate() {
            let low = isa.load_u8(low);
            let low = [isa.and(low, nibble), isa.and(isa.shr_u16::<4>(low), nibble)];
            for side in 0..2 {
                let q = isa.or(low[side], isa.and(high[side], fifth));
                sink.take(2 * r + side, q, Head::scale(isa, unpacked, 2 * r + side));
            }
        }
        Head::mins(isa, unpacked)
    }
}
