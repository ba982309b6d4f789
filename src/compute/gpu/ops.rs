//! The small operations: norms, rotary embedding, elementwise functions, copies.

use super::engine::fold;
use super::shaders::{Shader, THREADS};
use super::{GpuDevice, u32_of};
use crate::compute::{Act, Activation, Heads, Norm, RopeKind};
use crate::error::Result;

/// Twin: `Params` in shaders/rms_norm.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct NormParams {
    src_row: u32,
    dst_row: u32,
    heads: u32,
    stride: u32,
    offset: u32,
    width: u32,
    rows: u32,
    has_bias: u32,
    eps: f32,
}
const _: () = assert!(size_of::<NormParams>() == 36);

/// Twin: `Params` in shaders/rope.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct RopeParams {
    pairs: u32,
    row: u32,
    heads: u32,
    stride: u32,
    offset: u32,
    half: u32,
    neox: u32,
    table_row: u32,
}
const _: () = assert!(size_of::<RopeParams>() == 32);

/// Twin: `Params` in shaders/glu.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct GluParams {
    count: u32,
    width: u32,
    gate_row: u32,
    up_row: u32,
    dst_row: u32,
    kind: u32,
    alpha: f32,
    limit: f32,
}
const _: () = assert!(size_of::<GluParams>() == 32);

/// Twin: `Params` in shaders/axpy.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct AxpyParams {
    count: u32,
    factor: f32,
}
const _: () = assert!(size_of::<AxpyParams>() == 8);

/// Twin: `Params` in shaders/scale.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct ScaleParams {
    count: u32,
    row: u32,
    sigmoid: u32,
}
const _: () = assert!(size_of::<ScaleParams>() == 12);

/// Twin: `Params` in shaders/copy_heads.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct CopyParams {
    count: u32,
    heads: u32,
    width: u32,
    src_row: u32,
    src_offset: u32,
    src_stride: u32,
    dst_row: u32,
    dst_offset: u32,
    dst_stride: u32,
}
const _: () = assert!(size_of::<CopyParams>() == 36);

/// `(kind, alpha, limit)` of shaders/activation.wgsl.
pub(super) fn activation_params(activation: Activation) -> (u32, f32, f32) {
    match activation {
        Activation::SwiGlu => (0, 0.0, 0.0),
        Activation::SwiGluOai { alpha, limit } => (1, alpha, limit),
    }
}

/// The grid of a shader with one lane per element.
pub(super) fn per_element(count: usize) -> [u32; 3] {
    let [x, y] = fold(count.div_ceil(THREADS as usize));
    [x, y, 1]
}

impl GpuDevice {
    pub(super) fn run_rms_norm(&mut self, n: usize, src: Act, dst: Act, norm: &Norm) -> Result<()> {
        let weight = self.weights[norm.weight.0].vector();
        let bias = norm.bias.map_or(self.nothing, |w| self.weights[w.0].vector());
        for rows in self.spans(n, &[src, dst])? {
            let (s, d) = (&self.acts[src.0], &self.acts[dst.0]);
            let params = NormParams {
                src_row: u32_of(s.width),
                dst_row: u32_of(d.width),
                heads: u32_of(norm.heads.count),
                stride: u32_of(norm.heads.stride),
                offset: u32_of(norm.heads.offset),
                width: u32_of(norm.heads.width),
                rows: u32_of(rows.len()),
                has_bias: u32::from(norm.bias.is_some()),
                eps: norm.eps,
            };
            // in place, binding 1 is absent from the shader; the other numbers stay
            let in_place = src == dst;
            let source = (!in_place).then(|| s.rows(&rows));
            let bindings = [Some(d.rows(&rows)), source, Some(weight.into()), Some(bias.into())];
            let [x, y] = fold(rows.len() * norm.heads.count);
            self.engine.dispatch(&Shader::RmsNorm { in_place }, &bindings, &params, [x, y, 1])?;
        }
        Ok(())
    }

    pub(super) fn run_rope(&mut self, n: usize, x: Act, heads: Heads, kind: RopeKind, table: Act) -> Result<()> {
        for rows in self.spans(n, &[x, table])? {
            let half = heads.width / 2;
            let pairs = rows.len() * heads.count * half;
            let params = RopeParams {
                pairs: u32_of(pairs),
                row: u32_of(self.acts[x.0].width),
                heads: u32_of(heads.count),
                stride: u32_of(heads.stride),
                offset: u32_of(heads.offset),
                half: u32_of(half),
                neox: u32::from(kind == RopeKind::Neox),
                table_row: u32_of(self.acts[table.0].width),
            };
            let bindings = [Some(self.acts[x.0].rows(&rows)), Some(self.acts[table.0].rows(&rows))];
            self.engine.dispatch(&Shader::Rope, &bindings, &params, per_element(pairs))?;
        }
        Ok(())
    }

    pub(super) fn run_glu(
        &mut self,
        n: usize,
        width: usize,
        activation: Activation,
        [gate, up, dst]: [Act; 3],
    ) -> Result<()> {
        let (kind, alpha, limit) = activation_params(activation);
        for rows in self.spans(n, &[gate, up, dst])? {
            let count = rows.len() * width;
            let params = GluParams {
                count: u32_of(count),
                width: u32_of(width),
                gate_row: u32_of(self.acts[gate.0].width),
                up_row: u32_of(self.acts[up.0].width),
                dst_row: u32_of(self.acts[dst.0].width),
                kind,
                alpha,
                limit,
            };
            let in_place = gate == dst;
            let source = (!in_place).then(|| self.acts[gate.0].rows(&rows));
            let bindings = [Some(self.acts[dst.0].rows(&rows)), source, Some(self.acts[up.0].rows(&rows))];
            self.engine.dispatch(&Shader::Glu { in_place }, &bindings, &params, per_element(count))?;
        }
        Ok(())
    }

    pub(super) fn run_add(&mut self, n: usize, dst: Act, src: Act, factor: f32) -> Result<()> {
        for rows in self.spans(n, &[dst, src])? {
            let count = rows.len() * self.acts[dst.0].width;
            let bindings = [Some(self.acts[dst.0].rows(&rows)), Some(self.acts[src.0].rows(&rows))];
            let params = AxpyParams { count: u32_of(count), factor };
            self.engine.dispatch(&Shader::Axpy, &bindings, &params, per_element(count))?;
        }
        Ok(())
    }

    pub(super) fn run_scale_rows(&mut self, n: usize, x: Act, factors: Act, sigmoid: bool) -> Result<()> {
        for rows in self.spans(n, &[x, factors])? {
            let width = self.acts[x.0].width;
            let count = rows.len() * width;
            let bindings = [Some(self.acts[x.0].rows(&rows)), Some(self.acts[factors.0].rows(&rows))];
            let params = ScaleParams { count: u32_of(count), row: u32_of(width), sigmoid: sigmoid.into() };
            self.engine.dispatch(&Shader::Scale, &bindings, &params, per_element(count))?;
        }
        Ok(())
    }

    pub(super) fn run_copy_heads(&mut self, n: usize, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        for rows in self.spans(n, &[src.0, dst.0])? {
            let count = rows.len() * dst.1.count * dst.1.width;
            let params = CopyParams {
                count: u32_of(count),
                heads: u32_of(dst.1.count),
                width: u32_of(dst.1.width),
                src_row: u32_of(self.acts[src.0.0].width),
                src_offset: u32_of(src.1.offset),
                src_stride: u32_of(src.1.stride),
                dst_row: u32_of(self.acts[dst.0.0].width),
                dst_offset: u32_of(dst.1.offset),
                dst_stride: u32_of(dst.1.stride),
            };
            let bindings = [Some(self.acts[dst.0.0].rows(&rows)), Some(self.acts[src.0.0].rows(&rows))];
            self.engine.dispatch(&Shader::CopyHeads, &bindings, &params, per_element(count))?;
        }
        Ok(())
    }

    pub(super) fn run_select_rows(&mut self, src: Act, rows: &[usize], dst: Act) -> Result<()> {
        let (s, d) = (&self.acts[src.0], &self.acts[dst.0]);
        debug_assert!(s.width == d.width && rows.len() <= d.max_rows && rows.iter().all(|r| *r < s.max_rows));
        let bytes = s.width as u64 * 4;
        for (i, &row) in rows.iter().enumerate() {
            self.engine.copy((s.buf, row as u64 * bytes), (d.buf, i as u64 * bytes), bytes);
        }
        Ok(())
    }
}
