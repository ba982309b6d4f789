//! Linear layers of the CPU device: activations quantised once, rows of the weight spread over the threads.

use rayon::prelude::*;

use crate::compute::cpu::CpuDevice;
use crate::compute::host::Matrix;
use crate::compute::reference::ops::head_ranges;
use crate::compute::{Act, Heads, Linear, Weight};
use crate::gguf::GgmlType;
use crate::quant::{self, Acts, DotRows, Format};

/// The format of a weight that was loaded.
pub(super) fn format(ty: GgmlType) -> &'static Format {
    quant::format(ty).expect("weights of other types are refused when a model is built")
}

/// Rows that one task takes: at least this many, so that a task outweighs its handling.
const TASK_ROWS_MIN: usize = 16;

/// Rows per task for `rows` rows on `threads` threads: a few tasks per thread, so that an uneven start evens out.
pub(super) fn task_rows(rows: usize, threads: usize) -> usize {
    if threads == 1 { rows.max(1) } else { rows.div_ceil(threads * 4).next_multiple_of(8).max(TASK_ROWS_MIN) }
}

/// `out[row * columns + column]` for all rows of a weight; call on the pool.
fn product(dot: DotRows, weight: &[u8], row_bytes: usize, acts: &Acts, out: &mut [f32]) {
    let rows = task_rows(weight.len() / row_bytes, rayon::current_num_threads());
    let tasks = out.par_chunks_mut(rows * acts.columns()).zip(weight.par_chunks(rows * row_bytes));
    tasks.for_each(|(out, weight)| dot(weight, row_bytes, acts, out));
}

/// Columns of a tile that is transposed at once: 16 rows of 16 floats are 16 cache lines.
const TILE: usize = 16;

/// Row t of `out`, from column `first` on, = column t of `product` `(rows, columns)`; call on the pool.
pub(super) fn transpose(product: &[f32], columns: usize, out: &mut Matrix, first: usize) {
    let (rows, width) = (product.len() / columns, out.width);
    out.data[..columns * width].par_chunks_mut(TILE * width).enumerate().for_each(|(tile, out)| {
        for r0 in (0..rows).step_by(TILE) {
            for (t, out) in out.chunks_exact_mut(width).enumerate() {
                for r in r0..rows.min(r0 + TILE) {
                    out[first + r] = product[r * columns + tile * TILE + t];
                }
            }
        }
    });
}

/// Copies the first `cols` columns of `n` rows together and quantises them.
fn quantize(acts: &mut Acts, format: &Format, x: &Matrix, n: usize, first: usize, cols: usize) {
    if x.width == cols {
        acts.quantize(format.act, x.rows(n), cols);
    } else {
        let packed: Vec<f32> = (0..n).flat_map(|t| &x.row(t)[first..first + cols]).copied().collect();
        acts.quantize(format.act, &packed, cols);
    }
}

impl CpuDevice {
    pub(super) fn linear_layer(&mut self, n: usize, linear: &Linear, src: Act, dst: Act) {
        let mut out = self.host.take(dst);
        let w = self.host.weight(linear.weight);
        let format = format(w.ty);
        quantize(&mut self.acts, format, self.host.act(src), n, 0, w.cols);
        let dot = format.dot(self.level);
        let bias = linear.bias.map(|b| self.host.floats(b));
        let (acts, buffer) = (&self.acts, &mut self.product);
        self.pool.install(|| {
            if n == 1 {
                product(dot, w.bytes(), w.row_bytes, acts, &mut out.data[..w.rows]);
            } else {
                buffer.resize((w.rows * n).max(buffer.len()), 0.0);
                product(dot, w.bytes(), w.row_bytes, acts, &mut buffer[..w.rows * n]);
                transpose(&buffer[..w.rows * n], n, &mut out, 0);
            }
        });
        for row in out.rows_mut(n) {
            finish(&mut row[..w.rows], linear.scale, bias);
        }
        self.host.put_back(dst, out);
    }

    pub(super) fn head_layers(&mut self, n: usize, weight: Weight, src: (Act, Heads), dst: (Act, Heads)) {
        let mut out = self.host.take(dst.0);
        let w = self.host.weight(weight);
        let format = format(w.ty);
        let (x, level) = (self.host.act(src.0), self.level);
        let heads: Vec<_> = head_ranges(src.1).zip(head_ranges(dst.1)).collect();
        self.product.resize((w.mats * w.rows * n).max(self.product.len()), 0.0);
        let products = &mut self.product[..w.mats * w.rows * n];
        // a head is a task: matrices are small, heads many
        self.pool.install(|| {
            let tasks = products.par_chunks_mut(w.rows * n).zip(&heads).enumerate();
            tasks.for_each_init(
                || Acts::new(level),
                |acts, (h, (out, (from, _)))| {
                    quantize(acts, format, x, n, from.start, w.cols);
                    format.dot(level)(w.matrix(h), w.row_bytes, acts, out);
                },
            );
            for ((_, to), product) in heads.iter().zip(products.chunks_exact(w.rows * n)) {
                transpose(product, n, &mut out, to.start);
            }
        });
        self.host.put_back(dst.0, out);
    }
}

/// `y = y * scale + bias`.
pub(super) fn finish(y: &mut [f32], scale: f32, bias: Option<&[f32]>) {
    if scale != 1.0 {
        y.iter_mut().for_each(|y| *y *= scale);
    }
    if let Some(bias) = bias {
        y.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
    }
}
