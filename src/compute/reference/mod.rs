//! The reference device: the plainest code that can be, the oracle of the other two.
//!
//! Weights are dequantised row by row when they are used, activations and the KV cache are F32, sums run in f64 from the
//! first element to the last. Slow on purpose.

mod attention;
mod experts;
pub mod ops;

use std::io::Read;
use std::ops::Range;

use crate::compute::host::Host;
use crate::compute::{
    Act, Activation, Attention, Device, DeviceInfo, ExpertDevice, ExpertJob, ExpertOps, Footprint, Heads, KvKind,
    KvSpec, Linear, Norm, RopeKind, Routing, Weight, WeightDesc,
};
use crate::error::Result;
use crate::expert::{ExpertBuf, ExpertLayer, SlotClass, SlotId};

/// See the module.
#[derive(Default)]
pub struct ReferenceDevice {
    host: Host,
    kv: Vec<LayerKv>,
}

/// Keys `(ctx, key_width)` and values `(ctx, value_width)` of one layer.
struct LayerKv {
    key_width: usize,
    value_width: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl Device for ReferenceDevice {
    fn info(&self) -> DeviceInfo {
        DeviceInfo { kind: "reference", name: "scalar F32, one thread".into(), shares_memory: true }
    }

    fn footprint(&self) -> Footprint {
        Footprint {
            memory_bytes: None,
            driver_bytes: 0,
            batch: 512,
            batch_fixed: false,
            staged: false,
            kv_only: Some(KvKind::F32),
        }
    }

    fn load_weight(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight> {
        self.host.load(desc, data)
    }

    fn new_act(&mut self, width: usize, max_rows: usize) -> Result<Act> {
        Ok(self.host.new_act(width, max_rows))
    }

    /// The reference keeps F32 whatever `kind` says; see its footprint.
    fn new_kv(&mut self, layers: &[KvSpec], ctx: usize, _kind: KvKind) -> Result<()> {
        let new = |spec: &KvSpec| LayerKv {
            key_width: spec.key_width,
            value_width: spec.value_width,
            keys: vec![0.0; ctx * spec.key_width],
            values: vec![0.0; ctx * spec.value_width],
        };
        self.kv = layers.iter().map(new).collect();
        Ok(())
    }

    fn new_slots(&mut self, classes: &[SlotClass], layers: &[ExpertLayer], max_uses: usize) -> Result<()> {
        self.host.new_slots(classes, layers, max_uses);
        Ok(())
    }

    fn upload(&mut self, dst: Act, rows: &[f32]) -> Result<()> {
        self.host.upload(dst, rows);
        Ok(())
    }

    fn download(&mut self, src: Act, rows: Range<usize>) -> Result<Vec<f32>> {
        Ok(self.host.download(src, rows))
    }

    fn rms_norm(&mut self, n: usize, src: Act, dst: Act, norm: &Norm) -> Result<()> {
        if src != dst {
            let (from, mut to) = (self.host.act(src).rows(n).to_vec(), self.host.take(dst));
            to.data[..from.len()].copy_from_slice(&from);
            self.host.put_back(dst, to);
        }
        let weight = self.host.floats(norm.weight).to_vec();
        let bias = norm.bias.map(|b| self.host.floats(b).to_vec());
        for row in self.host.act_mut(dst).rows_mut(n) {
            for head in ops::head_ranges(norm.heads) {
                ops::rms_norm(&mut row[head], &weight, bias.as_deref(), norm.eps);
            }
        }
        Ok(())
    }

    fn linear(&mut self, n: usize, linear: &Linear, src: Act, dst: Act) -> Result<()> {
        let mut out = self.host.take(dst);
        let (w, x) = (self.host.weight(linear.weight), self.host.act(src));
        ops::for_each_row(w.ty, w.bytes(), w.row_bytes, w.cols, |r, row| {
            for t in 0..n {
                out.row_mut(t)[r] = ops::dot(row, x.row(t)) * linear.scale;
            }
        });
        if let Some(bias) = linear.bias {
            let bias = self.host.floats(bias);
            out.rows_mut(n).for_each(|row| row.iter_mut().zip(bias).for_each(|(y, b)| *y += b));
        }
        self.host.put_back(dst, out);
        Ok(())
    }

    fn linear_heads(&mut self, n: usize, weight: Weight, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        let mut out = self.host.take(dst.0);
        let (w, x) = (self.host.weight(weight), self.host.act(src.0));
        for (h, (from, to)) in ops::head_ranges(src.1).zip(ops::head_ranges(dst.1)).enumerate().take(w.mats) {
            ops::for_each_row(w.ty, w.matrix(h), w.row_bytes, w.cols, |r, row| {
                for t in 0..n {
                    out.row_mut(t)[to.start + r] = ops::dot(row, &x.row(t)[from.clone()]);
                }
            });
        }
        self.host.put_back(dst.0, out);
        Ok(())
    }

    fn rope(&mut self, n: usize, x: Act, heads: Heads, kind: RopeKind, table: Act) -> Result<()> {
        let mut out = self.host.take(x);
        let table = self.host.act(table);
        for (t, row) in out.rows_mut(n).enumerate() {
            for head in ops::head_ranges(heads) {
                ops::rope(&mut row[head], kind, &table.row(t)[..heads.width]);
            }
        }
        self.host.put_back(x, out);
        Ok(())
    }

    fn attention(
        &mut self,
        n: usize,
        pos: usize,
        spec: &Attention,
        q: Act,
        k: Act,
        v: Option<Act>,
        out: Act,
    ) -> Result<()> {
        self.attend(n, pos, spec, q, (k, v), out);
        Ok(())
    }

    fn glu(&mut self, n: usize, width: usize, activation: Activation, gate: Act, up: Act, dst: Act) -> Result<()> {
        let gates = self.host.act(gate).data.clone();
        let gate_width = self.host.act(gate).width;
        let mut out = self.host.take(dst);
        let ups = if up == dst { &gates } else { &self.host.act(up).data };
        let up_width = if up == dst { gate_width } else { self.host.act(up).width };
        for (t, row) in out.rows_mut(n).enumerate() {
            for (i, y) in row[..width].iter_mut().enumerate() {
                *y = ops::activate(activation, gates[t * gate_width + i], ups[t * up_width + i]);
            }
        }
        self.host.put_back(dst, out);
        Ok(())
    }

    fn add(&mut self, n: usize, dst: Act, src: Act, factor: f32) -> Result<()> {
        let mut out = self.host.take(dst);
        let from = self.host.act(src).rows(n);
        out.data.iter_mut().zip(from).for_each(|(y, x)| *y += x * factor);
        self.host.put_back(dst, out);
        Ok(())
    }

    fn scale_rows(&mut self, n: usize, x: Act, factors: Act, sigmoid: bool) -> Result<()> {
        let mut out = self.host.take(x);
        for (t, row) in out.rows_mut(n).enumerate() {
            let f = self.host.act(factors).row(t)[0];
            let f = if sigmoid { ops::sigmoid(f) } else { f };
            row.iter_mut().for_each(|y| *y *= f);
        }
        self.host.put_back(x, out);
        Ok(())
    }

    fn copy_heads(&mut self, n: usize, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        let mut out = self.host.take(dst.0);
        let from = self.host.act(src.0);
        for (t, row) in out.rows_mut(n).enumerate() {
            for (a, b) in ops::head_ranges(src.1).zip(ops::head_ranges(dst.1)) {
                row[b].copy_from_slice(&from.row(t)[a]);
            }
        }
        self.host.put_back(dst.0, out);
        Ok(())
    }

    fn select_rows(&mut self, src: Act, rows: &[usize], dst: Act) -> Result<()> {
        let mut out = self.host.take(dst);
        for (to, &from) in out.rows_mut(rows.len()).zip(rows) {
            to.copy_from_slice(self.host.act(src).row(from));
        }
        self.host.put_back(dst, out);
        Ok(())
    }
}

impl ExpertDevice for ReferenceDevice {
    fn slot_take(&mut self, slot: SlotId) -> Option<ExpertBuf> {
        self.host.slot_take(slot)
    }

    fn slot_put(&mut self, slot: SlotId, _layer: &ExpertLayer, buf: ExpertBuf) -> Result<Option<ExpertBuf>> {
        self.host.slot_put(slot, buf)?;
        Ok(None)
    }

    fn experts_begin(&mut self, n: usize, k: usize, x: Act) -> Result<()> {
        self.host.expert_input = Some((x, n, k));
        Ok(())
    }

    fn experts_run(&mut self, layer: &ExpertLayer, ops: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()> {
        jobs.iter().try_for_each(|job| self.expert(layer, ops, job))
    }

    fn experts_end(&mut self, routing: &Routing, out: Act) -> Result<()> {
        self.combine(routing, out);
        Ok(())
    }
}
