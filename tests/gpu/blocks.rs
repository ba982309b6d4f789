//! Weights to test with: random blocks whose scales are of ordinary size.

use foregate::compute::WeightDesc;
use foregate::gguf::GgmlType;
use foregate::quant;

use crate::Rng;

/// Random rows of a storage type, as they stand in a file.
pub fn random(rng: &mut Rng, ty: GgmlType, cols: usize, rows: usize) -> Vec<u8> {
    let block = ty.block_bytes().unwrap() as usize;
    let blocks = rows * cols / ty.block_len().unwrap() as usize;
    let mut bytes: Vec<u8> = (0..blocks * block).map(|_| rng.next() as u8).collect();
    for b in bytes.chunks_exact_mut(block) {
        let mut half = |at: usize| {
            let value = half::f16::from_f32(rng.float() * 0.1);
            b[at..at + 2].copy_from_slice(&value.to_le_bytes());
        };
        match ty {
            GgmlType::F32 => b.copy_from_slice(&rng.float().to_le_bytes()),
            GgmlType::BF16 => b.copy_from_slice(&half::bf16::from_f32(rng.float()).to_le_bytes()),
            GgmlType::F16 | GgmlType::Q4_0 | GgmlType::Q5_0 | GgmlType::Q8_0 | GgmlType::IQ4_NL | GgmlType::IQ4_XS => {
                half(0)
            }
            GgmlType::Q4_1 | GgmlType::Q5_1 | GgmlType::Q4_K | GgmlType::Q5_K => {
                half(0);
                half(2);
            }
            GgmlType::Q2_K => {
                half(80);
                half(82);
            }
            GgmlType::Q3_K => half(108),
            GgmlType::Q6_K => half(208),
            GgmlType::MXFP4 => b[0] = 120 + b[0] % 12,
            other => panic!("no random blocks of {other}"),
        }
    }
    bytes
}

/// The weights that bytes stand for.
pub fn dequantize(ty: GgmlType, bytes: &[u8]) -> Vec<f32> {
    let blocks = bytes.len() / ty.block_bytes().unwrap() as usize;
    let mut out = vec![0.0; blocks * ty.block_len().unwrap() as usize];
    (quant::format(ty).unwrap().dequantize)(bytes, &mut out);
    out
}

/// A description of one matrix.
pub fn matrix(ty: GgmlType, cols: usize, rows: usize) -> WeightDesc<'static> {
    WeightDesc { name: "test.weight", ty, cols, rows, mats: 1 }
}

/// The bytes of F32 values.
pub fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// `(rows of w)` times `x`, in f64.
pub fn product(w: &[f32], x: &[f32]) -> Vec<f64> {
    w.chunks_exact(x.len()).map(|row| row.iter().zip(x).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()).collect()
}
