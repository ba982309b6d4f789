//! Routed experts: slots in slab buffers, and the three dispatches that compute them.
//!
//! A slab is bound whole and a slot addressed by its first word, so one bind group serves all slots of a slab. What a call
//! computes goes into the plan, a buffer that is filled from the front and starts over when a submission has been made:
//! tiles (slot, expert, uses) and uses, then the router's weights.

use super::engine::{Buf, Engine, GRID_MAX, fold};
use super::expert_params::{CombineParams, DownParams, GateUpParams, Planned, bias_weights, layout, places};
use super::linear::GpuWeight;
use super::ops::per_element;
use super::shaders::{ROWS, Shader, TILE};
use super::u32_of;
use crate::compute::{ExpertJob, ExpertOps, Routing, Weight};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertLayer, SlotClass, SlotId};

/// Largest slab, whatever the adapter allows.
const SLAB_MAX: u64 = 1 << 30;
/// Calls whose plans fit before a submission.
const PLANNED_CALLS: usize = 4;

/// Bytes of GPU memory that one expert of this layer takes; an error where a storage type has no kernel.
pub fn packed_expert_bytes(layer: &ExpertLayer) -> Result<u64> {
    Ok(places(layer)?.1 as u64 * 4)
}

/// Uses of one expert that a workgroup computes together.
struct Tile {
    slab: usize,
    /// As the shaders read it: first word of the slot, expert, first use, uses.
    words: [u32; TILE_WORDS],
}

/// Words of a tile in the plan.
const TILE_WORDS: usize = 4;

/// Biases and scales of gate, up and down; the empty buffer where there are none.
struct Operands {
    biases: [Buf; 3],
    scales: [Buf; 3],
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

    /// Computes the given experts: what they are goes into the plan, then each slab's tiles are dispatched.
    pub fn run(
        &mut self,
        engine: &mut Engine,
        weights: &[GpuWeight],
        layer: &ExpertLayer,
        ops: &ExpertOps,
        jobs: &[ExpertJob<'_>],
    ) -> Result<()> {
        let (tiles, uses) = self.tiles(jobs);
        let planned = self.plan_tiles(engine, &tiles, &uses)?;
        self.mark_read(engine, jobs);
        let operands = self.operands(weights, ops);
        let mut gate_up = GateUpParams::new(weights, layer, ops, &planned, (self.k, self.x_row))?;
        let mut down = DownParams::new(weights, layer, ops, &planned)?;
        let mut first = 0;
        for run in tiles.chunk_by(|a, b| a.slab == b.slab).flat_map(|same| same.chunks(GRID_MAX as usize)) {
            let tiles_at = u32_of(planned.tiles + first * TILE_WORDS);
            (gate_up.tiles, down.tiles) = (tiles_at, tiles_at);
            let (slab, count) = (self.slabs[run[0].slab], u32_of(run.len()));
            self.dispatch_gate_up(engine, layer, &operands, &gate_up, slab, count)?;
            self.dispatch_down(engine, layer, &operands, &down, slab, count)?;
            first += run.len();
        }
        Ok(())
    }

    /// Columns of a tile: by the batch and not by a job's uses, so that it does not depend on what was resident when.
    fn tile_cols(&self) -> u32 {
        if self.n == 1 { 1 } else { TILE }
    }

    /// Cuts the jobs into tiles, those of one slab side by side, and lists the uses that they refer to.
    fn tiles(&self, jobs: &[ExpertJob<'_>]) -> (Vec<Tile>, Vec<u32>) {
        let (mut tiles, mut uses) = (Vec::new(), Vec::new());
        for job in jobs {
            let (slab, word) = self.locate(job.slot);
            for chunk in job.uses.chunks(self.tile_cols() as usize) {
                tiles.push(Tile { slab, words: [u32_of(word), job.expert, u32_of(uses.len()), u32_of(chunk.len())] });
                uses.extend_from_slice(chunk);
            }
        }
        tiles.sort_by_key(|tile| tile.slab);
        (tiles, uses)
    }

    /// Puts tiles and uses into the plan.
    fn plan_tiles(&mut self, engine: &mut Engine, tiles: &[Tile], uses: &[u32]) -> Result<Planned> {
        let words: Vec<u32> = tiles.iter().flat_map(|tile| tile.words).chain(uses.iter().copied()).collect();
        let start = self.push_plan(engine, &words)?;
        Ok(Planned { tiles: start, uses: start + tiles.len() * TILE_WORDS })
    }

    /// Notes that the submission now recorded reads the jobs' slots. After [`Experts::plan_tiles`], which may start a new
    /// submission.
    fn mark_read(&mut self, engine: &Engine, jobs: &[ExpertJob<'_>]) {
        for job in jobs {
            self.last_read[job.slot.0 as usize] = Some(engine.submission());
        }
    }

    fn operands(&self, weights: &[GpuWeight], ops: &ExpertOps) -> Operands {
        let vector = |w: Option<Weight>| w.map_or(self.nothing, |w| weights[w.0].vector());
        Operands { biases: bias_weights(ops).map(vector), scales: ops.scales.map(vector) }
    }

    /// `hidden = activation(gate x, up x)` of `count` tiles of one slab.
    fn dispatch_gate_up(
        &self,
        engine: &mut Engine,
        layer: &ExpertLayer,
        operands: &Operands,
        params: &GateUpParams,
        slab: Buf,
        count: u32,
    ) -> Result<()> {
        let [gate, up, _] = &layer.matrices;
        let ([gate_bias, up_bias, _], [gate_scale, up_scale, _]) = (operands.biases, operands.scales);
        let bindings = [slab, self.x, self.plan, gate_bias, up_bias, gate_scale, up_scale, self.hidden];
        let (cols, fours) = (self.tile_cols(), self.x_row.is_multiple_of(4));
        let shader = Shader::ExpertGateUp { gate: gate.ty, up: up.ty, cols, fours };
        engine.dispatch(&shader, &bindings.map(|b| Some(b.into())), params, tile_grid(gate.rows, count))
    }

    /// `results = down hidden` of `count` tiles of one slab.
    fn dispatch_down(
        &self,
        engine: &mut Engine,
        layer: &ExpertLayer,
        operands: &Operands,
        params: &DownParams,
        slab: Buf,
        count: u32,
    ) -> Result<()> {
        let down = &layer.matrices[2];
        let bindings = [slab, self.hidden, self.plan, operands.biases[2], operands.scales[2], self.results];
        let shader = Shader::ExpertDown { ty: down.ty, cols: self.tile_cols(), fours: down.cols.is_multiple_of(4) };
        engine.dispatch(&shader, &bindings.map(|b| Some(b.into())), params, tile_grid(down.rows, count))
    }

    /// Sums the results in the router's order.
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

/// Workgroups for `rows` rows of each of `count` tiles.
fn tile_grid(rows: usize, count: u32) -> [u32; 3] {
    let [x, y] = fold(rows.div_ceil(ROWS as usize));
    [x, y, count]
}
