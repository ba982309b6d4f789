//! Every operation of every level this CPU has gives what the portable level gives.

use super::level::CpuLevel;
use super::simd::{Isa, Task};

/// Inputs of one round.
struct Inputs {
    a: [u8; 32],
    b: [u8; 32],
    floats: [f32; 32],
}

/// The results of all operations by name; of dot products what a half's lanes sum to, as their contract says.
struct EveryOperation<'a>(&'a Inputs);

fn halves(lanes: [i32; 8]) -> Vec<u8> {
    let (low, high) = lanes.split_at(4);
    [low, high].iter().flat_map(|half| half.iter().fold(0, |sum: i32, x| sum.wrapping_add(*x)).to_le_bytes()).collect()
}

fn halves_of_i16(bytes: [u8; 32]) -> Vec<u8> {
    let lanes: Vec<i32> = bytes.as_chunks().0.iter().map(|b| i32::from(i16::from_le_bytes(*b))).collect();
    lanes.chunks(8).flat_map(|half| half.iter().sum::<i32>().to_le_bytes()).collect()
}

impl Task for EveryOperation<'_> {
    type Output = Vec<(&'static str, Vec<u8>)>;

    #[inline(always)]
    fn run<S: Isa>(self, s: S) -> Self::Output {
        let Inputs { a: bytes, b: other, floats } = self.0;
        let (a, b) = (s.load_u8(bytes), s.load_u8(other));
        let (low, high): (&[u8; 16], &[u8; 16]) = (bytes[..16].try_into().unwrap(), other[16..].try_into().unwrap());
        let weights = s.and(a, s.splat_u8(127));
        let acts = s.load_i8(&other.map(|x| x.cast_signed().max(-127)));
        let scale = s.halves_i16(i16::from(bytes[0]) - 128, i16::from(bytes[1]) * 7);
        let (zero, index) = (s.splat_i32(0), s.and(b, s.splat_u8(15)));
        let ints = |v: S::Int| s.store_u8(v).to_vec();
        let real = |v: S::Float| s.store_f32(v).map(f32::to_le_bytes).as_flattened().to_vec();
        let eights = floats.as_chunks::<8>().0;
        let (x, y) = (s.load_f32(&eights[0]), s.load_f32(&eights[1]));
        let small = floats.map(|x| (x * 1e-3).clamp(-127.0, 127.0));
        let small = small.as_chunks::<8>().0;
        let four = [s.load_f32(&small[0]), s.load_f32(&small[1]), s.load_f32(&small[2]), s.load_f32(&small[3])];
        let all = [s.load_f32(&eights[0]), s.load_f32(&eights[1]), s.load_f32(&eights[2]), s.load_f32(&eights[3])];
        let halfs: [u16; 8] = std::array::from_fn(|i| u16::from_le_bytes([bytes[i], other[i] & 0x7B]));
        let wide: [i16; 16] = std::array::from_fn(|i| i16::from_le_bytes([bytes[i], other[i]]));
        let words: [i32; 8] =
            std::array::from_fn(|i| i32::from_le_bytes([bytes[i], other[i], bytes[i + 8], other[i + 8]]));
        vec![
            ("load_i16", ints(s.load_i16(&wide))),
            ("load_i32", ints(s.load_i32(&words))),
            ("splat_u8", ints(s.splat_u8(bytes[3]))),
            ("splat_i16", ints(s.splat_i16(wide[0]))),
            ("splat_i32", ints(s.splat_i32(words[0]))),
            ("store_i8", s.store_i8(a).map(i8::cast_unsigned).to_vec()),
            ("store_i32", s.store_i32(a).map(i32::to_le_bytes).as_flattened().to_vec()),
            ("twice", ints(s.twice(low))),
            ("concat", ints(s.concat(low, high))),
            ("nibbles", ints(s.nibbles(low))),
            ("expand_bits", ints(s.expand_bits(words[1].cast_unsigned()))),
            ("widen_i8", ints(s.widen_i8(&low.map(u8::cast_signed)))),
            ("widen_u8", ints(s.widen_u8(low))),
            ("halves_i16", ints(scale)),
            ("and", ints(s.and(a, b))),
            ("or", ints(s.or(a, b))),
            ("xor", ints(s.xor(a, b))),
            ("add_i8", ints(s.add_i8(a, b))),
            ("sub_i8", ints(s.sub_i8(a, b))),
            ("add_i16", ints(s.add_i16(a, b))),
            ("sub_i16", ints(s.sub_i16(a, b))),
            ("add_i32", ints(s.add_i32(a, b))),
            ("sub_i32", ints(s.sub_i32(a, b))),
            ("mul_i32", ints(s.mul_i32(a, b))),
            ("abs_i8", ints(s.abs_i8(a))),
            ("sign_i8", ints(s.sign_i8(acts, index))),
            ("sign_i8 of all", ints(s.sign_i8(acts, a))),
            ("shr_u16", ints(s.shr_u16::<3>(a))),
            ("shl_u16", ints(s.shl_u16::<5>(a))),
            ("lookup", ints(s.lookup(a, index))),
            ("lookup_pairs", ints(s.lookup_pairs(a, &std::array::from_fn(|i| [3, 9, 0x80, 15][i / 16 * 2 + i % 2])))),
            ("mul_pairs_u8", halves_of_i16(s.store_u8(s.mul_pairs_u8(weights, acts)))),
            ("mul_pairs_i16", halves(s.store_i32(s.mul_pairs_i16(s.load_i16(&wide.map(|x| x / 4)), scale)))),
            ("dot_u8", halves(s.store_i32(s.dot_u8(zero, weights, acts)))),
            ("dot_i8", halves(s.store_i32(s.dot_i8(zero, a, acts)))),
            ("scaled_dot_u8", halves(s.store_i32(s.scaled_dot_u8(zero, weights, acts, scale)))),
            ("dot_u8 to a sum", halves(s.store_i32(s.dot_u8(index, weights, acts)))),
            ("sum_i32", s.sum_i32(s.dot_u8(zero, weights, acts)).to_le_bytes().to_vec()),
            ("sums_i32", ints(s.sums_i32([a, b, weights, acts, scale, index, a, zero]))),
            ("load_f16", real(s.load_f16(&halfs))),
            ("load_bf16", real(s.load_bf16(&halfs))),
            ("splat_f32", real(s.splat_f32(floats[5]))),
            ("to_f32", real(s.to_f32(a))),
            ("add_f32", real(s.add_f32(x, y))),
            ("sub_f32", real(s.sub_f32(x, y))),
            ("mul_f32", real(s.mul_f32(x, y))),
            ("sum_f32", s.sum_f32(x).to_le_bytes().to_vec()),
            ("max_abs_bits", s.max_abs_bits(&all).to_le_bytes().to_vec()),
            ("round_to_i8", ints(s.round_to_i8(four))),
        ]
    }
}

/// Bytes of a fixed pseudo-random sequence.
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    }
}

#[test]
fn every_operation_gives_the_same_bits_at_every_level() {
    for name in CpuLevel::NAMES {
        let Ok(level) = CpuLevel::by_name(name) else {
            eprintln!("skipped: this CPU has no level {name}");
            continue;
        };
        for round in 0..500 {
            let mut next = noise(round);
            let mut inputs = Inputs {
                a: std::array::from_fn(|_| next()),
                b: std::array::from_fn(|_| next()),
                floats: std::array::from_fn(|_| (f32::from(next()) - 128.0) * f32::from(next()) * 3.7),
            };
            // Edges: the extremes of a byte on both sides.
            inputs.a[..4].copy_from_slice(&[128, 128, 127, 255]);
            inputs.b[..4].copy_from_slice(&[128, 127, 129, 128]);
            let want = CpuLevel::by_name("portable").unwrap().run(EveryOperation(&inputs));
            for ((operation, want), (_, got)) in want.into_iter().zip(level.run(EveryOperation(&inputs))) {
                assert_eq!(got, want, "{name} {operation}, round {round}");
            }
        }
    }
}
