//! Attention of the reference: scores of all visible positions, softmax, weighted sum.

use super::{ReferenceDevice, ops};
use crate::compute::{Act, Attention};

impl ReferenceDevice {
    pub(super) fn attend(&mut self, n: usize, pos: usize, spec: &Attention, q: Act, kv: (Act, Option<Act>), out: Act) {
        let layer = &mut self.kv[spec.layer];
        for t in 0..n {
            let (kw, vw) = (layer.key_width, layer.value_width);
            layer.keys[(pos + t) * kw..][..kw].copy_from_slice(&self.host.act(kv.0).row(t)[..kw]);
            if let Some(v) = kv.1 {
                layer.values[(pos + t) * vw..][..vw].copy_from_slice(&self.host.act(v).row(t)[..vw]);
            }
        }
        // without values of their own, a key's head of elements are its values
        let (values, value_width) = match kv.1 {
            Some(_) => (&layer.values, layer.value_width),
            None => (&layer.keys, layer.key_width),
        };
        let value_stride = if kv.1.is_some() { spec.value_dim } else { spec.key_dim };
        let sinks = spec.sinks.map(|s| self.host.floats(s).to_vec());
        let mut result = self.host.take(out);
        for t in 0..n {
            let query_row = self.host.act(q).row(t);
            let first = spec.window.map_or(0, |w| (pos + t + 1).saturating_sub(w));
            for head in 0..spec.heads {
                let kv_head = head / (spec.heads / spec.kv_heads);
                let query = &query_row[head * spec.key_dim..][..spec.key_dim];
                let mut scores: Vec<f32> = (first..=pos + t)
                    .map(|p| {
                        let key = &layer.keys[p * layer.key_width + kv_head * spec.key_dim..][..spec.key_dim];
                        ops::dot(query, key) * spec.scale
                    })
                    .collect();
                softmax(&mut scores, sinks.as_ref().map(|s| s[head]));
                let sum = &mut result.row_mut(t)[head * spec.value_dim..][..spec.value_dim];
                for (i, y) in sum.iter_mut().enumerate() {
                    let weighted = scores.iter().enumerate().map(|(s, &w)| {
                        let value = values[(first + s) * value_width + kv_head * value_stride + i];
                        f64::from(w) * f64::from(value)
                    });
                    *y = weighted.sum::<f64>() as f32;
                }
            }
        }
        self.host.put_back(out, result);
    }
}

/// Softmax in place; a sink takes part in the maximum and the denominator.
fn softmax(scores: &mut [f32], sink: Option<f32>) {
    let max = scores.iter().copied().fold(sink.unwrap_or(f32::NEG_INFINITY), f32::max);
    let mut sum = sink.map_or(0.0, |s| f64::from((s - max).exp()));
    for s in scores.iter_mut() {
        *s = (*s - max).exp();
        sum += f64::from(*s);
    }
    scores.iter_mut().for_each(|s| *s = (f64::from(*s) / sum) as f32);
}
