//! Norms, rotary embedding, elementwise functions, copies.

use foregate::compute::gpu::GpuDevice;
use foregate::compute::{Act, Activation, Device, Heads, Norm, RopeKind, Weight};
use foregate::gguf::GgmlType;

use crate::blocks::{f32_bytes, matrix};
use crate::{Rng, assert_close, open};

fn act(device: &mut GpuDevice, width: usize, rows: &[f32]) -> Act {
    let act = device.new_act(width, rows.len() / width).unwrap();
    device.upload(act, rows).unwrap();
    act
}

fn vector(device: &mut GpuDevice, values: &[f32]) -> Weight {
    device.load_weight(&matrix(GgmlType::F32, values.len(), 1), &mut &*f32_bytes(values)).unwrap()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[test]
fn rms_norm_norms_each_head_and_leaves_other_columns() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(10);
    let (row, n) = (300, 3);
    let x = rng.floats(row * n);
    for (count, stride, offset, width) in [(1, 300, 0, 300), (4, 70, 5, 64)] {
        let (w, b) = (rng.floats(width), rng.floats(width));
        let heads = Heads { count, stride, offset, width };
        let (weight, bias) = (vector(&mut device, &w), vector(&mut device, &b));
        for bias in [None, Some(bias)] {
            let norm = Norm { weight, bias, eps: 1e-5, heads };
            let mut want: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
            for (t, h) in (0..n).flat_map(|t| (0..count).map(move |h| (t, h))) {
                let head = &mut want[t * row + offset + h * stride..][..width];
                let mean: f64 = head.iter().map(|v| v * v).sum::<f64>() / width as f64;
                for (i, v) in head.iter_mut().enumerate() {
                    *v = *v / (mean + 1e-5).sqrt() * f64::from(w[i]) + bias.map_or(0.0, |_| f64::from(b[i]));
                }
            }
            let here = act(&mut device, row, &x);
            device.rms_norm(n, here, here, &norm).unwrap();
            assert_close(&device.download(here, 0..n).unwrap(), &want, "in place");
            let (src, dst) = (act(&mut device, row, &x), act(&mut device, row, &x));
            device.rms_norm(n, src, dst, &norm).unwrap();
            assert_close(&device.download(dst, 0..n).unwrap(), &want, "out of place");
        }
    }
}

#[test]
fn rope_rotates_neighbours_or_halves_of_each_head() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(11);
    let (row, n) = (100, 3);
    // 16 of 20 columns of each head rotate, as in models with partial rotation
    let heads = Heads { count: 4, stride: 24, offset: 3, width: 16 };
    let (x, table) = (rng.floats(row * n), rng.floats(16 * n));
    for kind in [RopeKind::Norm, RopeKind::Neox] {
        let mut want: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
        for (t, h, i) in (0..n).flat_map(|t| (0..4).flat_map(move |h| (0..8).map(move |i| (t, h, i)))) {
            let base = t * row + 3 + h * 24;
            let (a, b) =
                if kind == RopeKind::Norm { (base + 2 * i, base + 2 * i + 1) } else { (base + i, base + i + 8) };
            let (c, s) = (f64::from(table[t * 16 + i]), f64::from(table[t * 16 + 8 + i]));
            (want[a], want[b]) = (want[a] * c - want[b] * s, want[a] * s + want[b] * c);
        }
        let (dst, table) = (act(&mut device, row, &x), act(&mut device, 16, &table));
        device.rope(n, dst, heads, kind, table).unwrap();
        assert_close(&device.download(dst, 0..n).unwrap(), &want, "rope");
    }
}

/// Both activations, in f64.
pub fn activate(activation: Activation, gate: f64, up: f64) -> f64 {
    match activation {
        Activation::SwiGlu => gate * sigmoid(gate) * up,
        Activation::SwiGluOai { alpha, limit } => {
            let (alpha, limit) = (f64::from(alpha), f64::from(limit));
            let g = gate.min(limit);
            g * sigmoid(alpha * g) * (up.clamp(-limit, limit) + 1.0)
        }
    }
}

#[test]
fn glu_is_finite_and_right_for_large_arguments_too() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(12);
    let mut gate: Vec<f32> = rng.floats(500).iter().map(|v| v * 20.0).collect();
    gate[..4].copy_from_slice(&[300.0, -300.0, 1e30, -1e30]);
    let up = rng.floats(500).iter().map(|v| v * 20.0).collect::<Vec<_>>();
    let mut up = up;
    up[..4].copy_from_slice(&[1.0, 1.0, 1e-30, 1e-30]);
    for activation in [Activation::SwiGlu, Activation::SwiGluOai { alpha: 1.702, limit: 7.0 }] {
        let want: Vec<f64> =
            gate.iter().zip(&up).map(|(g, u)| activate(activation, f64::from(*g), f64::from(*u))).collect();
        let (g, u, d) = (act(&mut device, 250, &gate), act(&mut device, 250, &up), act(&mut device, 250, &up));
        device.glu(2, 250, activation, g, u, d).unwrap();
        assert_close(&device.download(d, 0..2).unwrap(), &want, "glu");
        device.glu(2, 250, activation, g, u, g).unwrap();
        assert_close(&device.download(g, 0..2).unwrap(), &want, "glu into the gate");
    }
}

#[test]
fn glu_keeps_to_its_columns() {
    let Some(mut device) = open() else { return };
    let gate = act(&mut device, 3, &[7.0, 1.0, 1.0, 9.0, 1.0, 1.0]);
    let up = act(&mut device, 2, &[1.0, 1.0, 2.0, 1.0]);
    let dst = act(&mut device, 4, &[5.0; 8]);
    let oai = Activation::SwiGluOai { alpha: 0.0, limit: 8.0 };
    device.glu(2, 1, oai, gate, up, dst).unwrap();
    assert_eq!(device.download(dst, 0..2).unwrap(), [7.0, 5.0, 5.0, 5.0, 12.0, 5.0, 5.0, 5.0]);
}

#[test]
fn add_and_scale_work_on_the_rows_in_use_only() {
    let Some(mut device) = open() else { return };
    let (a, b) = (act(&mut device, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), act(&mut device, 2, &[10.0; 6]));
    device.add(2, a, b, 0.5).unwrap();
    assert_eq!(device.download(a, 0..3).unwrap(), [6.0, 7.0, 8.0, 9.0, 5.0, 6.0]);
    let twice = act(&mut device, 1, &[2.0]);
    device.scale_rows(1, a, twice, false).unwrap();
    assert_eq!(device.download(a, 0..2).unwrap(), [12.0, 14.0, 8.0, 9.0]);
    let factors = act(&mut device, 1, &[2.0, 0.0, -1.0]);
    device.scale_rows(2, a, factors, false).unwrap();
    assert_eq!(device.download(a, 0..3).unwrap(), [24.0, 28.0, 0.0, 0.0, 5.0, 6.0]);
    device.scale_rows(3, a, factors, true).unwrap();
    let want = [24.0 * sigmoid(2.0), 28.0 * sigmoid(2.0), 0.0, 0.0, 5.0 * sigmoid(-1.0), 6.0 * sigmoid(-1.0)];
    assert_close(&device.download(a, 0..3).unwrap(), &want, "sigmoid");
}

#[test]
fn copy_heads_moves_columns_and_broadcasts() {
    let Some(mut device) = open() else { return };
    let src = act(&mut device, 4, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    let dst = act(&mut device, 5, &[0.0; 10]);
    let to = Heads { count: 2, stride: 3, offset: 0, width: 2 };
    device.copy_heads(2, (src, Heads { count: 2, stride: 2, offset: 0, width: 2 }), (dst, to)).unwrap();
    assert_eq!(device.download(dst, 0..2).unwrap(), [1.0, 2.0, 0.0, 3.0, 4.0, 5.0, 6.0, 0.0, 7.0, 8.0]);
    device.copy_heads(2, (src, Heads { count: 2, stride: 0, offset: 1, width: 2 }), (dst, to)).unwrap();
    assert_eq!(device.download(dst, 0..2).unwrap(), [2.0, 3.0, 0.0, 2.0, 3.0, 6.0, 7.0, 0.0, 6.0, 7.0]);
}

#[test]
fn select_rows_gathers_and_download_takes_a_range() {
    let Some(mut device) = open() else { return };
    let src = act(&mut device, 3, &(0..12).map(|i| i as f32).collect::<Vec<_>>());
    let dst = act(&mut device, 3, &[0.0; 9]);
    let factors = act(&mut device, 1, &[2.0, 2.0, 2.0, 2.0]);
    device.scale_rows(4, src, factors, false).unwrap();
    device.select_rows(src, &[3, 1], dst).unwrap();
    device.scale_rows(1, dst, factors, false).unwrap();
    assert_eq!(device.download(dst, 0..2).unwrap(), [36.0, 40.0, 44.0, 6.0, 8.0, 10.0]);
    assert_eq!(device.download(src, 2..3).unwrap(), [12.0, 14.0, 16.0]);
}

#[test]
fn an_upload_waits_for_what_still_reads_the_old_rows() {
    let Some(mut device) = open() else { return };
    let (src, dst) = (act(&mut device, 2, &[1.0, 2.0]), act(&mut device, 2, &[0.0, 0.0]));
    device.add(1, dst, src, 1.0).unwrap();
    device.upload(src, &[10.0, 20.0]).unwrap();
    device.add(1, dst, src, 1.0).unwrap();
    assert_eq!(device.download(dst, 0..1).unwrap(), [11.0, 22.0]);
}

#[test]
fn a_matrix_above_one_binding_is_worked_on_in_parts() {
    let Some(mut device) = open() else { return };
    let width = 1 << 16;
    let n = (device.adapter().max_binding_bytes.min(256 << 20) / (width as u64 * 4)) as usize + 70;
    if (n * width * 4) as u64 > device.adapter().max_buffer_bytes || device.adapter().max_binding_bytes > 256 << 20 {
        return println!("skipped: this adapter's bindings are as large as its buffers");
    }
    let x = device.new_act(width, n).unwrap();
    let factors = act(&mut device, 1, &(0..n).map(|i| i as f32).collect::<Vec<_>>());
    device.upload(x, &vec![1.0; n * width]).unwrap();
    device.scale_rows(n, x, factors, false).unwrap();
    for row in [0, 1, 64, n - 71, n - 1] {
        assert!(device.download(x, row..row + 1).unwrap().iter().all(|v| *v == row as f32), "row {row}");
    }
}
