//! Attention of the CPU device and its KV cache.
//!
//! A layer's keys stand head by head, `(kv_heads, ctx)` rows of one head's elements, so that the scores of a query group
//! are one run of dot products over neighbouring rows; values likewise. The weighted sum runs over positions in order.

use rayon::prelude::*;

use crate::compute::cpu::CpuDevice;
use crate::compute::cpu::linear::format;
use crate::compute::cpu::math;
use crate::compute::{Act, Attention, KvKind, KvSpec};
use crate::error::{Error, Result};
use crate::quant::{Acts, CpuLevel};

/// Keys and values of one layer.
pub(super) struct LayerKv {
    keys: Rows,
    values: Rows,
}

/// Rows of `dim` elements: `(heads, ctx)`.
struct Rows {
    dim: usize,
    row_bytes: usize,
    ctx: usize,
    data: Vec<u8>,
}

/// Elements per block of [`KvKind::Q8_0`].
const Q8_BLOCK: usize = 32;

/// Bytes of a head of `dim` elements.
fn row_bytes(dim: usize, kind: KvKind) -> Result<usize> {
    kind.weight_type().bytes_for(dim as u64).map(|bytes| bytes as usize).ok_or_else(|| {
        let why = format!("heads of {dim} elements are no multiple of {Q8_BLOCK}");
        Error::Unsupported(format!("--kv q8_0 does not fit this model: {why}; use --kv f16"))
    })
}

/// Refuses a kind that does not fit the heads.
pub(super) fn check(spec: &KvSpec, kind: KvKind) -> Result<()> {
    [spec.key_width, spec.value_width].iter().try_for_each(|width| row_bytes(width / spec.heads, kind).map(drop))
}

impl LayerKv {
    pub fn new(spec: &KvSpec, ctx: usize, kind: KvKind) -> Result<Self> {
        let rows = |width: usize| -> Result<Rows> {
            let dim = width / spec.heads;
            let row_bytes = row_bytes(dim, kind)?;
            Ok(Rows { dim, row_bytes, ctx, data: vec![0; spec.heads * ctx * row_bytes] })
        };
        Ok(Self { keys: rows(spec.key_width)?, values: rows(spec.value_width)? })
    }
}

impl Rows {
    /// Stores a token's elements, head after head.
    fn store(&mut self, pos: usize, x: &[f32], kind: KvKind) {
        for (head, x) in x.chunks_exact(self.dim.max(1)).enumerate() {
            let start = (head * self.ctx + pos) * self.row_bytes;
            encode(kind, x, &mut self.data[start..start + self.row_bytes]);
        }
    }

    /// The rows of a head at positions `first .. end`.
    fn rows(&self, head: usize, first: usize, end: usize) -> &[u8] {
        &self.data[(head * self.ctx + first) * self.row_bytes..(head * self.ctx + end) * self.row_bytes]
    }
}

fn encode(kind: KvKind, x: &[f32], out: &mut [u8]) {
    match kind {
        KvKind::F32 => out.copy_from_slice(bytemuck::cast_slice(x)),
        KvKind::F16 => {
            for (out, x) in out.chunks_exact_mut(2).zip(x) {
                out.copy_from_slice(&half::f16::from_f32(*x).to_le_bytes());
            }
        }
        KvKind::Q8_0 => {
            for (out, x) in out.chunks_exact_mut(Q8_BLOCK + 2).zip(x.chunks_exact(Q8_BLOCK)) {
                let amax = x.iter().fold(0f32, |m, v| m.max(v.abs()));
                let scale = amax / 127.0;
                let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
                out[..2].copy_from_slice(&half::f16::from_f32(scale).to_le_bytes());
                for (q, v) in out[2..].iter_mut().zip(x) {
                    *q = (v * inverse).round_ties_even() as i8 as u8;
                }
            }
        }
    }
}

/// What a thread needs while it attends.
struct Scratch {
    acts: Acts,
    /// `(positions, queries)` as the dot kernel writes them, `(queries, positions)` as softmax reads them.
    products: Vec<f32>,
    scores: Vec<f32>,
    value: Vec<f32>,
}

impl Scratch {
    fn new(level: CpuLevel) -> Self {
        Self { acts: Acts::new(level), products: Vec::new(), scores: Vec::new(), value: Vec::new() }
    }
}

impl CpuDevice {
    pub(super) fn store_kv(&mut self, n: usize, pos: usize, layer: usize, k: Act, v: Option<Act>) {
        let LayerKv { keys, values } = &mut self.kv[layer];
        let heads = keys.data.len() / (keys.ctx * keys.row_bytes).max(1);
        for t in 0..n {
            keys.store(pos + t, &self.host.act(k).row(t)[..heads * keys.dim], self.kv_kind);
            if let Some(v) = v {
                values.store(pos + t, &self.host.act(v).row(t)[..heads * values.dim], self.kv_kind);
            }
        }
    }

    pub(super) fn attend(&mut self, n: usize, pos: usize, spec: &Attention, q: Act, v_in_k: bool, out: Act) {
        let mut result = self.host.take(out);
        let group = spec.heads / spec.kv_heads;
        let (kv, kind, level) = (&self.kv[spec.layer], self.kv_kind, self.level);
        let sinks = spec.sinks.map(|s| self.host.floats(s));
        let queries = self.host.act(q);
        let width = result.width;
        let one = |s: &mut Scratch, t: usize, head: usize, out: &mut [f32]| {
            let query = &queries.row(t)[head * group * spec.key_dim..][..group * spec.key_dim];
            let sinks = sinks.map(|s| &s[head * group..(head + 1) * group]);
            attend_group(s, level, kind, kv, spec, (pos + t, head, v_in_k), query, sinks, out);
        };
        self.pool.install(|| {
            let rows = result.data[..n * width].par_chunks_exact_mut(width).enumerate();
            rows.for_each(|(t, row)| {
                let groups = row[..spec.heads * spec.value_dim].par_chunks_exact_mut(group * spec.value_dim);
                groups.enumerate().for_each_init(|| Scratch::new(level), |s, (head, out)| one(s, t, head, out));
            });
        });
        self.host.put_back(out, result);
    }
}

/// One token's queries of one KV head: `(group, key_dim)` to `(group, value_dim)`.
#[allow(clippy::too_many_arguments)]
fn attend_group(
    s: &mut Scratch,
    level: CpuLevel,
    kind: KvKind,
    kv: &LayerKv,
    spec: &Attention,
    (pos, head, v_in_k): (usize, usize, bool),
    query: &[f32],
    sinks: Option<&[f32]>,
    out: &mut [f32],
) {
    let format = format(kind.weight_type());
    let group = query.len() / spec.key_dim;
    let first = spec.window.map_or(0, |w| (pos + 1).saturating_sub(w));
    let count = pos + 1 - first;
    s.acts.quantize(format.act, query, spec.key_dim);
    s.products.resize(count * group, 0.0);
    format.dot(level)(kv.keys.rows(head, first, pos + 1), kv.keys.row_bytes, &s.acts, &mut s.products);
    s.scores.resize(count * group, 0.0);
    for (g, scores) in s.scores.chunks_exact_mut(count).enumerate() {
        for (p, score) in scores.iter_mut().enumerate() {
            *score = s.products[p * group + g];
        }
        math::softmax(level, scores, spec.scale, sinks.map(|s| s[g]));
    }
    let values = if v_in_k { &kv.keys } else { &kv.values };
    let value_bytes = kind.weight_type().bytes_for(spec.value_dim as u64).unwrap_or(0) as usize;
    s.value.resize(spec.value_dim, 0.0);
    out.fill(0.0);
    for (p, row) in values.rows(head, first, pos + 1).chunks_exact(values.row_bytes).enumerate() {
        (format.dequantize)(&row[..value_bytes], &mut s.value);
        for (g, out) in out.chunks_exact_mut(spec.value_dim).enumerate() {
            math::add_scaled(level, out, &s.value, s.scores[g * count + p]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back_within_its_rounding() {
        let x: Vec<f32> = (0..64).map(|i| (i as f32 - 31.5) / 7.0).collect();
        for (kind, tolerance) in [(KvKind::F32, 0.0), (KvKind::F16, 2e-3), (KvKind::Q8_0, 2e-2)] {
            let ty = kind.weight_type();
            let mut bytes = vec![0; ty.bytes_for(64).unwrap() as usize];
            encode(kind, &x, &mut bytes);
            let mut back = vec![0.0; 64];
            (format(ty).dequantize)(&bytes, &mut back);
            assert!(x.iter().zip(&back).all(|(a, b)| (a - b).abs() <= tolerance), "{kind:?}");
        }
    }
}
