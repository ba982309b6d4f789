//! Resident weights: loading, splitting by rows, and the products with them.

use std::io::Read;

use super::engine::{Buf, Engine, GRID_MAX, fold};
use super::repack::Layout;
use super::shaders::{ROWS, Shader, TILE};
use super::{GpuDevice, u32_of};
use crate::compute::{Act, Heads, Linear, Weight, WeightDesc};
use crate::error::{Error, Result};
use crate::gguf::GgmlType;

/// Bytes that are read from the file at once.
const CHUNK: usize = 4 << 20;

/// Twin: `Params` in shaders/matvec.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct LinearParams {
    cols: u32,
    rows: u32,
    first_row: u32,
    row_words: u32,
    heads: u32,
    first: u32,
    tokens: u32,
    x_row: u32,
    x_offset: u32,
    x_stride: u32,
    y_row: u32,
    y_offset: u32,
    y_stride: u32,
    has_bias: u32,
    scale: f32,
}
const _: () = assert!(size_of::<LinearParams>() == 60);

/// A resident weight: `mats` matrices of `rows` x `cols`, in one or more buffers.
pub(super) struct GpuWeight {
    ty: GgmlType,
    cols: usize,
    rows: usize,
    mats: usize,
    row_words: usize,
    parts: Vec<Part>,
}

/// What one buffer holds: rows of one matrix, or whole matrices.
struct Part {
    buf: Buf,
    first_mat: usize,
    mats: usize,
    first_row: usize,
    rows: usize,
}

impl GpuWeight {
    /// The buffer of a weight that is used as a vector or table of F32, which is never split.
    pub fn vector(&self) -> Buf {
        self.parts[0].buf
    }

    /// F32 elements from one row of `width` to the next.
    pub fn row_stride(&self, width: usize) -> usize {
        if self.cols == width { self.row_words } else { width }
    }

    /// Buffers and what each holds, so that none is above `limit` bytes.
    fn plan(desc: &WeightDesc<'_>, row_bytes: u64, limit: u64) -> Result<Vec<(usize, usize, usize, usize)>> {
        let mat_bytes = row_bytes * desc.rows as u64;
        if mat_bytes * desc.mats as u64 <= limit {
            return Ok(vec![(0, desc.mats, 0, desc.rows)]);
        }
        if desc.mats > 1 && mat_bytes <= limit {
            let step = (limit / mat_bytes) as usize;
            return Ok((0..desc.mats).step_by(step).map(|m| (m, step.min(desc.mats - m), 0, desc.rows)).collect());
        }
        let step = (limit / row_bytes) as usize / ROWS as usize * ROWS as usize;
        if step == 0 {
            return Err(Error::Device(format!(
                "{}: {ROWS} rows of {row_bytes} bytes are above the adapter's largest binding of {limit} bytes",
                desc.name
            )));
        }
        let rows = |m| (0..desc.rows).step_by(step).map(move |r| (m, 1, r, step.min(desc.rows - r)));
        Ok((0..desc.mats).flat_map(rows).collect())
    }

    /// Allocates and fills a weight, packing rows on the way.
    pub fn load(engine: &mut Engine, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Self> {
        let layout = Layout::of(desc.ty).ok_or_else(|| no_kernel(desc.ty, desc.name))?;
        let row_words = layout.row_words(desc.cols);
        let file_row = desc.ty.bytes_for(desc.cols as u64).ok_or_else(|| {
            Error::Device(format!("{}: {} columns are not whole blocks of {}", desc.name, desc.cols, desc.ty))
        })? as usize;
        let mut parts = Vec::new();
        let (mut raw, mut packed) = (Vec::new(), Vec::new());
        for (first_mat, mats, first_row, rows) in Self::plan(desc, row_words as u64 * 4, engine.max_binding())? {
            let total = mats * rows;
            let buf = engine.buffer((total * row_words * 4) as u64, desc.name)?;
            let step = (CHUNK / file_row.max(1)).max(1);
            for row in (0..total).step_by(step) {
                raw.resize(step.min(total - row) * file_row, 0);
                data.read_exact(&mut raw).map_err(|e| Error::Device(format!("reading {}: {e}", desc.name)))?;
                packed.clear();
                layout.pack(desc.cols, &raw, &mut packed);
                engine.write(buf, (row * row_words * 4) as u64, &packed)?;
            }
            parts.push(Part { buf, first_mat, mats, first_row, rows });
        }
        Ok(Self { ty: desc.ty, cols: desc.cols, rows: desc.rows, mats: desc.mats, row_words, parts })
    }
}

/// The error for a storage type without a kernel.
pub(super) fn no_kernel(ty: GgmlType, name: &str) -> Error {
    Error::Unsupported(format!("{name}: the gpu device has no kernel for {ty}; --device cpu or reference may have one"))
}

impl GpuDevice {
    pub(super) fn run_linear(&mut self, n: usize, linear: &Linear, src: Act, dst: Act) -> Result<()> {
        let weight = &self.weights[linear.weight.0];
        let heads = (Heads::whole(weight.cols), Heads::whole(weight.rows));
        self.product(n, linear, (src, heads.0), (dst, heads.1))
    }

    pub(super) fn run_linear_heads(
        &mut self,
        n: usize,
        weight: Weight,
        src: (Act, Heads),
        dst: (Act, Heads),
    ) -> Result<()> {
        self.product(n, &Linear { weight, bias: None, scale: 1.0 }, src, dst)
    }

    fn product(&mut self, n: usize, linear: &Linear, src: (Act, Heads), dst: (Act, Heads)) -> Result<()> {
        let cols = if n == 1 { 1 } else { TILE };
        let bias = match linear.bias {
            Some(w) => self.weights[w.0].vector(),
            None => self.nothing,
        };
        let starts = [self.acts[src.0.0].width, src.1.offset, src.1.stride];
        let fours = starts.iter().all(|s| s.is_multiple_of(4));
        for rows in self.spans(n, &[src.0, dst.0])? {
            let tiles = rows.len().div_ceil(cols as usize);
            let weight = &self.weights[linear.weight.0];
            debug_assert!(src.1.width == weight.cols && dst.1.width == weight.rows && src.1.count == weight.mats);
            for part in &weight.parts {
                let step = (GRID_MAX as usize / part.mats).max(1);
                for tile in (0..tiles).step_by(step) {
                    let params = LinearParams {
                        cols: u32_of(weight.cols),
                        rows: u32_of(part.rows),
                        first_row: u32_of(part.first_row),
                        row_words: u32_of(weight.row_words),
                        heads: u32_of(part.mats),
                        first: u32_of(tile) * cols,
                        tokens: u32_of(rows.len()),
                        x_row: u32_of(self.acts[src.0.0].width),
                        x_offset: u32_of(src.1.offset + part.first_mat * src.1.stride),
                        x_stride: u32_of(src.1.stride),
                        y_row: u32_of(self.acts[dst.0.0].width),
                        y_offset: u32_of(dst.1.offset + part.first_mat * dst.1.stride),
                        y_stride: u32_of(dst.1.stride),
                        has_bias: u32::from(linear.bias.is_some()),
                        scale: linear.scale,
                    };
                    let [x, y] = fold(part.rows.div_ceil(ROWS as usize));
                    let (from, to) = (self.acts[src.0.0].rows(&rows), self.acts[dst.0.0].rows(&rows));
                    let bindings = [part.buf.into(), from, bias.into(), to].map(Some);
                    let shader = Shader::MatVec { ty: weight.ty, cols, fours };
                    let z = u32_of(step.min(tiles - tile) * part.mats);
                    self.engine.dispatch(&shader, &bindings, &params, [x, y, z])?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desc(rows: usize, mats: usize) -> WeightDesc<'static> {
        WeightDesc { name: "w", ty: GgmlType::F32, cols: 16, rows, mats }
    }

    #[test]
    fn a_matrix_above_one_binding_is_split_at_groups_of_rows() {
        let parts = GpuWeight::plan(&desc(10, 1), 64, 64 * 7).expect("fits");
        assert_eq!(parts, [(0, 1, 0, 4), (0, 1, 4, 4), (0, 1, 8, 2)]);
    }

    #[test]
    fn a_stack_is_split_between_matrices_while_one_fits() {
        let parts = GpuWeight::plan(&desc(2, 5), 64, 64 * 5).expect("fits");
        assert_eq!(parts, [(0, 2, 0, 2), (2, 2, 0, 2), (4, 1, 0, 2)]);
    }

    #[test]
    fn a_stack_of_large_matrices_is_split_inside_them() {
        let parts = GpuWeight::plan(&desc(6, 2), 64, 64 * 4).expect("fits");
        assert_eq!(parts, [(0, 1, 0, 4), (0, 1, 4, 2), (1, 1, 0, 4), (1, 1, 4, 2)]);
    }

    #[test]
    fn a_row_above_one_binding_is_refused() {
        assert!(GpuWeight::plan(&desc(6, 1), 64, 128).is_err());
    }
}
