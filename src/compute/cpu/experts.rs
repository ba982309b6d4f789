//! Routed experts of the CPU device: gate and up of all jobs at once, then down of all jobs.
//!
//! A job's intermediate results are `(rows, uses)` matrices, written by tasks that own whole rows.

use rayon::prelude::*;

use crate::compute::cpu::CpuDevice;
use crate::compute::cpu::linear::{format, task_rows};
use crate::compute::cpu::math;
use crate::compute::host::{Host, Matrix};
use crate::compute::{ExpertJob, ExpertOps};
use crate::error::{Error, Result};
use crate::expert::{ExpertBuf, ExpertLayer};
use crate::quant::{ActFormat, Acts, CpuLevel};

/// Buffers that are kept from layer to layer.
pub(super) struct Scratch {
    /// The layer's input rows, quantised for `format` if there is one.
    input: Acts,
    format: Option<ActFormat>,
    /// Per job: its input columns, later its inner activations.
    columns: Vec<Acts>,
    /// `(rows, uses)` of all jobs, one after the other.
    gate: Vec<f32>,
    up: Vec<f32>,
    down: Vec<f32>,
}

impl Scratch {
    pub fn new(level: CpuLevel) -> Self {
        let (input, columns) = (Acts::new(level), Vec::new());
        Self { input, format: None, columns, gate: Vec::new(), up: Vec::new(), down: Vec::new() }
    }

    /// A new layer: its input must be quantised again.
    pub fn begin(&mut self) {
        self.format = None;
    }
}

/// One expert with its weights.
struct Work<'a> {
    job: &'a ExpertJob<'a>,
    buf: &'a ExpertBuf,
}

impl Work<'_> {
    fn uses(&self) -> usize {
        self.job.uses.len()
    }
}

/// A layer's experts, ready to be computed.
struct Batch<'a> {
    level: CpuLevel,
    host: &'a Host,
    layer: &'a ExpertLayer,
    ops: &'a ExpertOps,
    work: Vec<Work<'a>>,
    threads: usize,
}

/// Rows `first ..` of one job's product: `out` is `(rows, uses)`.
struct Task<'a> {
    job: usize,
    first: usize,
    out: &'a mut [f32],
}

impl Batch<'_> {
    /// Sum of all jobs' uses.
    fn uses(&self) -> usize {
        self.work.iter().map(Work::uses).sum()
    }

    /// Cuts `out`, which holds `rows` rows for every job, into tasks.
    fn tasks<'a>(&self, rows: usize, mut out: &'a mut [f32]) -> Vec<Task<'a>> {
        let step = task_rows(self.work.len() * rows, self.threads).min(rows);
        let mut tasks = Vec::new();
        for (job, w) in self.work.iter().enumerate() {
            for first in (0..rows).step_by(step) {
                let (part, rest) = std::mem::take(&mut out).split_at_mut(step.min(rows - first) * w.uses());
                out = rest;
                tasks.push(Task { job, first, out: part });
            }
        }
        tasks
    }

    /// Matrix `m` (gate, up, down) of the task's job times `acts`, scaled and biased.
    fn product(&self, m: usize, task: &mut Task<'_>, acts: &Acts) {
        let (matrix, w) = (&self.layer.matrices[m], &self.work[task.job]);
        let row_bytes = matrix.row_bytes();
        let rows = &w.buf.matrix(matrix)[task.first * row_bytes..][..task.out.len() / w.uses() * row_bytes];
        format(matrix.ty).dot(self.level)(rows, row_bytes, acts, task.out);
        let expert = w.job.expert as usize;
        if let Some(scale) = self.ops.scales[m] {
            let scale = self.host.floats(scale)[expert];
            task.out.iter_mut().for_each(|y| *y *= scale);
        }
        if let Some(biases) = self.ops.biases {
            let biases = &self.host.floats(biases[m])[expert * matrix.rows + task.first..];
            for (row, bias) in task.out.chunks_exact_mut(w.uses()).zip(biases) {
                row.iter_mut().for_each(|y| *y += bias);
            }
        }
    }

    /// Matrix `m` of all jobs into `out`; job j reads the columns `acts(j)`. Call on the pool.
    fn products<'b>(&self, m: usize, acts: impl Fn(usize) -> &'b Acts + Sync, out: &mut [f32]) {
        let tasks = self.tasks(self.layer.matrices[m].rows, out);
        tasks.into_par_iter().for_each(|mut task| {
            let acts = acts(task.job);
            self.product(m, &mut task, acts);
        });
    }

    /// Each job's columns of `input`, by token; a single row is every job's column as it is. Call on the pool.
    fn gather(&self, columns: &mut [Acts], input: &Acts, k: usize) {
        columns.par_iter_mut().zip(&self.work).for_each(|(acts, w)| {
            acts.gather(input, w.job.uses.iter().map(|&u| u as usize / k));
        });
    }

    /// Quantises each job's inner activations `(rows, uses)` as columns for the down product. Call on the pool.
    fn quantize_inner(&self, columns: &mut [Acts], inner: &[f32]) {
        let (rows, act) = (self.layer.matrices[2].cols, format(self.layer.matrices[2].ty).act);
        let mut rest = inner;
        let jobs: Vec<_> = columns
            .iter_mut()
            .zip(&self.work)
            .map(|(acts, w)| {
                let (own, others) = rest.split_at(rows * w.uses());
                rest = others;
                (acts, own, w.uses())
            })
            .collect();
        jobs.into_par_iter().for_each(|(acts, inner, uses)| {
            if uses == 1 {
                return acts.quantize(act, inner, rows);
            }
            let column = |u: usize| inner.iter().skip(u).step_by(uses);
            let turned: Vec<f32> = (0..uses).flat_map(column).copied().collect();
            acts.quantize(act, &turned, rows);
        });
    }

    /// Writes each job's down outputs `(rows, uses)` to the rows of `results` that its uses name. Call on the pool.
    fn scatter(&self, down: &[f32], results: &mut Matrix) {
        let rows = self.layer.matrices[2].rows;
        let mut places: Vec<_> = results.data.chunks_exact_mut(results.width).map(Some).collect();
        let mut rest = down;
        let mut moves = Vec::with_capacity(self.uses());
        for w in &self.work {
            let (own, others) = rest.split_at(rows * w.uses());
            rest = others;
            for (u, &at) in w.job.uses.iter().enumerate() {
                // a (token, rank) pair has one expert, so no place is taken twice
                if let Some(place) = places[at as usize].take() {
                    moves.push((place, own, u, w.uses()));
                }
            }
        }
        moves.into_par_iter().for_each(|(place, own, u, uses)| {
            place.iter_mut().zip(own.iter().skip(u).step_by(uses)).for_each(|(y, x)| *y = *x);
        });
    }
}

impl CpuDevice {
    pub(super) fn run_experts(&mut self, layer: &ExpertLayer, ops: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()> {
        let input = self.host.expert_input;
        let (x, n, k) = input.ok_or_else(|| Error::Device("experts run before they begin".into()))?;
        let mut results = std::mem::take(&mut self.host.results);
        let (level, host, s) = (self.level, &self.host, &mut self.experts);
        let work = jobs.iter().map(|job| Ok(Work { job, buf: host.slot(job.slot)? })).collect::<Result<Vec<_>>>();
        let done = work.map(|work| {
            let batch = Batch { level, host, layer, ops, work, threads: self.pool.current_num_threads() };
            let [gate, up, down] = &layer.matrices;
            let uses = batch.uses();
            s.columns.resize_with(s.columns.len().max(jobs.len()), || Acts::new(level));
            let gates = grow(&mut s.gate, uses * gate.rows);
            let ups = grow(&mut s.up, uses * up.rows);
            let downs = grow(&mut s.down, uses * down.rows);
            self.pool.install(|| {
                for (m, out) in [(0, &mut *gates), (1, &mut *ups)] {
                    let act = format(layer.matrices[m].ty).act;
                    let fresh = s.format != Some(act);
                    if fresh {
                        s.input.quantize(act, host.act(x).rows(n), gate.cols);
                        s.format = Some(act);
                    }
                    // in decode one column serves all jobs; in prefill each has its own tokens
                    if n > 1 && (m == 0 || fresh) {
                        batch.gather(&mut s.columns, &s.input, k);
                    }
                    let acts = |job: usize| if n > 1 { &s.columns[job] } else { &s.input };
                    batch.products(m, acts, out);
                }
                let each = gates.par_chunks_mut(INNER_CHUNK).zip(ups.par_chunks(INNER_CHUNK));
                each.for_each(|(gate, up)| math::glu(level, ops.activation, gate, up));
                batch.quantize_inner(&mut s.columns, gates);
                batch.products(2, |job| &s.columns[job], downs);
                batch.scatter(downs, &mut results);
            });
        });
        self.host.results = results;
        done
    }
}

/// Inner activations per task.
const INNER_CHUNK: usize = 4096;

/// The first `len` entries, made where they are missing.
fn grow(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}
