//! Q6_K: 256 weights in 210 bytes, sixteen sub-blocks of 16 six-bit quants with signed 8-bit scales:
//! `w = (d * scale) * (q - 32)`.

use bytemuck::{Pod, Zeroable};

use super::float::f16_to_f32;
use super::k_dot::{self, EVEN_ODD, KBlock, KDot, SPREAD_I16, Sink, SumUse};
use super::simd::Isa;
use super::{Format, GgmlType};

/// One block as it stands in the file (ggml's `block_q6_K`).
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ6_K {
    /// Byte i of row `[h][r]`: low four bits of weight `128 h + 32 r + i` in the low nibble, of `128 h + 64 + 32 r + i` in the
    /// high one.
    ql: [[[u8; 32]; 2]; 2],
    /// The two high bits of weight `128 h + 32 k + i` are bits `2k` and `2k + 1` of byte i of half h.
    qh: [[u8; 32]; 2],
    scales: [i8; 16],
    d: [u8; 2],
}

const _: () = assert!(size_of::<BlockQ6_K>() == 210);

pub(super) const Q6_K: Format = Format::new::<KDot<BlockQ6_K>>(GgmlType::Q6_K, k_dot::dequantize::<BlockQ6_K>);

impl KBlock for BlockQ6_K {
    const SIGNED: bool = false;
    const SUM_USE: SumUse = SumUse::Offset;

    #[inline(always)]
    fn deltas(&self) -> [u16; 2] {
        [u16::from_le_bytes(self.d), 0]
    }

    fn dequantize(&self, out: &mut [f32; 256]) {
        let d = f16_to_f32(u16::from_le_bytes(self.d));
        for (sub, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let (half, k, side) = (sub / 8, sub / 2 % 4, sub % 2);
            let scale = d * f32::from(self.scales[sub]);
            for (i, out) in out.iter_mut().enumerate() {
                let low = self.ql[half][k % 2][16 * side + i] >> (4 * (k / 2)) & 15;
                let high = self.qh[half][16 * side + i] >> (2 * k) & 3;
                *out = scale * f32::from((low | high << 4).cast_signed() - 32);
            }
        }
    }

    /// Quants are below 64: pair sums within 16002. The offset of 32 goes through the sums of the activations.
    #[inline(always)]
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int {
        let (nibble, top) = (isa.splat_u8(15), isa.splat_u8(48));
        // Zero-extension of signed bytes: with their sign bit flipped they are 128 too large.
        let scales = isa.xor(isa.twice(bytemuck::cast_ref(&self.scales)), isa.splat_u8(0x80));
        let scales = isa.sub_i16(isa.lookup(scales, isa.load_u8(&EVEN_ODD)), isa.splat_i16(128));
        for half in 0..2 {
            let low = [isa.load_u8(&self.ql[half][0]), isa.load_u8(&self.ql[half][1])];
            let high = isa.load_u8(&self.qh[half]);
            let vectors = [
                (low[0], isa.shl_u16::<4>(high)),
                (low[1], isa.shl_u16::<2>(high)),
                (isa.shr_u16::<4>(low[0]), high),
                (isa.shr_u16::<4>(low[1]), isa.shr_u16::<2>(high)),
            ];
            for (k, (low, high)) in vectors.into_iter().enumerate() {
                let q = isa.or(isa.and(low, nibble), isa.and(high, top));
                sink.take(4 * half + k, q, isa.lookup_pairs(scales, &SPREAD_I16[4 * half + k]));
            }
        }
        isa.shl_u16::<5>(isa.widen_i8(&self.scales))
    }
}
