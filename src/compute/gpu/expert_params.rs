//! What the shaders of routed experts are told: their parameters, and where an expert's matrices stand in a slot.

use super::linear::{GpuWeight, no_kernel};
use super::ops::activation_params;
use super::repack::Layout;
use super::u32_of;
use crate::compute::{ExpertOps, Weight};
use crate::error::Result;
use crate::expert::{ExpertLayer, ExpertMatrix};

/// Twin: `Params` in shaders/expert_gate_up.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct GateUpParams {
    pub cols: u32,
    pub rows: u32,
    pub k: u32,
    pub x_row: u32,
    pub gate_start: u32,
    pub gate_row: u32,
    pub up_start: u32,
    pub up_row: u32,
    pub tiles: u32,
    pub uses: u32,
    pub has: u32,
    pub gate_bias_row: u32,
    pub up_bias_row: u32,
    pub kind: u32,
    pub alpha: f32,
    pub limit: f32,
}
const _: () = assert!(size_of::<GateUpParams>() == 64);

/// Twin: `Params` in shaders/expert_down.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct DownParams {
    pub cols: u32,
    pub rows: u32,
    pub start: u32,
    pub row_words: u32,
    pub tiles: u32,
    pub uses: u32,
    pub has: u32,
    pub bias_row: u32,
}
const _: () = assert!(size_of::<DownParams>() == 32);

/// Twin: `Params` in shaders/expert_combine.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct CombineParams {
    pub count: u32,
    pub width: u32,
    pub k: u32,
    pub dst_row: u32,
    pub weights: u32,
}
const _: () = assert!(size_of::<CombineParams>() == 20);

/// Where a call's parts stand in the plan, in words.
pub(super) struct Planned {
    pub tiles: usize,
    pub uses: usize,
}

/// A matrix inside a slot.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub start: usize,
    pub row_words: usize,
}

/// Where gate, up and down stand in a slot, and the words of all three.
pub(super) fn places(layer: &ExpertLayer) -> Result<([Place; 3], usize)> {
    let mut words = 0;
    let mut places = [Place { start: 0, row_words: 0 }; 3];
    for (place, m) in places.iter_mut().zip(&layer.matrices) {
        *place = Place { start: words, row_words: layout(m, layer)?.row_words(m.cols) };
        words += m.rows * place.row_words;
    }
    Ok((places, words))
}

pub(super) fn layout(m: &ExpertMatrix, layer: &ExpertLayer) -> Result<&'static Layout> {
    Layout::of(m.ty).ok_or_else(|| no_kernel(m.ty, &format!("experts of layer {}", layer.layer)))
}

impl GateUpParams {
    /// For one layer, whose input has rows of `x_row` elements and `k` uses each; `tiles` differ by slab.
    pub fn new(
        weights: &[GpuWeight],
        layer: &ExpertLayer,
        ops: &ExpertOps,
        planned: &Planned,
        (k, x_row): (usize, usize),
    ) -> Result<Self> {
        let ([gate_at, up_at, _], _) = places(layer)?;
        let [gate, up, _] = &layer.matrices;
        let [gate_bias, up_bias, _] = bias_weights(ops);
        let (kind, alpha, limit) = activation_params(ops.activation);
        Ok(Self {
            cols: u32_of(gate.cols),
            rows: u32_of(gate.rows),
            k: u32_of(k),
            x_row: u32_of(x_row),
            gate_start: u32_of(gate_at.start),
            gate_row: u32_of(gate_at.row_words),
            up_start: u32_of(up_at.start),
            up_row: u32_of(up_at.row_words),
            tiles: u32_of(planned.tiles),
            uses: u32_of(planned.uses),
            has: flags([ops.biases.is_some(), ops.scales[0].is_some(), ops.scales[1].is_some()]),
            gate_bias_row: bias_row(weights, gate_bias, gate),
            up_bias_row: bias_row(weights, up_bias, up),
            kind,
            alpha,
            limit,
        })
    }
}

impl DownParams {
    /// For one layer; `tiles` differ by slab.
    pub fn new(weights: &[GpuWeight], layer: &ExpertLayer, ops: &ExpertOps, planned: &Planned) -> Result<Self> {
        let ([.., place], _) = places(layer)?;
        let down = &layer.matrices[2];
        Ok(Self {
            cols: u32_of(down.cols),
            rows: u32_of(down.rows),
            start: u32_of(place.start),
            row_words: u32_of(place.row_words),
            tiles: u32_of(planned.tiles),
            uses: u32_of(planned.uses),
            has: flags([ops.biases.is_some(), ops.scales[2].is_some()]),
            bias_row: bias_row(weights, bias_weights(ops)[2], down),
        })
    }
}

/// Biases of gate, up and down.
pub(super) fn bias_weights(ops: &ExpertOps) -> [Option<Weight>; 3] {
    ops.biases.map_or([None; 3], |biases| biases.map(Some))
}

/// Elements from one expert's biases to the next's; 0 without biases.
fn bias_row(weights: &[GpuWeight], bias: Option<Weight>, matrix: &ExpertMatrix) -> u32 {
    bias.map_or(0, |w| u32_of(weights[w.0].row_stride(matrix.rows)))
}

/// Bit i is set where `on[i]`.
fn flags<const N: usize>(on: [bool; N]) -> u32 {
    on.iter().enumerate().map(|(bit, &on)| u32::from(on) << bit).sum()
}
