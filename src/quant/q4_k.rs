//! Q4_K: 256 weights in 144 bytes, eight sub-blocks of 32 four-bit quants with 6-bit scales and 6-bit minimums:
//! `w = (d * scale) * q - dmin * min`.

use bytemuck::{Pod, Zeroable};

use super::float::f16_to_f32;
use super::k_dot::{self, KBlock, KDot, Sink, SumUse};
use super::simd::Isa;
use super::{Format, GgmlType};

/// The first 16 bytes of Q4_K and Q5_K blocks.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Head(
    /// f16 `d`, f16 `dmin`, then twelve bytes of scales and minimums: bytes 0..4 and 4..8 hold the 6-bit scales and
    /// minimums of sub-blocks 0..4 and, in their top two bits, those of sub-blocks 4..8, whose low four bits are the low
    /// (scale) and high (minimum) nibbles of bytes 8..12.
    [u8; 16],
);

/// One block as it stands in the file (ggml's `block_q4_K`).
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct BlockQ4_K {
    head: Head,
    /// Byte i of row r: weight `64 r + i` in the low nibble, `64 r + 32 + i` in the high one.
    qs: [[u8; 32]; 4],
}

const _: () = assert!(size_of::<BlockQ4_K>() == 144);

pub(super) const Q4_K: Format = Format::new::<KDot<BlockQ4_K>>(GgmlType::Q4_K, k_dot::dequantize::<BlockQ4_K>);

/// `table(j)`: byte j to eight i16 lanes of each half.
const SCALES: [[u8; 32]; 8] = k_dot::sub_blocks(0);
/// The minimums, bytes 8..16 of the unpacked head, to the i16 lanes of sums over 16 weights: each twice.
const MINS: [u8; 32] = k_dot::zero_extended([8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15]);

impl Head {
    /// `[d, dmin]` as f16 bits.
    #[inline(always)]
    pub(super) fn deltas(&self) -> [u16; 2] {
        [u16::from_le_bytes([self.0[0], self.0[1]]), u16::from_le_bytes([self.0[2], self.0[3]])]
    }

    /// `(d * scale, dmin * min)` of sub-block `s`.
    pub(super) fn scale_min(&self, s: usize) -> (f32, f32) {
        let [d, dmin] = self.deltas().map(f16_to_f32);
        let (low, high) = self.0[4..].split_at(8);
        let (scale, min) = if s < 4 {
            (low[s] & 63, low[4 + s] & 63)
        } else {
            (high[s - 4] & 15 | low[s - 4] >> 2 & 48, high[s - 4] >> 4 | low[s] >> 2 & 48)
        };
        (d * f32::from(scale), dmin * f32::from(min))
    }

    /// In each half of the vector: the eight scales, then the eight minimums, as bytes.
    #[inline(always)]
    pub(super) fn unpack<I: Isa>(&self, isa: I) -> I::Int {
        const Z: u8 = 0x80;
        const LOW: [u8; 16] = [4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
        const HIGH: [u8; 16] = [Z, Z, Z, Z, 4, 5, 6, 7, Z, Z, Z, Z, 8, 9, 10, 11];
        const MASK: [u8; 16] = [63, 63, 63, 63, 15, 15, 15, 15, 63, 63, 63, 63, 15, 15, 15, 15];
        let head = isa.twice(&self.0);
        let low = isa.lookup(head, isa.twice(&LOW));
        let low = isa.and(isa.shr_u32_by(low, isa.load_i32(&[0, 0, 0, 4, 0, 0, 0, 4])), isa.twice(&MASK));
        let high = isa.shr_u16::<2>(isa.lookup(head, isa.twice(&HIGH)));
        isa.or(low, isa.and(high, isa.splat_u8(48)))
    }

    /// Scale of sub-block `s` in all i16 lanes.
    #[inline(always)]
    pub(super) fn scale<I: Isa>(isa: I, unpacked: I::Int, s: usize) -> I::Int {
        isa.lookup_pairs(unpacked, &SCALES[s])
    }

    /// The minimums in the i16 lanes of the sums over 16 weights.
    #[inline(always)]
    pub(super) fn mins<I: Isa>(isa: I, unpacked: I::Int) -> I::Int {
        isa.lookup(unpacked, isa.load_u8(&MINS))
    }
}

impl KBlock for BlockQ4_K {
    const SIGNED: bool = false;
    const SUM_USE: SumUse = SumUse::Minimum;

    #[inline(always)]
    fn deltas(&self) -> [u16; 2] {
        self.head.deltas()
    }

    fn dequantize(&self, out: &mut [f32; 256]) {
        for (s, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (scale, min) = self.head.scale_min(s);
            for (out, byte) in out.iter_mut().zip(self.qs[s / 2]) {
                *out = scale * f32::from(byte >> (4 * (s % 2)) & 15) - min;
            }
        }
    }

    /// Quants are below 16: pair sums within 3810.
    #[inline(always)]
    fn decode<I: Isa>(&self, isa: I, sink: &mut impl Sink<I>) -> I::Int {
        let nibble = isa.splat_u8(15);
        let unpacked = self.head.unpack(isa);
        for (r, qs) in self.qs.iter().enumerate() {
            let qs = isa.load_u8(qs);
            sink.take(2 * r, isa.and(qs, nibble), Head::scale(isa, unpacked, 2 * r));
            sink.take(2 * r + 1, isa.and(isa.shr_u16::<4>(qs), nibble), Head::scale(isa, unpacked, 2 * r + 1));
        }
        Head::mins(isa, unpacked)
    }
}
