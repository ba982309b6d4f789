//! Routed experts: slots in slab buffers, and the three dispatches that compute them.
//!
//! A slab is bound whole and a slot addressed by its first word, so one bind group serves all slots of a slab. What a call
//! computes goes into the plan, a buffer that is filled from the front and starts over when a submission has been made:
//! tiles (slot, expert, uses) and uses, then the router's weights.

use super::engine::{Buf, Engine, GRID_MAX, fold};
use super::linear::{GpuWeight, no_kernel};
use super::ops::{activation_params, per_element};
use super::repack::Layout;
use super::shaders::{ROWS, Shader, TILE};
use super::u32_of;
use crate::compute::{ExpertJob, ExpertOps, Routing};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertLayer, ExpertMatrix, SlotClass, SlotId};

/// Largest slab, whatever the adapter allows.
const SLAB_MAX: u64 = 1 << 30;
/// Calls whose plans fit before a submission.
const PLANNED_CALLS: usize = 4;

/// Twin: `Params` in shaders/expert_gate_up.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct GateUpParams {
    cols: u32,
    rows: u32,
    k: u32,
    x_row: u32,
    gate_start: u32,
    gate_row: u32,
    up_start: u32,
    up_row: u32,
    tiles: u32,
    uses: u32,
    has: u32,
    gate_bias_row: u32,
    up_bias_row: u32,
    kind: u32,
    alpha: f32,
    limit: f32,
}
const _: () = assert!(size_of::<GateUpParams>() == 64);

/// Twin: `Params` in shaders/expert_down.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct DownParams {
    cols: u32,
    rows: u32,
    start: u32,
    row_words: u32,
    tiles: u32,
    uses: u32,
    has: u32,
    bias_row: u32,
}
const _: () = assert!(size_of::<DownParams>() == 32);

/// Twin: `Params` in shaders/expert_combine.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct CombineParams {
    count: u32,
    width: u32,
    k: u32,
    dst_row: u32,
    weights: u32,
}
const _: () = assert!(size_of::<CombineParams>() == 20);

/// A matrix inside a slot.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    row_words: usize,
}

/// Where gate, up and down stand in a slot, and the words of all three.
fn places(layer: &ExpertLayer) -> Result<([Place; 3], usize)> {
    let mut words = 0;
    let mut places = [Place { start: 0, row_words: 0 }; 3];
    for (place, m) in places.iter_mut().zip(&layer.matrices) {
        *place = Place { start: words, row_words: layout(m, layer)?.row_words(m.cols) };
        words += m.rows * place.row_words;
    }
    Ok((places, words))
}

fn layout(m: &ExpertMatrix, layer: &ExpertLayer) -> Result<&'static Layout> {
    Layout::of(m.ty).ok_or_else(|| no_kernel(m.ty, &format!("experts of layer {}", layer.layer)))
}

/// Bytes of GPU memory that one expert of this layer takes; an error where a storage type has no kernel.
pub fn packed_expert_bytes(layer: &ExpertLayer) -> Result<u64> {
    Ok(places(layer)?.1 as u64 * 4)
}

/// The slots of one class, spread over slabs.
struct Pool {
    first_slot: usize,
    slot_words: usize,
    slots_per_slab: usize,
    first_slab: usize,
}

pub(super) struct Experts {
    pools: Vec<Pool>,
    slabs: Vec<Buf>,
    /// The submission in which a slot was last read.
    last_read: Vec<Option<u64>>,
    /// activation(gate, up), `(uses, width)`.
    hidden: Buf,
    /// Results `(uses, d_model)`.
    results: Buf,
    plan: Buf,
    plan_words: usize,
    plan_used: usize,
    plan_submission: u64,
    nothing: Buf,
    n: usize,
    k: usize,
    x: Buf,
    x_row: usize,
    /// Outputs of an expert.
    d_model: usize,
}

impl Experts {
    pub fn new(nothing: Buf) -> Self {
        Self {
            pools: Vec::new(),
            slabs: Vec::new(),
            last_read: Vec::new(),
            hidden: nothing,
            results: nothing,
            plan: nothing,
            plan_words: 0,
            plan_used: 0,
            plan_submission: 0,
            nothing,
            n: 0,
            k: 1,
            x: nothing,
            x_row: 0,
            d_model: 0,
        }
    }

    pub fn allocate(
        &mut self,
        engine: &mut Engine,
        classes: &[SlotClass],
        layers: &[ExpertLayer],
        max_uses: usize,
    ) -> Result<()> {
        let max_slab = engine.max_binding().min(SLAB_MAX);
        for (c, class) in classes.iter().enumerate() {
            let mut slot_words = 0;
            for layer in layers.iter().filter(|l| l.class == c) {
                slot_words = slot_words.max(places(layer)?.1);
            }
            let slot_bytes = slot_words as u64 * 4;
            if slot_bytes > max_slab {
                return Err(Error::Device(format!(
                    "{}: an expert takes {slot_bytes} bytes, above its largest binding of {max_slab}; use --device cpu",
                    engine.info.name
                )));
            }
            let slots_per_slab = ((max_slab / slot_bytes.max(4)) as usize).max(1);
            let (first_slot, first_slab) = (self.last_read.len(), self.slabs.len());
            for first in (0..class.slots).step_by(slots_per_slab) {
                let slots = slots_per_slab.min(class.slots - first);
                self.slabs.push(engine.buffer(slots as u64 * slot_bytes, "expert slots")?);
            }
            self.pools.push(Pool { first_slot, slot_words, slots_per_slab, first_slab });
            self.last_read.resize(first_slot + class.slots, None);
        }
        let largest = |m: usize| layers.iter().map(|l| l.matrices[m].rows).max().unwrap_or(0);
        for (rows, what, buf) in
            [(largest(0), "expert activations", &mut self.hidden), (largest(2), "expert results", &mut self.results)]
        {
            let bytes = (rows * max_uses * 4) as u64;
            if bytes > engine.max_binding() {
                return Err(Error::Device(format!(
                    "{}: {what} of a batch take {bytes} bytes, above its largest binding of {}; use a smaller --batch",
                    engine.info.name,
                    engine.max_binding()
                )));
            }
            *buf = engine.buffer(bytes, what)?;
        }
        self.d_model = largest(2);
        // per use: at most one tile of four words, the use, the router's weight
        self.plan_words = (max_uses * 6 * PLANNED_CALLS).max(16 << 10);
        self.plan = engine.buffer(self.plan_words as u64 * 4, "expert plans")?;
        for layer in layers {
            let [gate, up, down] = layer.matrices;
            for cols in [1, TILE] {
                let fours = gate.cols.is_multiple_of(4);
                engine.prepare(&Shader::ExpertGateUp { gate: gate.ty, up: up.ty, cols, fours })?;
                let fours = down.cols.is_multiple_of(4);
                engine.prepare(&Shader::ExpertDown { ty: down.ty, cols, fours })?;
            }
        }
        Ok(())
    }

    /// `(slab, first word)` of a slot.
    fn locate(&self, slot: SlotId) -> (usize, usize) {
        let slot = slot.0 as usize;
        let pool = self.pools.iter().rfind(|p| p.first_slot <= slot).expect("pool 0 starts at slot 0");
        let inside = slot - pool.first_slot;
        (pool.first_slab + inside / pool.slots_per_slab, inside % pool.slots_per_slab * pool.slot_words)
    }

    pub fn put(&mut self, engine: &mut Engine, slot: SlotId, layer: &ExpertLayer, buf: &ExpertBuf) -> Result<()> {
        if self.last_read[slot.0 as usize] == Some(engine.submission()) {
            // recorded work still reads the old content
            engine.submit()?;
        }
        let (slab, word) = self.locate(slot);
        let (places, _) = places(layer)?;
        let mut packed = Vec::new();
        for (m, place) in layer.matrices.iter().zip(places) {
            let layout = layout(m, layer)?;
            let offset = (word + place.start) as u64 * 4;
            if layout.is_same(m.cols) {
                engine.write(self.slabs[slab], offset, buf.matrix(m))?;
            } else {
                packed.clear();
                layout.pack(m.cols, buf.matrix(m), &mut packed);
                engine.write(self.slabs[slab], offset, &packed)?;
            }
        }
        Ok(())
    }

    pub fn begin(&mut self, n: usize, k: usize, x: Buf, x_row: usize) {
        (self.n, self.k, self.x, self.x_row) = (n, k, x, x_row);
    }

    /// Puts words into the plan and returns where they start.
    fn push_plan(&mut self, engine: &mut Engine, words: &[u32]) -> Result<usize> {
        debug_assert!(words.len() <= self.plan_words);
        if self.plan_used + words.len() > self.plan_words {
            engine.submit()?;
        }
        if self.plan_submission != engine.submission() {
            self.plan_submission = engine.submission();
            self.plan_used = 0;
        }
        let start = self.plan_used;
        engine.write(self.plan, start as u64 * 4, bytemuck::cast_slice(words))?;
        self.plan_used += words.len();
        // the write itself may have made a submission; what reads it is recorded after that
        self.plan_submission = engine.submission();
        Ok(start)
    }

    pub fn run(
        &mut self,
        engine: &mut Engine,
        weights: &[GpuWeight],
        layer: &ExpertLayer,
        ops: &ExpertOps,
        jobs: &[ExpertJob<'_>],
    ) -> Result<()> {
        // by the batch and not by a job's uses, so that it does not depend on what was resident when
        let cols = if self.n == 1 { 1 } else { TILE };
        let mut tiles: Vec<(usize, [u32; 4])> = Vec::new();
        let mut uses = Vec::new();
        for job in jobs {
            let (slab, word) = self.locate(job.slot);
            for chunk in job.uses.chunks(cols as usize) {
                tiles.push((slab, [u32_of(word), job.expert, u32_of(uses.len()), u32_of(chunk.len())]));
                uses.extend_from_slice(chunk);
            }
        }
        tiles.sort_by_key(|t| t.0);
        let words: Vec<u32> = tiles.iter().flat_map(|t| t.1).chain(uses).collect();
        let start = self.push_plan(engine, &words)?;
        for job in jobs {
            self.last_read[job.slot.0 as usize] = Some(engine.submission());
        }

        let (places, _) = places(layer)?;
        let vector = |w: Option<crate::compute::Weight>| w.map_or(self.nothing, |w| weights[w.0].vector());
        let biases = ops.biases.map_or([None; 3], |b| b.map(Some));
        let bias_row = |i: usize| biases[i].map_or(0, |w| u32_of(weights[w.0].row_stride(layer.matrices[i].rows)));
        let [gate, up, down] = layer.matrices;
        let (kind, alpha, limit) = activation_params(ops.activation);
        let flag = |on: bool, bit: u32| u32::from(on) << bit;
        let mut gate_up = GateUpParams {
            cols: u32_of(gate.cols),
            rows: u32_of(gate.rows),
            k: u32_of(self.k),
            x_row: u32_of(self.x_row),
            gate_start: u32_of(places[0].start),
            gate_row: u32_of(places[0].row_words),
            up_start: u32_of(places[1].start),
            up_row: u32_of(places[1].row_words),
            tiles: 0,
            uses: u32_of(start + tiles.len() * 4),
            has: flag(ops.biases.is_some(), 0) | flag(ops.scales[0].is_some(), 1) | flag(ops.scales[1].is_some(), 2),
            gate_bias_row: bias_row(0),
            up_bias_row: bias_row(1),
            kind,
            alpha,
            limit,
        };
        let mut down_params = DownParams {
            cols: u32_of(down.cols),
            rows: u32_of(down.rows),
            start: u32_of(places[2].start),
            row_words: u32_of(places[2].row_words),
            tiles: 0,
            uses: gate_up.uses,
            has: flag(ops.biases.is_some(), 0) | flag(ops.scales[2].is_some(), 1),
            bias_row: bias_row(2),
        };
        let mut first = 0;
        for run in tiles.chunk_by(|a, b| a.0 == b.0).flat_map(|same| same.chunks(GRID_MAX as usize)) {
            let slab = self.slabs[run[0].0];
            let z = u32_of(run.len());
            gate_up.tiles = u32_of(start + first * 4);
            down_params.tiles = gate_up.tiles;
            first += run.len();

            let bindings = [
                slab,
                self.x,
                self.plan,
                vector(biases[0]),
                vector(biases[1]),
                vector(ops.scales[0]),
                vector(ops.scales[1]),
                self.hidden,
            ];
            let [x, y] = fold(gate.rows.div_ceil(ROWS as usize));
            let shader = Shader::ExpertGateUp { gate: gate.ty, up: up.ty, cols, fours: self.x_row.is_multiple_of(4) };
            engine.dispatch(&shader, &bindings.map(|b| Some(b.into())), &gate_up, [x, y, z])?;

            let bindings = [slab, self.hidden, self.plan, vector(biases[2]), vector(ops.scales[2]), self.results];
            let [x, y] = fold(down.rows.div_ceil(ROWS as usize));
            let shader = Shader::ExpertDown { ty: down.ty, cols, fours: down.cols.is_multiple_of(4) };
            engine.dispatch(&shader, &bindings.map(|b| Some(b.into())), &down_params, [x, y, z])?;
        }
        Ok(())
    }

    pub fn end(&mut self, engine: &mut Engine, routing: &Routing, out: Buf, dst_row: usize) -> Result<()> {
        let words: Vec<u32> = routing.weights.iter().map(|w| w.to_bits()).collect();
        let start = self.push_plan(engine, &words)?;
        let count = self.n * self.d_model;
        let params = CombineParams {
            count: u32_of(count),
            width: u32_of(self.d_model),
            k: u32_of(self.k),
            dst_row: u32_of(dst_row),
            weights: u32_of(start),
        };
        let bindings = [out, self.results, self.plan].map(|b| Some(b.into()));
        engine.dispatch(&Shader::ExpertCombine, &bindings, &params, per_element(count))
    }
}
