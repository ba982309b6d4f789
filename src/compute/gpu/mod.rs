//! The GPU device: wgpu and WGSL.
//!
//! [`adapter`] finds and opens an adapter, `engine` records and runs dispatches, [`shaders`] puts WGSL together,
//! [`repack`] brings weights into whole words; `linear`, `ops`, `attention` and `experts` are the operations.
//!
//! Work is recorded into one command encoder and submitted by what needs its result: [`Device::download`], and writes into
//! memory that recorded work still reads.

pub mod adapter;
mod attention;
mod engine;
mod expert_params;
mod experts;
mod linear;
mod ops;
pub mod repack;
pub mod shaders;

use std::io::Read;
use std::ops::Range;

use super::{
    Act, Activation, Attention, Device, DeviceInfo, ExpertDevice, ExpertJob, ExpertOps, Footprint, Heads, KvKind,
    KvSpec, Linear, Norm, RopeKind, Routing, Weight, WeightDesc,
};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertLayer, SlotClass, SlotId};
pub use adapter::{AdapterInfo, AdapterKind, Selector, adapters};
pub use attention::kv_bytes;
use engine::{Binding, Buf, Engine};
pub use experts::packed_expert_bytes;

/// Rows of an activation matrix that is bound in parts start at multiples of this, so that every offset is a multiple of
/// 256 bytes, the largest alignment that an adapter may ask for.
const ROW_STEP: usize = 64;

/// An activation matrix in GPU memory.
struct ActBuf {
    buf: Buf,
    width: usize,
    max_rows: usize,
    /// Whether the whole matrix fits one binding.
    whole: bool,
}

impl ActBuf {
    /// The binding of some rows; from the first row on it is all of the matrix where that fits, so that bind groups are
    /// reused whatever the number of rows.
    fn rows(&self, rows: &Range<usize>) -> Binding {
        if self.whole && rows.start == 0 {
            return self.buf.into();
        }
        let row = self.width as u64 * 4;
        Binding { buf: self.buf, offset: rows.start as u64 * row, bytes: rows.len() as u64 * row }
    }
}

/// Tokens per forward pass in prefill; the same for every budget.
const BATCH: usize = 128;
/// What drivers were seen to take of the machine's memory, with the transfer buffers of this device.
const DRIVER_BYTES: u64 = 256 << 20;

/// The device.
pub struct GpuDevice {
    engine: Engine,
    weights: Vec<linear::GpuWeight>,
    acts: Vec<ActBuf>,
    /// Stands in for absent biases, sinks and the like.
    nothing: Buf,
    kv: attention::Kv,
    experts: experts::Experts,
}

impl GpuDevice {
    /// Opens an adapter; `budget` bounds the bytes that all buffers together take.
    pub fn open(selector: Selector, budget: Option<u64>) -> Result<Self> {
        let mut engine = Engine::open(selector, budget)?;
        let nothing = engine.buffer(256, "the empty buffer")?;
        let experts = experts::Experts::new(nothing);
        Ok(Self { engine, weights: Vec::new(), acts: Vec::new(), nothing, kv: attention::Kv::default(), experts })
    }

    /// The adapter in use.
    pub fn adapter(&self) -> &AdapterInfo {
        &self.engine.info
    }

    /// Bytes of all buffers that were allocated. The driver's own memory (pipelines, staging) comes on top.
    pub fn bytes_allocated(&self) -> u64 {
        self.engine.allocated()
    }

    /// Cuts `n` rows so that each part of each of these matrices fits one binding.
    fn spans(&self, n: usize, acts: &[Act]) -> Result<Vec<Range<usize>>> {
        debug_assert!(acts.iter().all(|a| n <= self.acts[a.0].max_rows));
        let Some(width) = acts.iter().map(|a| &self.acts[a.0]).filter(|a| !a.whole).map(|a| a.width).max() else {
            return Ok(std::iter::once(0..n).collect());
        };
        let step = (self.engine.max_binding() / (width as u64 * 4)) as usize / ROW_STEP * ROW_STEP;
        if step == 0 {
            return Err(Error::Device(format!(
                "{}: {ROW_STEP} rows of {width} activations are above its largest binding of {} bytes",
                self.engine.info.name,
                self.engine.max_binding()
            )));
        }
        Ok((0..n).step_by(step).map(|r| r..(r + step).min(n)).collect())
    }
}

/// A size or count as a shader takes it.
///
/// Bindings are at most 2^32 words, so every index into one fits.
fn u32_of(value: usize) -> u32 {
    u32::try_from(value).expect("sizes inside one binding are below 2^32")
}

impl Device for GpuDevice {
    fn info(&self) -> DeviceInfo {
        let adapter = &self.engine.info;
        DeviceInfo {
            kind: "gpu",
            name: format!("{} ({})", adapter.name, adapter.backend),
            shares_memory: adapter.shares_memory(),
        }
    }

    fn footprint(&self) -> Footprint {
        let apart = !self.engine.info.shares_memory();
        Footprint {
            memory_bytes: self.engine.info.memory_bytes.filter(|_| apart),
            driver_bytes: DRIVER_BYTES,
            batch: BATCH,
            batch_fixed: true,
            staged: true,
            kv_only: None,
        }
    }

    fn slot_bytes(&self, layer: &ExpertLayer) -> Result<usize> {
        Ok(packed_expert_bytes(layer)? as usize)
    }

    fn kv_bytes(&self, spec: &KvSpec, ctx: usize, kind: KvKind) -> u64 {
        kv_bytes(spec, ctx, kind)
    }

    fn check_kv(&self, spec: &KvSpec, _kind: KvKind) -> Result<()> {
        attention::check(spec)
    }

    fn load_weight(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight> {
        self.weights.push(linear::GpuWeight::load(&mut self.engine, desc, data)?);
        Ok(Weight(self.weights.len() - 1))
    }

    fn new_act(&mut self, width: usize, max_rows: usize) -> Result<Act> {
        let bytes = (width as u64).saturating_mul(max_rows as u64).saturating_mul(4);
        let buf = self.engine.buffer(bytes, &format!("{max_rows} rows of {width} activations"))?;
        self.acts.push(ActBuf { buf, width, max_rows, whole: bytes <= self.engine.max_binding() });
        Ok(Act(self.acts.len() - 1))
    }

    fn new_kv(&mut self, layers: &[KvSpec], ctx: usize, kind: KvKind) -> Result<()> {
        self.kv = attention::Kv::new(&mut self.engine, layers, ctx, kind)?;
        Ok(())
    }

    fn new_slots(&mut self, classes: &[SlotClass], layers: &[ExpertLayer], max_uses: usize) -> Result<()> {
        self.experts.allocate(&mut self.engine, classes, layers, max_uses)
    }

    fn upload(&mut self, dst: Act, rows: &[f32]) -> Result<()> {
        debug_assert!(rows.len() <= self.acts[dst.0].width * self.acts[dst.0].max_rows);
        // what is recorded may still read the old content
        self.engine.submit()?;
        self.engine.write(self.acts[dst.0].buf, 0, bytemuck::cast_slice(rows))
    }

    fn download(&mut self, src: Act, rows: Range<usize>) -> Result<Vec<f32>> {
        let act = &self.acts[src.0];
        let row = act.width as u64 * 4;
        self.engine.read(act.buf, rows.start as u64 * row, rows.len() as u64 * row)
    }

    fn rms_norm(&mut self, n: usize, src: Act, dst: Act, norm: &Norm) -> Result<()> {
        self.run_rms_norm(n, src, dst, norm)
    }

    fn linear(&mut self, n: usize, linear: &Linear, src: Act, dst: Act) -> Result<()> {
        self.run_linear(n, linear, src, dst)
    }

    fn linear_heads(&mut self, n: usize, weight: Weight, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        self.run_linear_heads(n, weight, src, dst)
    }

    fn rope(&mut self, n: usize, x: Act, heads: Heads, kind: RopeKind, table: Act) -> Result<()> {
        self.run_rope(n, x, heads, kind, table)
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
        self.run_attention(n, pos, spec, [q, k, out], v)
    }

    fn glu(&mut self, n: usize, width: usize, activation: Activation, gate: Act, up: Act, dst: Act) -> Result<()> {
        self.run_glu(n, width, activation, [gate, up, dst])
    }

    fn add(&mut self, n: usize, dst: Act, src: Act, factor: f32) -> Result<()> {
        self.run_add(n, dst, src, factor)
    }

    fn scale_rows(&mut self, n: usize, x: Act, factors: Act, sigmoid: bool) -> Result<()> {
        self.run_scale_rows(n, x, factors, sigmoid)
    }

    fn copy_heads(&mut self, n: usize, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        self.run_copy_heads(n, src, dst)
    }

    fn select_rows(&mut self, src: Act, rows: &[usize], dst: Act) -> Result<()> {
        self.run_select_rows(src, rows, dst)
    }
}

impl ExpertDevice for GpuDevice {
    fn slot_take(&mut self, _slot: SlotId) -> Option<ExpertBuf> {
        None
    }

    fn slot_put(&mut self, slot: SlotId, layer: &ExpertLayer, buf: ExpertBuf) -> Result<Option<ExpertBuf>> {
        self.experts.put(&mut self.engine, slot, layer, &buf)?;
        Ok(Some(buf))
    }

    fn experts_begin(&mut self, n: usize, k: usize, x: Act) -> Result<()> {
        self.experts.begin(n, k, self.acts[x.0].buf, self.acts[x.0].width);
        Ok(())
    }

    fn experts_run(&mut self, layer: &ExpertLayer, ops: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()> {
        self.experts.run(&mut self.engine, &self.weights, layer, ops, jobs)
    }

    fn experts_end(&mut self, routing: &Routing, out: Act) -> Result<()> {
        let out = &self.acts[out.0];
        self.experts.end(&mut self.engine, routing, out.buf, out.width)
    }
}
