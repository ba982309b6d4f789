//! Q3_K: 256 weights in 110 bytes, sixteen sub-blocks of 16 three-bit quants with signed 6-bit scales:
//! `w = (d * (scale - 32)) * (q - 4)`.

use bytemuck::{Pod, Zeroable};

use super::float::f16_to_f32;
use super::k_dot::{self, EVEN_ODD, IN_ORDER, KBlock, KDot, SPREAD_I16, Sink, SumUse};
use super::simd::Isa;
use super::{Format, GgmlType};

/// One block as it stands in the file (ggml's `block_q3_K`).
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ3_K {
    /// The third bit of weight `32 j + i` is bit j of byte i.
    hmask: [u8; 32],
    /// The two low bits of weight `128 h + 32 k + i` are bits `2k` and `2k + 1` of byte i of half h.
    qs: [[u8; 32]; 2],
    /// Low four bits of scale s: a nibble of byte `s % 8`, the high one from s = 8 on.
    scales_low: [u8; 8],
    /// High two bits of scale s: bits `2 (s / 4)..` of byte `s % 4`.
    scales_high: [u8; 4],
    d: [u8; 2],
}

const _: () = assert!(size_of::<BlockQ3_K>() == 110);

pub(super) const Q3_K: Format = Format::new::<KDot<BlockQ3_K>>(GgmlType::Q3_K, k_dot::dequantize::<BlockQ3_K>);

impl BlockQ3_K {
    /// The scale of sub-block `s`, -32 to 31.
    fn scale(&self, s: usize) -> i8 {
        let low = self.scales_low[s % 8] >> (4 * (s / 8)) & 15;
        let high = self.scales_high[s % 4] >> (2 * (s / 4)) & 3;
        (low | high << 4).cast_signed() - 32
    }
}

impl KBlock for BlockQ3_K {
    const SIGNED: bool = false;
    const SUM_USE: SumUse = SumUse::Offset;

    fn deltas(&self) -> [u16; 2] {
        [u16::from_le_bytes(self.d), 0]
    }

    fn dequantize(&self, out: &mut [f32; 256]) {
        let d = f16_to_f32(u16::from_le_bytes(self.d));
        for (sub, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let (half, j, side) = (sub / 8, sub / 2, sub % 2);
            let scale = d * f32::from(self.scale(sub));
            for (i, out) in out.iter_mut().enumerate() {
                let low = self.qs[half][16 * side + i] >> (2 * (j % 4)) & 3;
                let high = self.hmask[16 * side + i] >> j & 1;
                *out = scale * f32::from((low | high << 2).cast_signed() - 4);
            }
        }
    }

    /// Quants are below 8: pair sums within 1778. The offset of 4 goes through the sums of the activations.
    #[inline(always)]
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int {
        // Dwords [low 0..4, low 4..8, the same, their high nibbles] and the high bits, two further for each dword.
        let low = isa.splat_u64(u64::from_le_bytes(self.scales_low));
        let low = isa.and(isa.shr_u32_by(low, isa.load_i32(&[0, 0, 4, 4, 0, 0, 4, 4])), isa.splat_u8(15));
        let high = isa.splat_i32(i32::from_le_bytes(self.scales_high));
        let high = isa.and(isa.shr_u32_by(high, isa.load_i32(&[0, 2, 4, 6, 0, 2, 4, 6])), isa.splat_u8(3));
        let bytes = isa.or(low, isa.shl_u16::<4>(high));
        let offset = isa.splat_i16(32);
        let scales = isa.sub_i16(isa.lookup(bytes, isa.load_u8(&EVEN_ODD)), offset);

        let high = isa.load_u8(&self.hmask);
        let low = [isa.load_u8(&self.qs[0]), isa.load_u8(&self.qs[1])];
        let vectors = [
            (low[0], isa.shl_u16::<2>(high)),
            (isa.shr_u16::<2>(low[0]), isa.shl_u16::<1>(high)),
            (isa.shr_u16::<4>(low[0]), high),
            (isa.shr_u16::<6>(low[0]), isa.shr_u16::<1>(high)),
            (low[1], isa.shr_u16::<2>(high)),
            (isa.shr_u16::<2>(low[1]), isa.shr_u16::<3>(high)),
            (isa.shr_u16::<4>(low[1]), isa.shr_u16::<4>(high)),
            (isa.shr_u16::<6>(low[1]), isa.shr_u16::<5>(high)),
        ];
        let (two_bits, third) = (isa.splat_u8(3), isa.splat_u8(4));
        for (j, (low, high)) in vectors.into_iter().enumerate() {
            let q = isa.or(isa.and(low, two_bits), isa.and(high, third));
            sink.take(j, q, isa.lookup_pairs(scales, &SPREAD_I16[j]));
        }

        isa.shl_u16::<2>(isa.sub_i16(isa.lookup(bytes, isa.load_u8(&IN_ORDER)), offset))
    }
}
