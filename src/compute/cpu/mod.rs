//! The CPU device: integer dot kernels on 8-bit activations, on all threads of a pool.
//!
//! Every output element is computed from its own row of activations, by one thread, in an order fixed by the shapes
//! (see [`quant`](crate::quant)), so neither threads nor batch splits change a bit.

mod attention;
mod experts;
mod linear;
pub mod math;

use std::io::Read;
use std::ops::Range;

use rayon::prelude::*;

use crate::compute::host::Host;
use crate::compute::reference::ops::head_ranges;
use crate::compute::{
    Act, Activation, Attention, Device, DeviceInfo, ExpertDevice, ExpertJob, ExpertOps, Footprint, Heads, KvKind,
    KvSpec, Linear, Norm, RopeKind, Routing, StepSizes, Weight, WeightDesc, reference,
};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertLayer, SlotClass, SlotId};
use crate::os;
use crate::quant::{Acts, CpuLevel};

/// Tokens per forward pass in prefill unless the budget is tight.
const BATCH: usize = 512;

/// See the module.
pub struct CpuDevice {
    level: CpuLevel,
    pool: rayon::ThreadPool,
    host: Host,
    kv: Vec<attention::LayerKv>,
    kv_kind: KvKind,
    acts: Acts,
    /// Products of several columns before they are transposed: `(rows, columns)`.
    product: Vec<f32>,
    experts: experts::Scratch,
}

impl CpuDevice {
    /// A device on `threads` threads with the kernels of `level`.
    pub fn new(level: CpuLevel, threads: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("compute-{i}"))
            .build()
            .map_err(|e| Error::Device(format!("cannot start {threads} threads: {e}")))?;
        Ok(Self {
            level,
            pool,
            host: Host::default(),
            kv: Vec::new(),
            kv_kind: KvKind::F16,
            acts: Acts::new(level),
            product: Vec::new(),
            experts: experts::Scratch::new(level),
        })
    }

    /// Runs `each` on every one of the first `n` rows of `x`, in parallel where there are several.
    fn rows(&mut self, n: usize, x: Act, each: impl Fn(usize, &mut [f32], &Host) + Sync) {
        let mut out = self.host.take(x);
        let host = &self.host;
        if n == 1 {
            each(0, out.row_mut(0), host);
        } else {
            let width = out.width;
            let rows = out.data[..n * width].par_chunks_exact_mut(width).enumerate();
            self.pool.install(|| rows.for_each(|(t, row)| each(t, row, host)));
        }
        self.host.put_back(x, out);
    }
}

impl Device for CpuDevice {
    fn info(&self) -> DeviceInfo {
        let name =
            format!("{}, {} kernels, {} threads", os::cpu_name(), self.level.name(), self.pool.current_num_threads());
        DeviceInfo { kind: "cpu", name, shares_memory: true }
    }

    fn footprint(&self) -> Footprint {
        Footprint {
            memory_bytes: None,
            driver_bytes: 0,
            batch: BATCH,
            batch_fixed: false,
            staged: false,
            kv_only: None,
        }
    }

    fn scratch_bytes(&self, sizes: &StepSizes) -> u64 {
        sizes.scratch_bytes(self.pool.current_num_threads())
    }

    fn check_kv(&self, spec: &KvSpec, kind: KvKind) -> Result<()> {
        attention::check(spec, kind)
    }

    fn load_weight(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight> {
        self.host.load(desc, data)
    }

    fn new_act(&mut self, width: usize, max_rows: usize) -> Result<Act> {
        Ok(self.host.new_act(width, max_rows))
    }

    fn new_kv(&mut self, layers: &[KvSpec], ctx: usize, kind: KvKind) -> Result<()> {
        self.kv = layers.iter().map(|spec| attention::LayerKv::new(spec, ctx, kind)).collect::<Result<_>>()?;
        self.kv_kind = kind;
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
        let level = self.level;
        self.rows(n, dst, |t, row, host| {
            if src != dst {
                row.copy_from_slice(host.act(src).row(t));
            }
            let bias = norm.bias.map(|b| host.floats(b));
            for head in head_ranges(norm.heads) {
                math::rms_norm(level, &mut row[head], host.floats(norm.weight), bias, norm.eps);
            }
        });
        Ok(())
    }

    fn linear(&mut self, n: usize, linear: &Linear, src: Act, dst: Act) -> Result<()> {
        self.linear_layer(n, linear, src, dst);
        Ok(())
    }

    fn linear_heads(&mut self, n: usize, weight: Weight, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        self.head_layers(n, weight, src, dst);
        Ok(())
    }

    fn rope(&mut self, n: usize, x: Act, heads: Heads, kind: RopeKind, table: Act) -> Result<()> {
        self.rows(n, x, |t, row, host| {
            let table = &host.act(table).row(t)[..heads.width];
            for head in head_ranges(heads) {
                reference::ops::rope(&mut row[head], kind, table);
            }
        });
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
        self.store_kv(n, pos, spec.layer, k, v);
        self.attend(n, pos, spec, q, v.is_none(), out);
        Ok(())
    }

    fn glu(&mut self, n: usize, width: usize, activation: Activation, gate: Act, up: Act, dst: Act) -> Result<()> {
        let level = self.level;
        self.rows(n, dst, |t, row, host| {
            let row = &mut row[..width];
            if gate != dst {
                row.copy_from_slice(&host.act(gate).row(t)[..width]);
            }
            math::glu(level, activation, row, &host.act(up).row(t)[..width]);
        });
        Ok(())
    }

    fn add(&mut self, n: usize, dst: Act, src: Act, factor: f32) -> Result<()> {
        self.rows(n, dst, |t, row, host| {
            row.iter_mut().zip(host.act(src).row(t)).for_each(|(y, x)| *y += x * factor);
        });
        Ok(())
    }

    fn scale_rows(&mut self, n: usize, x: Act, factors: Act, sigmoid: bool) -> Result<()> {
        self.rows(n, x, |t, row, host| {
            let f = host.act(factors).row(t)[0];
            let f = if sigmoid { 1.0 / (1.0 + math::exp(-f)) } else { f };
            row.iter_mut().for_each(|y| *y *= f);
        });
        Ok(())
    }

    fn copy_heads(&mut self, n: usize, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        self.rows(n, dst.0, |t, row, host| {
            for (a, b) in head_ranges(src.1).zip(head_ranges(dst.1)) {
                row[b].copy_from_slice(&host.act(src.0).row(t)[a]);
            }
        });
        Ok(())
    }

    fn select_rows(&mut self, src: Act, rows: &[usize], dst: Act) -> Result<()> {
        self.rows(rows.len(), dst, |t, row, host| row.copy_from_slice(host.act(src).row(rows[t])));
        Ok(())
    }
}

impl ExpertDevice for CpuDevice {
    fn slot_take(&mut self, slot: SlotId) -> Option<ExpertBuf> {
        self.host.slot_take(slot)
    }

    fn slot_put(&mut self, slot: SlotId, _layer: &ExpertLayer, buf: ExpertBuf) -> Result<Option<ExpertBuf>> {
        self.host.slot_put(slot, buf)?;
        Ok(None)
    }

    fn experts_begin(&mut self, n: usize, k: usize, x: Act) -> Result<()> {
        self.host.expert_input = Some((x, n, k));
        self.experts.begin();
        Ok(())
    }

    fn experts_run(&mut self, layer: &ExpertLayer, ops: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()> {
        self.run_experts(layer, ops, jobs)
    }

    fn experts_end(&mut self, routing: &Routing, out: Act) -> Result<()> {
        self.rows(routing.weights.len() / routing.k, out, |t, row, host| {
            row.fill(0.0);
            for rank in t * routing.k..(t + 1) * routing.k {
                let weight = routing.weights[rank];
                row.iter_mut().zip(host.results.row(rank)).for_each(|(y, r)| *y += weight * r);
            }
        });
        Ok(())
    }
}
