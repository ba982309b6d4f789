//! Routed experts of the reference.

use super::{ReferenceDevice, ops};
use crate::compute::{Act, ExpertJob, ExpertOps, Routing};
use crate::error::{Error, Result};
use crate::expert::ExpertLayer;

impl ReferenceDevice {
    /// One expert on all its rows; the results stand in `host.results`.
    pub(super) fn expert(&mut self, layer: &ExpertLayer, spec: &ExpertOps, job: &ExpertJob<'_>) -> Result<()> {
        let input = self.host.expert_input;
        let (x, _, k) = input.ok_or_else(|| Error::Device("experts run before they begin".into()))?;
        let buf = self.host.slot(job.slot)?;
        let expert = job.expert as usize;
        // y = (W x) * scale + bias, for every use: (uses, rows)
        let product = |m: usize, input: &dyn Fn(usize) -> Vec<f32>| -> Vec<Vec<f32>> {
            let matrix = &layer.matrices[m];
            let scale = spec.scales[m].map_or(1.0, |s| self.host.floats(s)[expert]);
            let bias = spec.biases.map(|b| vector(self.host.floats(b[m]), expert, matrix.rows));
            let inputs: Vec<Vec<f32>> = (0..job.uses.len()).map(input).collect();
            let mut out = vec![vec![0.0; matrix.rows]; job.uses.len()];
            ops::for_each_row(matrix.ty, buf.matrix(matrix), matrix.row_bytes(), matrix.cols, |r, row| {
                for (y, x) in out.iter_mut().zip(&inputs) {
                    y[r] = ops::dot(row, x) * scale + bias.map_or(0.0, |b| b[r]);
                }
            });
            out
        };
        let token = |u: usize| self.host.act(x).row(job.uses[u] as usize / k).to_vec();
        let (gate, up) = (product(0, &token), product(1, &token));
        let inner = |u: usize| -> Vec<f32> {
            gate[u].iter().zip(&up[u]).map(|(&g, &v)| ops::activate(spec.activation, g, v)).collect()
        };
        let down = product(2, &inner);
        for (&at, y) in job.uses.iter().zip(down) {
            self.host.results.row_mut(at as usize)[..y.len()].copy_from_slice(&y);
        }
        Ok(())
    }

    /// The weighted sum of each token's experts, in the router's order.
    pub(super) fn combine(&mut self, routing: &Routing, out: Act) {
        let mut sum = self.host.take(out);
        for (t, row) in sum.rows_mut(routing.weights.len() / routing.k).enumerate() {
            row.fill(0.0);
            for rank in t * routing.k..(t + 1) * routing.k {
                let weight = routing.weights[rank];
                row.iter_mut().zip(self.host.results.row(rank)).for_each(|(y, r)| *y += weight * r);
            }
        }
        self.host.put_back(out, sum);
    }
}

/// Row `expert` of a table with rows of `n`.
fn vector(table: &[f32], expert: usize, n: usize) -> &[f32] {
    &table[expert * n..(expert + 1) * n]
}
