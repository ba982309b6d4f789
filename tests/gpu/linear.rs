//! Products with resident weights.

use std::io::{self, Read};

use foregate::compute::gpu::{GpuDevice, repack};
use foregate::compute::{Device, Heads, Linear, WeightDesc};
use foregate::gguf::GgmlType;

use crate::blocks::{dequantize, f32_bytes, matrix, product, random};
use crate::{Rng, assert_close, open};

fn plain(weight: foregate::compute::Weight) -> Linear {
    Linear { weight, bias: None, scale: 1.0 }
}

/// `W x` on the device for `n` columns.
fn run(device: &mut GpuDevice, ty: GgmlType, bytes: &[u8], cols: usize, rows: usize, x: &[f32]) -> Vec<f32> {
    let n = x.len() / cols;
    let weight = device.load_weight(&matrix(ty, cols, rows), &mut &*bytes).unwrap();
    let (src, dst) = (device.new_act(cols, n).unwrap(), device.new_act(rows, n).unwrap());
    device.upload(src, x).unwrap();
    device.linear(n, &plain(weight), src, dst).unwrap();
    device.download(dst, 0..n).unwrap()
}

#[test]
fn every_storage_type_gives_the_product_of_its_dequantised_weights() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(1);
    for ty in repack::types() {
        let block = ty.block_len().unwrap() as usize;
        // more units than lanes, an odd number of blocks, a single block; rows that are no multiple of 4
        for (cols, rows) in [(2304, 10), (block * 3, 5), (block, 3)] {
            let bytes = random(&mut rng, ty, cols, rows);
            let weights = dequantize(ty, &bytes);
            for n in [1, 3, 19] {
                let x = rng.floats(n * cols);
                let got = run(&mut device, ty, &bytes, cols, rows, &x);
                let want: Vec<f64> = x.chunks(cols).flat_map(|x| product(&weights, x)).collect();
                assert_close(&got, &want, &format!("{ty} {rows}x{cols}, {n} columns"));
            }
        }
    }
}

#[test]
fn rows_of_plain_types_may_have_any_length() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(2);
    for ty in [GgmlType::F32, GgmlType::F16, GgmlType::BF16] {
        for cols in [1, 15, 17, 1030] {
            let bytes = random(&mut rng, ty, cols, 6);
            let x = rng.floats(2 * cols);
            let got = run(&mut device, ty, &bytes, cols, 6, &x);
            let want: Vec<f64> = x.chunks(cols).flat_map(|x| product(&dequantize(ty, &bytes), x)).collect();
            assert_close(&got, &want, &format!("{ty}, {cols} columns"));
        }
    }
}

#[test]
fn subnormal_halves_are_exact() {
    let Some(mut device) = open() else { return };
    // all subnormal halves and their neighbours, one weight per row
    let halves: Vec<u16> = (0..0x420).chain(0x8000..0x8420).collect();
    let bytes: Vec<u8> = halves.iter().flat_map(|h| h.to_le_bytes()).collect();
    let got = run(&mut device, GgmlType::F16, &bytes, 1, halves.len(), &[1.0]);
    let want: Vec<f32> = halves.iter().map(|h| half::f16::from_bits(*h).to_f32()).collect();
    assert_eq!(got, want);

    // a Q8_0 block whose scale is the smallest subnormal
    let mut block = vec![1u8, 0];
    block.extend([3u8; 32]);
    let mut x = [0.0; 32];
    x[31] = 1.0;
    assert_eq!(run(&mut device, GgmlType::Q8_0, &block, 32, 1, &x), [3.0 * 2f32.powi(-24)]);
}

#[test]
fn mxfp4_scales_reach_the_ends_of_the_f32_range() {
    let Some(mut device) = open() else { return };
    // exponent, nibble (2 is 1.0, 7 is 6.0), activation
    for (e, nibble, x) in [(2u8, 7u8, 1.0f32), (0, 7, 2f32.powi(100)), (1, 2, 2f32.powi(100)), (254, 2, 2f32.powi(-10))]
    {
        let mut block = vec![e];
        block.extend([nibble; 16]);
        let mut xs = [0.0; 32];
        xs[0] = x;
        let value = if nibble == 7 { 6.0 } else { 1.0 };
        let want = (value * f64::from(x) * 2f64.powi(i32::from(e) - 127)) as f32;
        let got = run(&mut device, GgmlType::MXFP4, &block, 32, 1, &xs);
        // weights below 2^-126 may be flushed to zero by the adapter
        let subnormal = value * 2f64.powi(i32::from(e) - 127) < f64::from(f32::MIN_POSITIVE);
        assert!(got == [want] || subnormal && got == [0.0], "e {e}: {got:?} {want:e}");
    }
}

#[test]
fn a_column_has_the_same_bits_in_every_batch() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(3);
    let (cols, rows, n) = (1024, 9, 11);
    let bytes = random(&mut rng, GgmlType::Q4_K, cols, rows);
    let x = rng.floats(n * cols);
    let whole = run(&mut device, GgmlType::Q4_K, &bytes, cols, rows, &x);
    let pair = run(&mut device, GgmlType::Q4_K, &bytes, cols, rows, &x[3 * cols..5 * cols]);
    assert_eq!(pair, whole[3 * rows..5 * rows]);
    let single = run(&mut device, GgmlType::Q4_K, &bytes, cols, rows, &x[7 * cols..8 * cols]);
    assert_eq!(single, whole[7 * rows..8 * rows]);
}

#[test]
fn scale_comes_before_bias() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(4);
    let (cols, rows, n) = (64, 7, 2);
    let (w, b, x) = (rng.floats(cols * rows), rng.floats(rows), rng.floats(n * cols));
    let weight = device.load_weight(&matrix(GgmlType::F32, cols, rows), &mut &*f32_bytes(&w)).unwrap();
    let bias = device.load_weight(&matrix(GgmlType::F32, rows, 1), &mut &*f32_bytes(&b)).unwrap();
    let (src, dst) = (device.new_act(cols, n).unwrap(), device.new_act(rows, n).unwrap());
    device.upload(src, &x).unwrap();
    device.linear(n, &Linear { weight, bias: Some(bias), scale: 0.5 }, src, dst).unwrap();
    let want: Vec<f64> = x
        .chunks(cols)
        .flat_map(|x| product(&w, x).into_iter().zip(&b).map(|(y, b)| y * 0.5 + f64::from(*b)).collect::<Vec<_>>())
        .collect();
    assert_close(&device.download(dst, 0..n).unwrap(), &want, "scale and bias");
}

#[test]
fn each_head_has_a_matrix_of_its_own() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(5);
    let (cols, rows, mats, n) = (32, 6, 3, 2);
    let bytes = random(&mut rng, GgmlType::Q8_0, cols, rows * mats);
    let desc = WeightDesc { name: "heads", ty: GgmlType::Q8_0, cols, rows, mats };
    let weight = device.load_weight(&desc, &mut &*bytes).unwrap();
    let weights = dequantize(GgmlType::Q8_0, &bytes);
    let from = Heads { count: mats, stride: 50, offset: 10, width: cols };
    let to = Heads { count: mats, stride: 8, offset: 1, width: rows };
    let (src, dst) = (device.new_act(150, n).unwrap(), device.new_act(25, n).unwrap());
    let x = rng.floats(150 * n);
    device.upload(src, &x).unwrap();
    device.upload(dst, &[9.0; 50]).unwrap();
    device.linear_heads(n, weight, (src, from), (dst, to)).unwrap();
    let mut want = vec![9.0f64; 50];
    for t in 0..n {
        for h in 0..mats {
            let x = &x[t * 150 + 10 + h * 50..][..cols];
            let y = product(&weights[h * rows * cols..][..rows * cols], x);
            want[t * 25 + 1 + h * 8..][..rows].copy_from_slice(&y);
        }
    }
    assert_close(&device.download(dst, 0..n).unwrap(), &want, "heads");
}

/// F32 rows of 8192 numbers; column 0 is the row's own number, the rest is 0.
struct NumberedRows(usize);

impl Read for NumberedRows {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        out.fill(0);
        let row = 8192 * 4;
        let mut at = (row - self.0 % row) % row;
        while at < out.len() {
            out[at..at + 4].copy_from_slice(&(((self.0 + at) / row) as f32).to_le_bytes());
            at += row;
        }
        self.0 += out.len();
        Ok(out.len())
    }
}

#[test]
fn a_tensor_above_one_binding_is_split_and_computed_whole() {
    let Some(mut device) = open() else { return };
    let row = 8192 * 4;
    let rows = (device.adapter().max_binding_bytes.min(256 << 20) / row) as usize + 1001;
    let weight = device.load_weight(&matrix(GgmlType::F32, 8192, rows), &mut NumberedRows(0)).unwrap();
    let (src, dst) = (device.new_act(8192, 1).unwrap(), device.new_act(rows, 1).unwrap());
    let mut x = vec![0.0; 8192];
    x[0] = 2.0;
    device.upload(src, &x).unwrap();
    device.linear(1, &plain(weight), src, dst).unwrap();
    let want: Vec<f32> = (0..rows).map(|r| 2.0 * r as f32).collect();
    assert!(device.download(dst, 0..1).unwrap() == want);
}

#[test]
fn more_rows_than_workgroups_in_one_dimension() {
    let Some(mut device) = open() else { return };
    let rows = 65_536 * 4 + 3;
    let w: Vec<f32> = (0..rows).map(|r| r as f32).collect();
    let got = run(&mut device, GgmlType::F32, &f32_bytes(&w), 1, rows, &[1.0]);
    assert!(got == w);
}

#[test]
fn a_file_that_ends_early_is_an_error_that_names_the_tensor() {
    let Some(mut device) = open() else { return };
    let e = device.load_weight(&matrix(GgmlType::F32, 16, 2), &mut &[0u8; 100][..]).unwrap_err();
    assert!(e.to_string().contains("test.weight"), "{e}");
}

#[test]
fn a_type_without_a_kernel_is_refused_by_name() {
    let Some(mut device) = open() else { return };
    let e = device.load_weight(&matrix(GgmlType::IQ1_S, 256, 1), &mut &[0u8; 50][..]).unwrap_err();
    assert!(e.to_string().contains("IQ1_S"), "{e}");
}
