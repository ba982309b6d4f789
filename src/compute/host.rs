//! What the reference and the CPU share: weights, activations and expert slots in host memory.

use std::io::Read;
use std::ops::Range;

use crate::compute::{Act, Weight, WeightDesc};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertLayer, SlotClass, SlotId};
use crate::gguf::GgmlType;
use crate::os;

/// A resident weight.
pub(super) struct HostWeight {
    pub ty: GgmlType,
    pub cols: usize,
    /// Rows per matrix.
    pub rows: usize,
    pub mats: usize,
    pub row_bytes: usize,
    data: Data,
}

/// F32 weights are kept as f32, so that vectors can be read as they are.
enum Data {
    Floats(Vec<f32>),
    Blocks(Vec<u8>),
}

impl HostWeight {
    fn read(desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Self> {
        let bytes = desc.bytes() as usize;
        let failed = |e| Error::Device(format!("loading tensor {}: {e}", desc.name));
        let data = if desc.ty == GgmlType::F32 {
            let mut floats = vec![0f32; bytes / 4];
            data.read_exact(bytemuck::cast_slice_mut(&mut floats)).map_err(failed)?;
            Data::Floats(floats)
        } else {
            let mut blocks = vec![0u8; bytes];
            os::prefer_huge_pages(&mut blocks);
            data.read_exact(&mut blocks).map_err(failed)?;
            Data::Blocks(blocks)
        };
        let (cols, rows, mats) = (desc.cols, desc.rows, desc.mats);
        Ok(Self { ty: desc.ty, cols, rows, mats, row_bytes: desc.row_bytes(), data })
    }

    /// All rows of all matrices as they stand in the file.
    pub fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Floats(floats) => bytemuck::cast_slice(floats),
            Data::Blocks(blocks) => blocks,
        }
    }

    /// The rows of one matrix.
    pub fn matrix(&self, m: usize) -> &[u8] {
        let len = self.rows * self.row_bytes;
        &self.bytes()[m * len..(m + 1) * len]
    }

    /// An F32 weight's values (norms, biases, scales and sinks are loaded as F32).
    pub fn floats(&self) -> &[f32] {
        match &self.data {
            Data::Floats(floats) => floats,
            Data::Blocks(_) => &[],
        }
    }
}

/// An activation matrix `(rows, width)`.
#[derive(Default)]
pub(super) struct Matrix {
    pub width: usize,
    pub data: Vec<f32>,
}

impl Matrix {
    pub fn rows(&self, n: usize) -> &[f32] {
        &self.data[..n * self.width]
    }

    pub fn row(&self, t: usize) -> &[f32] {
        &self.data[t * self.width..(t + 1) * self.width]
    }

    pub fn row_mut(&mut self, t: usize) -> &mut [f32] {
        &mut self.data[t * self.width..(t + 1) * self.width]
    }

    /// The first `n` rows.
    pub fn rows_mut(&mut self, n: usize) -> std::slice::ChunksExactMut<'_, f32> {
        self.data[..n * self.width].chunks_exact_mut(self.width)
    }
}

/// Weights, activations, slots and the routed experts' results of a layer.
#[derive(Default)]
pub(super) struct Host {
    weights: Vec<HostWeight>,
    acts: Vec<Matrix>,
    slots: Vec<Option<ExpertBuf>>,
    /// Down outputs per (token, rank): `(uses, d_model)`.
    pub results: Matrix,
    /// Input rows of the layer whose experts are computed, and its k.
    pub expert_input: Option<(Act, usize, usize)>,
}

impl Host {
    pub fn load(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight> {
        self.weights.push(HostWeight::read(desc, data)?);
        Ok(Weight(self.weights.len() - 1))
    }

    pub fn weight(&self, weight: Weight) -> &HostWeight {
        &self.weights[weight.0]
    }

    pub fn floats(&self, weight: Weight) -> &[f32] {
        self.weights[weight.0].floats()
    }

    pub fn new_act(&mut self, width: usize, max_rows: usize) -> Act {
        self.acts.push(Matrix { width, data: vec![0.0; width * max_rows] });
        Act(self.acts.len() - 1)
    }

    pub fn act(&self, act: Act) -> &Matrix {
        &self.acts[act.0]
    }

    pub fn act_mut(&mut self, act: Act) -> &mut Matrix {
        &mut self.acts[act.0]
    }

    /// Takes a matrix out while others are read; [`Host::put_back`] must follow.
    pub fn take(&mut self, act: Act) -> Matrix {
        std::mem::take(&mut self.acts[act.0])
    }

    pub fn put_back(&mut self, act: Act, matrix: Matrix) {
        self.acts[act.0] = matrix;
    }

    /// Copies whole rows into the first rows of `dst`.
    pub fn upload(&mut self, dst: Act, rows: &[f32]) {
        self.act_mut(dst).data[..rows.len()].copy_from_slice(rows);
    }

    /// Copies `rows` of `src` out.
    pub fn download(&self, src: Act, rows: Range<usize>) -> Vec<f32> {
        let m = self.act(src);
        m.data[rows.start * m.width..rows.end * m.width].to_vec()
    }

    /// Allocates the slots of all classes, and room for the results of `max_uses` (token, rank) pairs.
    pub fn new_slots(&mut self, classes: &[SlotClass], layers: &[ExpertLayer], max_uses: usize) {
        let d_model = layers.iter().map(|l| l.matrices[2].rows).max().unwrap_or(0);
        let pools = classes.iter().flat_map(|c| ExpertBuf::pool(c.slots, c.slot_bytes));
        self.slots = pools.map(Some).collect();
        self.results = Matrix { width: d_model, data: vec![0.0; d_model * max_uses] };
    }

    pub fn slot(&self, slot: SlotId) -> Result<&ExpertBuf> {
        self.slots
            .get(slot.0 as usize)
            .and_then(Option::as_ref)
            .ok_or_else(|| Error::Device(format!("expert slot {} is computed on before it is filled", slot.0)))
    }

    pub fn slot_take(&mut self, slot: SlotId) -> Option<ExpertBuf> {
        self.slots.get_mut(slot.0 as usize)?.take()
    }

    pub fn slot_put(&mut self, slot: SlotId, buf: ExpertBuf) -> Result<()> {
        let place = self.slots.get_mut(slot.0 as usize);
        let place = place.ok_or_else(|| Error::Device(format!("there is no expert slot {}", slot.0)))?;
        *place = Some(buf);
        Ok(())
    }
}
