//! Inside a block of 256 weights the dot kernels are exact integer arithmetic: with scales of 1 the result is the integer.

use foregate::quant::{self, Acts, CpuLevel, Format};
use proptest::prelude::*;

/// The types with blocks of 256, and where the f16 numbers of a block stand.
const TYPES: [(&str, &[usize]); 6] =
    [("Q2_K", &[80, 82]), ("Q3_K", &[108]), ("Q4_K", &[0, 2]), ("Q5_K", &[0, 2]), ("Q6_K", &[208]), ("IQ4_XS", &[0])];

fn format(name: &str) -> &'static Format {
    quant::FORMATS.iter().find(|format| format.ty.name() == Some(name)).unwrap()
}

/// The block with all its f16 numbers 1.
fn with_unit_scales(mut block: Vec<u8>, numbers: &[usize]) -> Vec<u8> {
    for at in numbers {
        block[*at..at + 2].copy_from_slice(&half::f16::ONE.to_le_bytes());
    }
    block
}

/// Checks one block against activations that are whole numbers within -127..=127.
fn check(name: &str, numbers: &[usize], block: &[u8], acts: &mut [i8; 256]) {
    // The largest magnitude is 127, so that a quant is the number itself.
    acts[255] = if acts[255] < 0 { -127 } else { 127 };
    let x: Vec<f32> = acts.iter().map(|a| f32::from(*a)).collect();
    let mut weights = [0.0; 256];
    (format(name).dequantize)(block, &mut weights);
    let want: i64 = weights.iter().zip(acts).map(|(w, a)| *w as i64 * i64::from(*a)).sum();
    for level in CpuLevel::available() {
        let mut quantised = Acts::new(level);
        quantised.quantize(format(name).act, &x, 256);
        let mut out = [f32::NAN];
        format(name).dot(level)(block, block.len(), &quantised, &mut out);
        // The integer is rounded to f32 once; where minimums are taken off, both parts (below 2^25) and their difference.
        let off = (f64::from(out[0]) - want as f64).abs();
        let exact = if numbers.len() == 1 { out[0] == want as f32 } else { off <= 4.0 };
        assert!(exact, "{name} {}: {} instead of {want}", level.name(), out[0]);
    }
}

proptest! {
    #[test]
    fn a_block_of_any_bytes_gives_the_exact_integer(
        bytes in prop::collection::vec(any::<u8>(), 210),
        mut acts in prop::array::uniform32(prop::array::uniform8(-127i8..=127)).prop_map(|a| {
            let mut all = [0; 256];
            all.copy_from_slice(a.as_flattened());
            all
        }),
    ) {
        for (name, numbers) in TYPES {
            let size = format(name).ty.block_bytes().unwrap() as usize;
            check(name, numbers, &with_unit_scales(bytes[..size].to_vec(), numbers), &mut acts);
        }
    }
}

#[test]
fn the_largest_quants_scales_and_activations_do_not_saturate() {
    for (name, numbers) in TYPES {
        let size = format(name).ty.block_bytes().unwrap() as usize;
        for fill in 0..=u8::MAX {
            let block = with_unit_scales(vec![fill; size], numbers);
            check(name, numbers, &block, &mut [127; 256]);
            check(name, numbers, &block, &mut [-127; 256]);
            check(name, numbers, &block, &mut std::array::from_fn(|i| if i / 2 % 2 == 0 { 127 } else { -127 }));
        }
    }
}
