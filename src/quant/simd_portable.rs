//! The portable level: vectors as plain arrays, for CPUs without a level of their own, and as the definition of what
//! each operation gives.

use super::simd::{Isa, Task};

/// Token of the level that every CPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portable;

/// 256 bits as bytes.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub struct Bytes([u8; 32]);

/// Eight floats.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub struct Floats([f32; 8]);

/// An array with `value` at each index `i`, as a plain loop: compilers turn these into vectors, and leave some of the
/// closures of `array::from_fn` as calls.
macro_rules! lanes {
    ($i:ident => $value:expr) => {{
        let mut lanes = [Default::default(); _];
        let mut $i = 0;
        while $i < lanes.len() {
            lanes[$i] = $value;
            $i += 1;
        }
        lanes
    }};
}

/// 0xFF where the top bit is set, else 0.
#[inline(always)]
fn sign_mask(byte: u8) -> u8 {
    (byte.cast_signed() >> 7).cast_unsigned()
}

impl Bytes {
    #[inline(always)]
    fn i16s(self) -> [i16; 16] {
        bytemuck::cast(self.0)
    }

    #[inline(always)]
    fn i32s(self) -> [i32; 8] {
        bytemuck::cast(self.0)
    }

    #[inline(always)]
    fn from_i16s(v: [i16; 16]) -> Self {
        Self(bytemuck::cast(v))
    }

    #[inline(always)]
    fn from_i32s(v: [i32; 8]) -> Self {
        Self(bytemuck::cast(v))
    }
}

impl Isa for Portable {
    type Int = Bytes;
    type Float = Floats;

    #[inline(always)]
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }
    #[inline(always)]
    fn prefetch(self, _v: &[u8]) {}

    #[inline(always)]
    fn load_u8(self, v: &[u8; 32]) -> Bytes {
        Bytes(*v)
    }
    #[inline(always)]
    fn load_i8(self, v: &[i8; 32]) -> Bytes {
        Bytes(bytemuck::cast(*v))
    }
    #[inline(always)]
    fn load_i16(self, v: &[i16; 16]) -> Bytes {
        Bytes::from_i16s(*v)
    }
    #[inline(always)]
    fn load_i32(self, v: &[i32; 8]) -> Bytes {
        Bytes::from_i32s(*v)
    }
    #[inline(always)]
    fn splat_u8(self, v: u8) -> Bytes {
        Bytes([v; 32])
    }
    #[inline(always)]
    fn splat_i16(self, v: i16) -> Bytes {
        Bytes::from_i16s([v; 16])
    }
    #[inline(always)]
    fn splat_i32(self, v: i32) -> Bytes {
        Bytes::from_i32s([v; 8])
    }
    #[inline(always)]
    fn splat_u64(self, v: u64) -> Bytes {
        Bytes(bytemuck::cast([v.to_le(); 4]))
    }
    #[inline(always)]
    fn store_u8(self, v: Bytes) -> [u8; 32] {
        v.0
    }
    #[inline(always)]
    fn store_i8(self, v: Bytes) -> [i8; 32] {
        bytemuck::cast(v.0)
    }
    #[inline(always)]
    fn store_i32(self, v: Bytes) -> [i32; 8] {
        v.i32s()
    }
    #[inline(always)]
    fn twice(self, v: &[u8; 16]) -> Bytes {
        self.concat(v, v)
    }
    #[inline(always)]
    fn concat(self, low: &[u8; 16], high: &[u8; 16]) -> Bytes {
        Bytes(bytemuck::cast([*low, *high]))
    }
    #[inline(always)]
    fn nibbles(self, v: &[u8; 16]) -> Bytes {
        self.concat(&lanes!(i => v[i] & 15), &lanes!(i => v[i] >> 4))
    }
    #[inline(always)]
    fn expand_bits(self, bits: u32) -> Bytes {
        Bytes(lanes!(i => if bits >> i & 1 == 1 { 0xFF } else { 0 }))
    }
    #[inline(always)]
    fn widen_i8(self, v: &[i8; 16]) -> Bytes {
        Bytes::from_i16s(lanes!(i => i16::from(v[i])))
    }
    #[inline(always)]
    fn widen_u8(self, v: &[u8; 16]) -> Bytes {
        Bytes::from_i16s(lanes!(i => i16::from(v[i])))
    }
    #[inline(always)]
    fn halves_i16(self, low: i16, high: i16) -> Bytes {
        Bytes::from_i16s(bytemuck::cast([[low; 8], [high; 8]]))
    }

    #[inline(always)]
    fn and(self, a: Bytes, b: Bytes) -> Bytes {
        Bytes(lanes!(i => a.0[i] & b.0[i]))
    }
    #[inline(always)]
    fn or(self, a: Bytes, b: Bytes) -> Bytes {
        Bytes(lanes!(i => a.0[i] | b.0[i]))
    }
    #[inline(always)]
    fn xor(self, a: Bytes, b: Bytes) -> Bytes {
        Bytes(lanes!(i => a.0[i] ^ b.0[i]))
    }
    #[inline(always)]
    fn add_i8(self, a: Bytes, b: Bytes) -> Bytes {
        Bytes(lanes!(i => a.0[i].wrapping_add(b.0[i])))
    }
    #[inline(always)]
    fn sub_i8(self, a: Bytes, b: Bytes) -> Bytes {
        Bytes(lanes!(i => a.0[i].wrapping_sub(b.0[i])))
    }
    #[inline(always)]
    fn add_i16(self, a: Bytes, b: Bytes) -> Bytes {
        let (a, b) = (a.i16s(), b.i16s());
        Bytes::from_i16s(lanes!(i => a[i].wrapping_add(b[i])))
    }
    #[inline(always)]
    fn sub_i16(self, a: Bytes, b: Bytes) -> Bytes {
        let (a, b) = (a.i16s(), b.i16s());
        Bytes::from_i16s(lanes!(i => a[i].wrapping_sub(b[i])))
    }
    #[inline(always)]
    fn add_i32(self, a: Bytes, b: Bytes) -> Bytes {
        let (a, b) = (a.i32s(), b.i32s());
        Bytes::from_i32s(lanes!(i => a[i].wrapping_add(b[i])))
    }
    #[inline(always)]
    fn sub_i32(self, a: Bytes, b: Bytes) -> Bytes {
        let (a, b) = (a.i32s(), b.i32s());
        Bytes::from_i32s(lanes!(i => a[i].wrapping_sub(b[i])))
    }
    #[inline(always)]
    fn mul_i32(self, a: Bytes, b: Bytes) -> Bytes {
        let (a, b) = (a.i32s(), b.i32s());
        Bytes::from_i32s(lanes!(i => a[i].wrapping_mul(b[i])))
    }
    #[inline(always)]
    fn abs_i8(self, a: Bytes) -> Bytes {
        Bytes(lanes!(i => a.0[i].cast_signed().unsigned_abs()))
    }
    #[inline(always)]
    fn sign_i8(self, a: Bytes, sign: Bytes) -> Bytes {
        Bytes(lanes!(i => {
            let negative = sign_mask(sign.0[i]);
            let kept = if sign.0[i] == 0 { 0 } else { 0xFF };
            (a.0[i] ^ negative).wrapping_sub(negative) & kept
        }))
    }
    #[inline(always)]
    fn shr_u16<const N: i32>(self, a: Bytes) -> Bytes {
        let a = a.i16s();
        Bytes::from_i16s(lanes!(i => (a[i].cast_unsigned() >> N).cast_signed()))
    }
    #[inline(always)]
    fn shl_u16<const N: i32>(self, a: Bytes) -> Bytes {
        let a = a.i16s();
        Bytes::from_i16s(lanes!(i => a[i] << N))
    }
    #[inline(always)]
    fn shr_u32_by(self, a: Bytes, counts: Bytes) -> Bytes {
        let (a, counts) = (a.i32s(), counts.i32s());
        Bytes::from_i32s(lanes!(i => (a[i].cast_unsigned() >> (counts[i] & 31)).cast_signed()))
    }
    #[inline(always)]
    fn lookup(self, table: Bytes, index: Bytes) -> Bytes {
        Bytes(lanes!(i => table.0[(i & 16) + usize::from(index.0[i] & 15)] & !sign_mask(index.0[i])))
    }

    #[inline(always)]
    fn lookup_pairs(self, table: Bytes, index: &[u8; 32]) -> Bytes {
        let byte = |i: usize| table.0[(i & 16) + usize::from(index[i] & 15)] & !sign_mask(index[i]);
        let pair = |i: usize| i16::from_ne_bytes([byte(i), byte(i + 1)]);
        self.halves_i16(pair(0), pair(16))
    }

    #[inline(always)]
    fn mul_pairs_u8(self, a: Bytes, b: Bytes) -> Bytes {
        // Pairs that stand eight apart: plain lane-wise arithmetic, which compilers turn into vectors.
        let p: [i16; 32] = lanes!(i => i16::from(a.0[i]).wrapping_mul(i16::from(b.0[i].cast_signed())));
        Bytes::from_i16s(lanes!(i => p[i + (i & 8)].wrapping_add(p[i + (i & 8) + 8])))
    }
    #[inline(always)]
    fn mul_pairs_i16(self, a: Bytes, b: Bytes) -> Bytes {
        let (a, b) = (a.i16s(), b.i16s());
        let p: [i32; 16] = lanes!(i => i32::from(a[i]) * i32::from(b[i]));
        Bytes::from_i32s(lanes!(i => p[i + (i & 4)].wrapping_add(p[i + (i & 4) + 4])))
    }
    #[inline(always)]
    fn dot_u8(self, acc: Bytes, a: Bytes, b: Bytes) -> Bytes {
        self.scaled_dot_u8(acc, a, b, self.splat_i16(1))
    }
    #[inline(always)]
    fn scaled_dot_u8(self, acc: Bytes, a: Bytes, b: Bytes, scale: Bytes) -> Bytes {
        self.add_i32(acc, self.mul_pairs_i16(self.mul_pairs_u8(a, b), scale))
    }
    #[inline(always)]
    fn sum_i32(self, a: Bytes) -> i32 {
        let a = a.i32s();
        let a: [i32; 4] = lanes!(i => a[i].wrapping_add(a[i + 4]));
        a[0].wrapping_add(a[2]).wrapping_add(a[1].wrapping_add(a[3]))
    }
    #[inline(always)]
    fn sums_i32(self, v: [Bytes; 8]) -> Bytes {
        Bytes::from_i32s(lanes!(i => self.sum_i32(v[i])))
    }

    #[inline(always)]
    fn load_f32(self, v: &[f32; 8]) -> Floats {
        Floats(*v)
    }
    #[inline(always)]
    fn load_f16(self, v: &[u16; 8]) -> Floats {
        Floats(lanes!(i => super::float::f16_to_f32(v[i])))
    }
    #[inline(always)]
    fn load_bf16(self, v: &[u16; 8]) -> Floats {
        Floats(lanes!(i => super::float::bf16_to_f32(v[i])))
    }
    #[inline(always)]
    fn splat_f32(self, v: f32) -> Floats {
        Floats([v; 8])
    }
    #[inline(always)]
    fn store_f32(self, v: Floats) -> [f32; 8] {
        v.0
    }
    #[inline(always)]
    fn to_f32(self, v: Bytes) -> Floats {
        let v = v.i32s();
        Floats(lanes!(i => v[i] as f32))
    }
    #[inline(always)]
    fn add_f32(self, a: Floats, b: Floats) -> Floats {
        Floats(lanes!(i => a.0[i] + b.0[i]))
    }
    #[inline(always)]
    fn sub_f32(self, a: Floats, b: Floats) -> Floats {
        Floats(lanes!(i => a.0[i] - b.0[i]))
    }
    #[inline(always)]
    fn mul_f32(self, a: Floats, b: Floats) -> Floats {
        Floats(lanes!(i => a.0[i] * b.0[i]))
    }
    #[inline(always)]
    fn sum_f32(self, a: Floats) -> f32 {
        let a = a.0;
        ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]))
    }
    #[inline(always)]
    fn sum_halves_f32(self, a: Floats) -> [f32; 2] {
        let a = a.0;
        [(a[0] + a[2]) + (a[1] + a[3]), (a[4] + a[6]) + (a[5] + a[7])]
    }
    #[inline(always)]
    fn max_abs_bits(self, v: &[Floats; 4]) -> u32 {
        v.iter().flat_map(|v| v.0).map(|x| x.abs().to_bits()).fold(0, u32::max)
    }
    #[inline(always)]
    fn round_to_i8(self, v: [Floats; 4]) -> Bytes {
        // Adding 1.5 * 2^23 leaves the rounded integer in the low mantissa bits, in two's complement.
        Bytes(lanes!(i => (v[i / 8].0[i % 8] + 12_582_912.0).to_bits() as u8))
    }
}
