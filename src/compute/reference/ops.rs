//! The arithmetic of the reference, one plain function per operation.

use std::ops::Range;

use crate::compute::{Activation, Heads, RopeKind};
use crate::gguf::GgmlType;
use crate::quant;

/// The columns of each head.
pub fn head_ranges(heads: Heads) -> impl Iterator<Item = Range<usize>> {
    (0..heads.count).map(move |h| {
        let start = heads.offset + h * heads.stride;
        start..start + heads.width
    })
}

/// Sum of products over the shorter length, in f64, first to last.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>() as f32
}

/// Dequantises row after row of `data` and hands each to `each` with its number.
pub fn for_each_row(ty: GgmlType, data: &[u8], row_bytes: usize, cols: usize, mut each: impl FnMut(usize, &[f32])) {
    let format = quant::format(ty).expect("weights of other types are refused when a model is built");
    let mut row = vec![0.0; cols];
    for (r, bytes) in data.chunks_exact(row_bytes).enumerate() {
        (format.dequantize)(bytes, &mut row);
        each(r, &row);
    }
}

/// `x / sqrt(mean(x^2) + eps) * weight (+ bias)`; the mean square is an f64 sum.
pub fn rms_norm(x: &mut [f32], weight: &[f32], bias: Option<&[f32]>, eps: f32) {
    let squares: f64 = x.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let factor = 1.0 / ((squares / x.len() as f64) as f32 + eps).sqrt();
    for (i, v) in x.iter_mut().enumerate() {
        *v = *v * factor * weight[i] + bias.map_or(0.0, |b| b[i]);
    }
}

/// Turns a head; `table` is `[cos; sin]`, half the head's length each.
pub fn rope(x: &mut [f32], kind: RopeKind, table: &[f32]) {
    let half = x.len() / 2;
    for i in 0..half {
        let (a, b) = match kind {
            RopeKind::Norm => (2 * i, 2 * i + 1),
            RopeKind::Neox => (i, i + half),
        };
        let (cos, sin) = (table[i], table[half + i]);
        (x[a], x[b]) = (x[a] * cos - x[b] * sin, x[a] * sin + x[b] * cos);
    }
}

/// The logistic function.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Between an FFN's halves.
pub fn activate(activation: Activation, gate: f32, up: f32) -> f32 {
    match activation {
        Activation::SwiGlu => gate * sigmoid(gate) * up,
        Activation::SwiGluOai { alpha, limit } => {
            let (g, u) = (gate.min(limit), up.clamp(-limit, limit));
            g * sigmoid(alpha * g) * (u + 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_rope_kinds_pair_different_elements() {
        let table = [0.0, 1.0, 1.0, 0.0];
        let mut x = [1.0, 2.0, 3.0, 4.0];
        rope(&mut x, RopeKind::Norm, &table);
        assert_eq!(x, [-2.0, 1.0, 3.0, 4.0]);
        let mut x = [1.0, 2.0, 3.0, 4.0];
        rope(&mut x, RopeKind::Neox, &table);
        assert_eq!(x, [-3.0, 2.0, 1.0, 4.0]);
    }

    #[test]
    fn rms_norm_scales_to_unit_mean_square() {
        let mut x = [3.0, -4.0];
        rms_norm(&mut x, &[1.0, 2.0], Some(&[0.5, 0.0]), 0.0);
        let rms = 12.5f32.sqrt();
        assert!((x[0] - (3.0 / rms + 0.5)).abs() < 1e-6 && (x[1] + 8.0 / rms).abs() < 1e-6);
    }
}
