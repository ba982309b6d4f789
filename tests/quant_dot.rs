//! Dot kernels: right within their derived error, and the same bits whatever the level, the rows and the columns.

use std::path::Path;

use foregate::quant::{ActFormat, Acts, CpuLevel, FORMATS, Format};
use proptest::prelude::*;

/// Pseudo-random numbers of a fixed sequence.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// Within -1..1, most of it near 0.
    fn value(&mut self) -> f32 {
        let uniform = self.next() as f32 / 2f32.powi(31) - 1.0;
        uniform * uniform * uniform
    }

    fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.value()).collect()
    }
}

/// Weights `(rows, width)`: blocks of the fixture with ordinary scales in a random order, or plain numbers.
fn weights(format: &Format, rows: usize, width: usize, noise: &mut Noise) -> Vec<u8> {
    let (len, bytes) = (format.ty.block_len().unwrap() as usize, format.ty.block_bytes().unwrap() as usize);
    let name = format.ty.name().unwrap();
    if len == 1 {
        let number = |x: f32| match name {
            "F32" => x.to_le_bytes().to_vec(),
            "F16" => half::f16::from_f32(x).to_le_bytes().to_vec(),
            _ => half::bf16::from_f32(x).to_le_bytes().to_vec(),
        };
        return noise.values(rows * width).into_iter().flat_map(number).collect();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/quant/{name}.blocks"));
    let blocks = std::fs::read(path).unwrap();
    let ordinary: Vec<&[u8]> = blocks.chunks(bytes).skip(14).collect();
    (0..rows * width / len).flat_map(|_| ordinary[noise.next() as usize % ordinary.len()].to_vec()).collect()
}

fn row_bytes(format: &Format, width: usize) -> usize {
    format.ty.bytes_for(width as u64).unwrap() as usize
}

/// What all widths of a format are multiples of.
fn unit(format: &Format) -> usize {
    match format.act {
        ActFormat::F32 => 1,
        ActFormat::Q8x32 => 32,
        ActFormat::Q8x256 => 256,
    }
}

fn dot(format: &Format, level: CpuLevel, rows: &[u8], x: &[f32], width: usize) -> Vec<f32> {
    let mut acts = Acts::new(level);
    acts.quantize(format.act, x, width);
    let bytes = row_bytes(format, width);
    let mut out = vec![f32::NAN; rows.len() / bytes * acts.columns()];
    format.dot(level)(rows, bytes, &acts, &mut out);
    out
}

/// The activations of column 0 as the kernel sees them, and half of each one's quantisation step.
fn seen(acts: &Acts) -> (Vec<f32>, Vec<f32>) {
    let scaled = |quants: &[i8], scale: f32| -> Vec<f32> { quants.iter().map(|q| f32::from(*q) * scale).collect() };
    match acts.format() {
        ActFormat::F32 => (acts.floats(0).iter().flat_map(|f| f.0).collect(), vec![0.0; acts.width()]),
        ActFormat::Q8x32 => {
            let blocks = || acts.groups(0).iter().flat_map(|g| g.quants.iter().zip(g.scales));
            let values = blocks().flat_map(|(quants, scale)| scaled(quants, scale)).collect();
            (values, blocks().flat_map(|(_, scale)| [scale / 2.0; 32]).collect())
        }
        ActFormat::Q8x256 => {
            let values = acts.blocks(0).iter().flat_map(|b| scaled(b.quants.as_flattened(), b.scale)).collect();
            (values, acts.blocks(0).iter().flat_map(|b| vec![b.scale / 2.0; 256]).collect())
        }
    }
}

/// A dot product in f64, with the sum of `|w| * by`.
fn exact(weights: &[f32], values: &[f32], by: &[f32]) -> (f64, f64) {
    let products = weights.iter().zip(values).map(|(w, x)| f64::from(*w) * f64::from(*x));
    (products.sum(), weights.iter().zip(by).map(|(w, b)| f64::from(w.abs()) * f64::from(b.abs())).sum())
}

/// Rounding of a dot product over `width` values: half a unit in the last place for each of the at most `width / 8 + 16`
/// roundings that a product passes, of at most the sum of magnitudes. In a block with a minimum `w = d q - m` both terms
/// are rounded apart and may be some times larger than the weight; 16 of the block's largest weight bounds them.
fn rounding(format: &Format, weights: &[f32], values: &[f32]) -> f64 {
    let block = format.ty.block_len().unwrap() as usize;
    let magnitudes: f64 = weights
        .chunks(block)
        .zip(values.chunks(block))
        .map(|(w, x)| {
            let largest = w.iter().fold(0f32, |m, w| m.max(w.abs()));
            16.0 * f64::from(largest) * x.iter().map(|x| f64::from(x.abs())).sum::<f64>()
        })
        .sum();
    (weights.len() as f64 / 8.0 + 16.0) * f64::from(f32::EPSILON / 2.0) * magnitudes
}

#[test]
fn kernels_agree_with_the_dequantised_weights() {
    let mut noise = Noise(1);
    for format in FORMATS {
        for level in CpuLevel::available() {
            for blocks in [1, 2, 7, 8, 9, 24, 45] {
                let width = unit(format) * blocks;
                let row = weights(format, 1, width, &mut noise);
                let mut w = vec![0.0; width];
                (format.dequantize)(&row, &mut w);
                let x = noise.values(width);
                let got = f64::from(dot(format, level, &row, &x, width)[0]);

                let mut acts = Acts::default();
                acts.quantize(format.act, &x, width);
                let (values, steps) = seen(&acts);
                let name = format!("{} {} width {width}", format.ty, level.name());
                let rounding = rounding(format, &w, &values);
                // With the activations that the kernel sees: nothing but rounding.
                let (want, _) = exact(&w, &values, &values);
                assert!((got - want).abs() <= rounding, "{name}: {got} is not {want} within {rounding}");
                // With those that were given: each is off by at most half a quantisation step (and its own rounding).
                let (want, explained) = exact(&w, &x, &steps);
                let bound = explained * 1.0001 + rounding;
                assert!((got - want).abs() <= bound, "{name}: {got} is not {want} within {bound}");
            }
        }
    }
}

#[test]
fn the_largest_weights_and_activations_do_not_overflow() {
    let portable = CpuLevel::by_name("portable").unwrap();
    for format in FORMATS.iter().filter(|format| format.act != ActFormat::F32) {
        let (width, bytes) = (1024, format.ty.block_bytes().unwrap() as usize);
        for fill in [0x00, 0x7F, 0x80, 0x88, 0xF0, 0xFF] {
            let path = format!("tests/fixtures/quant/{}.blocks", format.ty);
            let fixture = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
            // A block of equal bytes but for its scales: those of the fixture's block of ones (its bytes are all 255).
            let block: Vec<u8> =
                fixture[13 * bytes..14 * bytes].iter().map(|b| if *b == 0xFF { fill } else { *b }).collect();
            let row = block.repeat(width / format.ty.block_len().unwrap() as usize);
            let mut w = vec![0.0; width];
            (format.dequantize)(&row, &mut w);
            for x in [[1.0; 1024], [-1.0; 1024]] {
                let want: f64 = w.iter().zip(&x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                if !want.is_finite() {
                    continue;
                }
                for level in CpuLevel::available() {
                    let got = dot(format, level, &row, &x, width);
                    assert_eq!(got, dot(format, portable, &row, &x, width), "{} {fill:#x} {}", format.ty, level.name());
                    let error = (f64::from(got[0]) - want).abs();
                    let bound = rounding(format, &w, &x) + want.abs() * 1e-6;
                    assert!(error <= bound, "{} {fill:#x} {}: {} for {want}", format.ty, level.name(), got[0]);
                }
            }
        }
    }
}

/// Equal bits, any NaN for any NaN.
fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_level_and_no_grouping_of_rows_and_columns_changes_a_bit(
        format in 0..FORMATS.len(),
        blocks in 1usize..40,
        rows in 1usize..6,
        columns in 1usize..20,
        garbage in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let format = &FORMATS[format];
        let mut noise = Noise(seed);
        let width = match format.act { ActFormat::Q8x256 => 256 * blocks.div_ceil(4), _ => unit(format) * blocks };
        let bytes = row_bytes(format, width);
        let w = if garbage {
            // Any bytes at all: scales may be infinite or NaN.
            (0..rows * bytes).map(|_| noise.next() as u8).collect()
        } else {
            weights(format, rows, width, &mut noise)
        };
        let mut x = noise.values(columns * width);
        if garbage {
            let at = noise.next() as usize % x.len();
            x[at] = [f32::NAN, f32::INFINITY, 1e-40][seed as usize % 3];
        }
        let all = dot(format, CpuLevel::by_name("portable").unwrap(), &w, &x, width);
        for level in CpuLevel::available() {
            prop_assert!(same(&all, &dot(format, level, &w, &x, width)), "{} {}", format.ty, level.name());
            for column in 0..columns {
                let one = dot(format, level, &w, &x[column * width..][..width], width);
                let want: Vec<f32> = all.iter().copied().skip(column).step_by(columns).collect();
                prop_assert!(same(&one, &want), "{} {} column {column}", format.ty, level.name());
            }
            let some = columns.div_ceil(2);
            let first = dot(format, level, &w[(rows - 1) * bytes..], &x[..some * width], width);
            prop_assert!(same(&first, &all[(rows - 1) * columns..][..some]), "{} {}", format.ty, level.name());
        }
    }
}

#[test]
fn many_rows_and_columns_are_each_row_times_each_column() {
    // More rows than a tile holds and more columns than a chunk.
    let mut noise = Noise(3);
    for format in FORMATS {
        let (width, rows, columns) = (1024, 300, 11);
        let w = weights(format, rows, width, &mut noise);
        let x = noise.values(columns * width);
        let level = CpuLevel::detect();
        let all = dot(format, level, &w, &x, width);
        let bytes = row_bytes(format, width);
        for (row, column) in [(0, 0), (0, 10), (31, 7), (32, 8), (128, 1), (299, 9), (299, 10)] {
            let one = dot(format, level, &w[row * bytes..][..bytes], &x[column * width..][..width], width);
            assert_eq!(one[0].to_bits(), all[row * columns + column].to_bits(), "{} {row} {column}", format.ty);
        }
    }
}
