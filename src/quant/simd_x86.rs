//! The x86-64 levels: AVX2, and AVX-512 (the 256-bit forms, for their integer dot products).
//!
//! The methods call instructions that the compiler may not use by itself. They are sound because a token exists only
//! where detection found all of its level's features, and fast because they are inlined into [`Isa::vectorize`]'s
//! function, which has those features enabled.

use std::arch::x86_64::*;

use super::simd::{Isa, PREFETCH_AHEAD, Task};

/// Token of a CPU with AVX2 and F16C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

/// Token of a CPU with AVX2, F16C and AVX-512 F, BW, DQ, VL and VNNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

impl Avx2 {
    /// The token, if this CPU has the features.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c")).then_some(Self(()))
    }
}

impl Avx512 {
    /// The token, if this CPU has the features.
    pub fn detect() -> Option<Self> {
        (Avx2::detect().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni"))
        .then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,f16c")]
fn run_avx2<T: Task>(isa: Avx2, task: T) -> T::Output {
    task.run(isa)
}

#[target_feature(enable = "avx2,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn run_avx512<T: Task>(isa: Avx512, task: T) -> T::Output {
    task.run(isa)
}

/// See [`Isa::sums_i32`].
#[inline]
#[target_feature(enable = "avx2")]
fn sums_i32(v: [__m256i; 8]) -> __m256i {
    // Each step joins two vectors into one with half of their partial sums each. After two steps lane j of a half belongs
    // to vector j of the four; the halves meet in a permutation.
    let by_32 = |a, b| _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let by_64 = |a, b| _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let low = by_64(by_32(v[0], v[1]), by_32(v[2], v[3]));
    let high = by_64(by_32(v[4], v[5]), by_32(v[6], v[7]));
    _mm256_add_epi32(_mm256_permute2x128_si256::<0x20>(low, high), _mm256_permute2x128_si256::<0x31>(low, high))
}

/// See [`Isa::max_abs_bits`].
#[inline]
#[target_feature(enable = "avx2")]
fn max_abs_bits(v: &[__m256; 4]) -> u32 {
    let magnitude = _mm256_set1_epi32(i32::MAX);
    let abs = |v| _mm256_and_si256(_mm256_castps_si256(v), magnitude);
    let m = _mm256_max_epi32(_mm256_max_epi32(abs(v[0]), abs(v[1])), _mm256_max_epi32(abs(v[2]), abs(v[3])));
    let m = _mm_max_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256::<1>(m));
    let m = _mm_max_epi32(m, _mm_unpackhi_epi64(m, m));
    _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32::<1>(m))).cast_unsigned()
}

/// See [`Isa::round_to_i8`].
#[inline]
#[target_feature(enable = "avx2")]
fn round_to_i8(v: [__m256; 4]) -> __m256i {
    // The portable level's rounding: adding 1.5 * 2^23 leaves the rounded integer in the low mantissa bits.
    let magic = _mm256_set1_ps(12_582_912.0);
    let int = |v| _mm256_sub_epi32(_mm256_castps_si256(_mm256_add_ps(v, magic)), _mm256_castps_si256(magic));
    let a = _mm256_packs_epi32(int(v[0]), int(v[1]));
    let b = _mm256_packs_epi32(int(v[2]), int(v[3]));
    // The packs work within halves: put the groups of four back in order.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order)
}

/// Methods of a token, each one expression of its level's instructions.
macro_rules! ops {
    ($(fn $name:ident $(<const $n:ident: i32>)? ($self:ident $(, $arg:ident: $ty:ty)*) -> $ret:ty { $($body:tt)* })*) => {$(
        #[inline(always)]
        fn $name $(<const $n: i32>)? ($self $(, $arg: $ty)*) -> $ret {
            // SAFETY: the token was made by detection of every feature these instructions need; loads and stores go
            // through references to arrays of the vector's size and are the unaligned forms.
            unsafe { $($body)* }
        }
    )*};
}

/// The operations that both levels share.
macro_rules! avx2_ops {
    () => {
        type Int = __m256i;
        type Float = __m256;

        ops! {
            fn prefetch(self, v: &[u8]) -> () {
                // Never a fault, whatever the address.
                for line in (PREFETCH_AHEAD..PREFETCH_AHEAD + v.len()).step_by(64) {
                    _mm_prefetch::<_MM_HINT_T0>(v.as_ptr().wrapping_add(line).cast());
                }
            }

            fn load_u8(self, v: &[u8; 32]) -> __m256i { _mm256_loadu_si256(v.as_ptr().cast()) }
            fn load_i8(self, v: &[i8; 32]) -> __m256i { _mm256_loadu_si256(v.as_ptr().cast()) }
            fn load_i16(self, v: &[i16; 16]) -> __m256i { _mm256_loadu_si256(v.as_ptr().cast()) }
            fn load_i32(self, v: &[i32; 8]) -> __m256i { _mm256_loadu_si256(v.as_ptr().cast()) }
            fn splat_u8(self, v: u8) -> __m256i { _mm256_set1_epi8(v.cast_signed()) }
            fn splat_i16(self, v: i16) -> __m256i { _mm256_set1_epi16(v) }
            fn splat_i32(self, v: i32) -> __m256i { _mm256_set1_epi32(v) }
            fn splat_u64(self, v: u64) -> __m256i { _mm256_set1_epi64x(v.cast_signed()) }
            fn store_u8(self, v: __m256i) -> [u8; 32] {
                let mut out = [0; 32];
                _mm256_storeu_si256(out.as_mut_ptr().cast(), v);
                out
            }
            fn store_i8(self, v: __m256i) -> [i8; 32] {
                let mut out = [0; 32];
                _mm256_storeu_si256(out.as_mut_ptr().cast(), v);
                out
            }
            fn store_i32(self, v: __m256i) -> [i32; 8] {
                let mut out = [0; 8];
                _mm256_storeu_si256(out.as_mut_ptr().cast(), v);
                out
            }
            fn twice(self, v: &[u8; 16]) -> __m256i { _mm256_broadcastsi128_si256(_mm_loadu_si128(v.as_ptr().cast())) }
            fn concat(self, low: &[u8; 16], high: &[u8; 16]) -> __m256i {
                _mm256_set_m128i(_mm_loadu_si128(high.as_ptr().cast()), _mm_loadu_si128(low.as_ptr().cast()))
            }
            fn nibbles(self, v: &[u8; 16]) -> __m256i {
                let v = _mm_loadu_si128(v.as_ptr().cast());
                _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16::<4>(v), v), _mm256_set1_epi8(15))
            }
            fn widen_i8(self, v: &[i8; 16]) -> __m256i { _mm256_cvtepi8_epi16(_mm_loadu_si128(v.as_ptr().cast())) }
            fn widen_u8(self, v: &[u8; 16]) -> __m256i { _mm256_cvtepu8_epi16(_mm_loadu_si128(v.as_ptr().cast())) }
            fn halves_i16(self, low: i16, high: i16) -> __m256i {
                _mm256_set_m128i(_mm_set1_epi16(high), _mm_set1_epi16(low))
            }

            fn and(self, a: __m256i, b: __m256i) -> __m256i { _mm256_and_si256(a, b) }
            fn or(self, a: __m256i, b: __m256i) -> __m256i { _mm256_or_si256(a, b) }
            fn xor(self, a: __m256i, b: __m256i) -> __m256i { _mm256_xor_si256(a, b) }
            fn add_i8(self, a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi8(a, b) }
            fn sub_i8(self, a: __m256i, b: __m256i) -> __m256i { _mm256_sub_epi8(a, b) }
            fn add_i16(self, a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi16(a, b) }
            fn sub_i16(self, a: __m256i, b: __m256i) -> __m256i { _mm256_sub_epi16(a, b) }
            fn add_i32(self, a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi32(a, b) }
            fn sub_i32(self, a: __m256i, b: __m256i) -> __m256i { _mm256_sub_epi32(a, b) }
            fn mul_i32(self, a: __m256i, b: __m256i) -> __m256i { _mm256_mullo_epi32(a, b) }
            fn abs_i8(self, a: __m256i) -> __m256i { _mm256_abs_epi8(a) }
            fn sign_i8(self, a: __m256i, sign: __m256i) -> __m256i { _mm256_sign_epi8(a, sign) }
            fn shr_u16<const N: i32>(self, a: __m256i) -> __m256i { _mm256_srli_epi16::<N>(a) }
            fn shl_u16<const N: i32>(self, a: __m256i) -> __m256i { _mm256_slli_epi16::<N>(a) }
            fn shr_u32_by(self, a: __m256i, counts: __m256i) -> __m256i { _mm256_srlv_epi32(a, counts) }
            fn lookup(self, table: __m256i, index: __m256i) -> __m256i { _mm256_shuffle_epi8(table, index) }

            fn mul_pairs_u8(self, a: __m256i, b: __m256i) -> __m256i { _mm256_maddubs_epi16(a, b) }
            fn mul_pairs_i16(self, a: __m256i, b: __m256i) -> __m256i { _mm256_madd_epi16(a, b) }
            fn sum_i32(self, a: __m256i) -> i32 {
                let v = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
                let v = _mm_add_epi32(v, _mm_unpackhi_epi64(v, v));
                _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32::<1>(v)))
            }
            fn sums_i32(self, v: [__m256i; 8]) -> __m256i { sums_i32(v) }

            fn load_f32(self, v: &[f32; 8]) -> __m256 { _mm256_loadu_ps(v.as_ptr()) }
            fn load_f16(self, v: &[u16; 8]) -> __m256 { _mm256_cvtph_ps(_mm_loadu_si128(v.as_ptr().cast())) }
            fn load_bf16(self, v: &[u16; 8]) -> __m256 {
                let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(v.as_ptr().cast()));
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
            }
            fn splat_f32(self, v: f32) -> __m256 { _mm256_set1_ps(v) }
            fn store_f32(self, v: __m256) -> [f32; 8] {
                let mut out = [0.0; 8];
                _mm256_storeu_ps(out.as_mut_ptr(), v);
                out
            }
            fn to_f32(self, v: __m256i) -> __m256 { _mm256_cvtepi32_ps(v) }
            fn add_f32(self, a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
            fn sub_f32(self, a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
            fn mul_f32(self, a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
            fn sum_f32(self, a: __m256) -> f32 {
                let v = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
                let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
                _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
            }
            fn sum_halves_f32(self, a: __m256) -> [f32; 2] {
                let v = _mm256_add_ps(a, _mm256_permute_ps::<0b1110>(a));
                let v = _mm256_add_ps(v, _mm256_movehdup_ps(v));
                [_mm256_cvtss_f32(v), _mm_cvtss_f32(_mm256_extractf128_ps::<1>(v))]
            }
            fn max_abs_bits(self, v: &[__m256; 4]) -> u32 { max_abs_bits(v) }
            fn round_to_i8(self, v: [__m256; 4]) -> __m256i { round_to_i8(v) }
        }
    };
}

impl Isa for Avx2 {
    avx2_ops!();

    #[inline(always)]
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        // SAFETY: the token was made by detection of every feature that the function enables.
        unsafe { run_avx2(self, task) }
    }

    ops! {
        fn expand_bits(self, bits: u32) -> __m256i {
            // Byte i gets byte i / 8 of the bits, of which bit i % 8 is kept.
            let spread = _mm256_setr_epi64x(
                0,
                0x0101_0101_0101_0101,
                0x0202_0202_0202_0202,
                0x0303_0303_0303_0303,
            );
            let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
            let v = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), spread);
            _mm256_cmpeq_epi8(_mm256_and_si256(v, bit), bit)
        }
        fn dot_u8(self, acc: __m256i, a: __m256i, b: __m256i) -> __m256i {
            _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)))
        }
        fn scaled_dot_u8(self, acc: __m256i, a: __m256i, b: __m256i, scale: __m256i) -> __m256i {
            _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), scale))
        }
    }
}

impl Isa for Avx512 {
    avx2_ops!();

    #[inline(always)]
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        // SAFETY: the token was made by detection of every feature that the function enables.
        unsafe { run_avx512(self, task) }
    }

    ops! {
        fn expand_bits(self, bits: u32) -> __m256i { _mm256_movm_epi8(bits) }
        fn dot_u8(self, acc: __m256i, a: __m256i, b: __m256i) -> __m256i { _mm256_dpbusd_epi32(acc, a, b) }
        fn scaled_dot_u8(self, acc: __m256i, a: __m256i, b: __m256i, scale: __m256i) -> __m256i {
            _mm256_dpwssd_epi32(acc, _mm256_maddubs_epi16(a, b), scale)
        }
    }
}
