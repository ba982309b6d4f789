//! The vector layer: one trait over 256-bit vectors, so that a kernel is written once and runs at every CPU level.
//!
//! A kernel is a [`Task`]: safe code, generic over [`Isa`] and `#[inline(always)]` throughout. [`Isa::vectorize`] enters
//! it through a function that has the level's instructions enabled, where everything is inlined. The values of an
//! [`Isa`] are tokens: that of an instruction set is made by detection only, so holding one proves that the CPU has it.
//!
//! Every operation gives the same bits at every level, so kernels do too. Integer vectors ([`Isa::Int`]) are untyped;
//! each operation names the lanes it works on.

/// Work that runs with a level's instructions enabled.
///
/// Implementations mark `run`, and every function below it that touches a vector, `#[inline(always)]`, and handle
/// vectors outside of closures: what is not inlined runs without the level's instructions, correct but many times slower.
pub trait Task {
    /// What the work gives.
    type Output;
    /// Does the work.
    fn run<S: Isa>(self, isa: S) -> Self::Output;
}

/// How far ahead of the weights in use [`Isa::prefetch`] asks for more: far enough for a memory's latency at its line
/// rate. From 2 KiB on, decode from memory gained 8 to 20 % on Zen 3, on top of the hardware's own prefetching.
pub const PREFETCH_AHEAD: usize = 2048;

/// The operations on 256-bit vectors that kernels are made of.
///
/// Lanes count from the lowest address. "Halves" are the two groups of 16 bytes. Integer sums wrap.
#[allow(missing_docs)] // the short names of lane-wise arithmetic say all there is to say
pub trait Isa: Copy + Send + Sync + std::fmt::Debug + 'static {
    /// 256 bits of integer lanes.
    type Int: Copy;
    /// Eight f32 lanes.
    type Float: Copy;

    /// Runs `task` with this level's instructions enabled.
    fn vectorize<T: Task>(self, task: T) -> T::Output;

    /// Hints that the memory [`PREFETCH_AHEAD`] bytes behind `v`, as much as `v` has, will be read soon. It need not exist.
    fn prefetch(self, v: &[u8]);

    // ---- Integers in and out ----

    fn load_u8(self, v: &[u8; 32]) -> Self::Int;
    fn load_i8(self, v: &[i8; 32]) -> Self::Int;
    fn load_i16(self, v: &[i16; 16]) -> Self::Int;
    fn load_i32(self, v: &[i32; 8]) -> Self::Int;
    fn splat_u8(self, v: u8) -> Self::Int;
    fn splat_i16(self, v: i16) -> Self::Int;
    fn splat_i32(self, v: i32) -> Self::Int;
    fn splat_u64(self, v: u64) -> Self::Int;
    fn store_u8(self, v: Self::Int) -> [u8; 32];
    fn store_i8(self, v: Self::Int) -> [i8; 32];
    fn store_i32(self, v: Self::Int) -> [i32; 8];
    /// The same 16 bytes in both halves.
    fn twice(self, v: &[u8; 16]) -> Self::Int;
    /// `low` in the first half, `high` in the second.
    fn concat(self, low: &[u8; 16], high: &[u8; 16]) -> Self::Int;
    /// Low nibbles in the first half, high nibbles in the second.
    fn nibbles(self, v: &[u8; 16]) -> Self::Int;
    /// 32 bytes: 0xFF where bit i is set, else 0.
    fn expand_bits(self, bits: u32) -> Self::Int;
    /// 16 i16 lanes from 16 signed bytes.
    fn widen_i8(self, v: &[i8; 16]) -> Self::Int;
    /// 16 i16 lanes from 16 unsigned bytes.
    fn widen_u8(self, v: &[u8; 16]) -> Self::Int;
    /// `low` in the eight i16 lanes of the first half, `high` in those of the second.
    fn halves_i16(self, low: i16, high: i16) -> Self::Int;

    // ---- Integer arithmetic ----

    fn and(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn or(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn xor(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn add_i8(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn sub_i8(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn add_i16(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn sub_i16(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn add_i32(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn sub_i32(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn mul_i32(self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// Absolute bytes; -128 becomes 128, unsigned.
    fn abs_i8(self, a: Self::Int) -> Self::Int;
    /// `a`, `-a` or 0 in each byte, as `sign` is positive, negative or 0.
    fn sign_i8(self, a: Self::Int, sign: Self::Int) -> Self::Int;
    /// Shifts u16 lanes right by `N` bits; what crosses a byte must be masked away.
    fn shr_u16<const N: i32>(self, a: Self::Int) -> Self::Int;
    /// Shifts u16 lanes left by `N` bits; what crosses a byte must be masked away.
    fn shl_u16<const N: i32>(self, a: Self::Int) -> Self::Int;
    /// Shifts each u32 lane right by its own count, which is below 32; what crosses a byte must be masked away.
    fn shr_u32_by(self, a: Self::Int, counts: Self::Int) -> Self::Int;
    /// Byte i is the byte of `table`'s same half at `index` i, which is below 16, or 0 where `index` i is 128.
    fn lookup(self, table: Self::Int, index: Self::Int) -> Self::Int;
    /// [`Isa::lookup`] where the index repeats after two bytes within each half: one i16 to all lanes of a half.
    #[inline(always)]
    fn lookup_pairs(self, table: Self::Int, index: &[u8; 32]) -> Self::Int {
        self.lookup(table, self.load_u8(index))
    }

    // ---- Dot products: exact, and each product goes to a lane of its own half; which lane is the level's choice ----

    /// i16 lanes: sums of two products u8 x i8. Every such sum must fit an i16 (u8 up to 128 and i8 within -127..=127 do).
    fn mul_pairs_u8(self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// i32 lanes: sums of two products i16 x i16.
    fn mul_pairs_i16(self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// i32 lanes: `acc` + sums of four products u8 x i8; the range of [`Isa::mul_pairs_u8`].
    fn dot_u8(self, acc: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int;
    /// i32 lanes: `acc` + sums of four products of signed bytes, `b` within -127..=127.
    #[inline(always)]
    fn dot_i8(self, acc: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int {
        self.dot_u8(acc, self.abs_i8(a), self.sign_i8(b, a))
    }
    /// i32 lanes: `acc` + sums of two products of `scale` (i16 lanes, all the same in a half) and the pair sums of
    /// [`Isa::mul_pairs_u8`]`(a, b)`.
    fn scaled_dot_u8(self, acc: Self::Int, a: Self::Int, b: Self::Int, scale: Self::Int) -> Self::Int;
    /// Sum of the eight i32 lanes.
    fn sum_i32(self, a: Self::Int) -> i32;
    /// Lane i is the sum of the eight i32 lanes of `v[i]`.
    fn sums_i32(self, v: [Self::Int; 8]) -> Self::Int;

    // ---- Floats; multiply and add are never fused ----

    fn load_f32(self, v: &[f32; 8]) -> Self::Float;
    /// Eight f16, given by their bits.
    fn load_f16(self, v: &[u16; 8]) -> Self::Float;
    /// Eight bf16, given by their bits.
    fn load_bf16(self, v: &[u16; 8]) -> Self::Float;
    fn splat_f32(self, v: f32) -> Self::Float;
    fn store_f32(self, v: Self::Float) -> [f32; 8];
    /// i32 lanes to the nearest f32.
    fn to_f32(self, v: Self::Int) -> Self::Float;
    fn add_f32(self, a: Self::Float, b: Self::Float) -> Self::Float;
    fn sub_f32(self, a: Self::Float, b: Self::Float) -> Self::Float;
    fn mul_f32(self, a: Self::Float, b: Self::Float) -> Self::Float;
    /// The eight lanes as `((0+4)+(2+6)) + ((1+5)+(3+7))`.
    fn sum_f32(self, a: Self::Float) -> f32;
    /// The four lanes of each half as `(0+2) + (1+3)`: [`Isa::sum_f32`] of the half with four lanes of +0 behind it.
    fn sum_halves_f32(self, a: Self::Float) -> [f32; 2];
    /// Bits of the largest absolute value over all lanes of `v`: any NaN is above infinity, infinity above all numbers.
    fn max_abs_bits(self, v: &[Self::Float; 4]) -> u32;
    /// 32 signed bytes: the values of `v` in order, rounded to the nearest integer, ties to even; all within -127..=127.
    fn round_to_i8(self, v: [Self::Float; 4]) -> Self::Int;
}

pub use super::simd_portable::Portable;
#[cfg(target_arch = "x86_64")]
pub use super::simd_x86::{Avx2, Avx512};
