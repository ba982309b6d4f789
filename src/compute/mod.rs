//! The device trait: the few operations a forward pass is made of, and the handles they work on.
//!
//! [`model::forward`](crate::model::forward) is written once against [`Device`]. Three devices implement it:
//! [`mod@reference`] (plain scalar F32, the oracle), [`cpu`] (SIMD integer dots, many threads) and [`gpu`] (wgpu).
//!
//! Activations are matrices `(rows, width)` of f32, one row per token, that live in the device and are named by an
//! [`Act`] handle. All of them are allocated once, for the largest batch; every operation takes the number `n` of rows
//! in use. An output element depends on its own row only and is summed in an order fixed by the shapes, so splitting a
//! prompt into batches changes no bit on `reference` and `cpu`.

pub mod cpu;
pub mod gpu;
mod host;
pub mod reference;
pub mod routing;
mod scratch;

use std::io::Read;
use std::ops::Range;

use crate::error::Result;
use crate::expert::{ExpertBuf, ExpertLayer, SlotClass, SlotId};
use crate::gguf::GgmlType;

pub use routing::{RouteRule, Routing};
pub use scratch::StepSizes;

/// Handle of an activation matrix `(max_rows, width)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Act(pub(crate) usize);

impl Act {
    /// Stands where a model has no such activation.
    pub const NONE: Self = Self(usize::MAX);
}

/// Handle of a resident weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weight(pub(crate) usize);

/// What a weight is, as it stands in the file.
#[derive(Clone, Debug)]
pub struct WeightDesc<'a> {
    /// Tensor name, for messages.
    pub name: &'a str,
    /// Storage type of a row.
    pub ty: GgmlType,
    /// Inputs: elements per row, whole blocks of `ty`.
    pub cols: usize,
    /// Outputs: rows per matrix.
    pub rows: usize,
    /// Matrices stacked behind one another: 1, or one per head.
    pub mats: usize,
}

impl WeightDesc<'_> {
    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        // whole blocks: checked when the tensor directory was read
        self.ty.bytes_for(self.cols as u64).unwrap_or(0) as usize
    }

    /// Bytes of the weight.
    pub fn bytes(&self) -> u64 {
        (self.row_bytes() * self.rows * self.mats) as u64
    }
}

/// A column range per head inside an activation row: head `h` is `offset + h * stride .. + width`.
///
/// A source with `stride` 0 is broadcast to all heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Heads.
    pub count: usize,
    /// Columns from one head to the next.
    pub stride: usize,
    /// First column of head 0.
    pub offset: usize,
    /// Columns per head.
    pub width: usize,
}

impl Heads {
    /// One head that is the whole row.
    pub const fn whole(width: usize) -> Self {
        Self { count: 1, stride: width, offset: 0, width }
    }

    /// `count` heads of `width` columns, one behind the other.
    pub const fn packed(count: usize, width: usize) -> Self {
        Self { count, stride: width, offset: 0, width }
    }
}

/// RMS norm: `x / sqrt(mean(x^2) + eps) * weight (+ bias)`, each head apart, all with the same weights.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// F32 weights, one per column of a head.
    pub weight: Weight,
    /// F32 biases, one per column of a head.
    pub bias: Option<Weight>,
    /// Added to the mean square.
    pub eps: f32,
    /// The columns that are normed, head by head; columns outside are left as they are in place, undefined elsewhere.
    pub heads: Heads,
}

/// A linear layer: `y = (W x) * scale + bias`.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// `(rows, cols)`.
    pub weight: Weight,
    /// `(rows)`, F32.
    pub bias: Option<Weight>,
    /// 1 unless the file has a scale tensor.
    pub scale: f32,
}

/// Which elements rotary embedding turns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeKind {
    /// Neighbours `(2i, 2i+1)`.
    Norm,
    /// Halves `(i, i + n/2)`.
    Neox,
}

/// The elementwise function between an FFN's first and second half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `silu(gate) * up`.
    SwiGlu,
    /// gpt-oss: `g = min(gate, limit)`, `u = clamp(up, -limit, limit)`, `g * sigmoid(alpha g) * (u + 1)`.
    SwiGluOai {
        /// 1.702.
        alpha: f32,
        /// 7.
        limit: f32,
    },
}

/// Storage of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KvKind {
    /// 4 bytes per element.
    F32,
    /// 2 bytes per element, rounded to nearest even.
    F16,
    /// Blocks of 32: an f16 scale and 32 signed bytes.
    Q8_0,
}

impl KvKind {
    /// The weight type whose rows have the same layout.
    pub fn weight_type(self) -> GgmlType {
        match self {
            Self::F32 => GgmlType::F32,
            Self::F16 => GgmlType::F16,
            Self::Q8_0 => GgmlType::Q8_0,
        }
    }
}

impl std::fmt::Display for KvKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8_0 => "q8_0",
        })
    }
}

/// One layer's share of the KV cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvSpec {
    /// KV heads; each holds `key_width / heads` and `value_width / heads` elements of a token.
    pub heads: usize,
    /// Elements of the keys of one token (all KV heads).
    pub key_width: usize,
    /// Elements of the values of one token; 0 where values are a prefix of the keys.
    pub value_width: usize,
}

/// Causal attention of one layer.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Which layer's KV cache.
    pub layer: usize,
    /// Query heads.
    pub heads: usize,
    /// KV heads; query head `j` reads KV head `j / (heads / kv_heads)`.
    pub kv_heads: usize,
    /// Elements of a query or key head.
    pub key_dim: usize,
    /// Elements of a value head.
    pub value_dim: usize,
    /// Multiplies the scores.
    pub scale: f32,
    /// Key at position p is visible to the query at position q if `q - p < window`.
    pub window: Option<usize>,
    /// One F32 logit per head that joins the softmax's maximum and denominator, unscaled and without a value.
    pub sinks: Option<Weight>,
}

/// The FFN of one layer's routed experts, as the device needs it beside the slots.
#[derive(Clone, Copy, Debug)]
pub struct ExpertOps {
    /// Between gate/up and down.
    pub activation: Activation,
    /// F32 `(experts, width)` added to gate and up, `(experts, d_model)` added to down (before the router's weight).
    pub biases: Option<[Weight; 3]>,
    /// F32 `(experts)`: factors of the gate, up and down products, applied before the biases.
    pub scales: [Option<Weight>; 3],
}

/// One expert's work in one call.
#[derive(Clone, Copy, Debug)]
pub struct ExpertJob<'a> {
    /// Where the expert's weights are.
    pub slot: SlotId,
    /// Its index in the layer (for biases and scales).
    pub expert: u32,
    /// The (token, rank) pairs it serves, as `token * k + rank`, ascending.
    pub uses: &'a [u32],
}

/// What `foregate devices` and the start-up line say of a device.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeviceInfo {
    /// `reference`, `cpu` or `gpu`.
    pub kind: &'static str,
    /// The adapter's or CPU's name and, for the CPU, kernel level and threads.
    pub name: String,
    /// Whether its memory is the machine's own memory (software or unified adapter, CPU).
    pub shares_memory: bool,
}

/// What a memory plan must know of a device before anything is allocated on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of the device's own memory, where it has some apart from the machine's and the system tells.
    pub memory_bytes: Option<u64>,
    /// What its driver and transfer buffers take of the machine's memory.
    pub driver_bytes: u64,
    /// Tokens per forward pass in prefill unless told otherwise.
    pub batch: usize,
    /// Another split of a prompt may move the last bits, so a tight budget must not choose a smaller batch.
    pub batch_fixed: bool,
    /// Slots are filled through staging buffers in the machine's memory.
    pub staged: bool,
    /// The only storage of keys and values that it has.
    pub kv_only: Option<KvKind>,
}

/// The part of a device that holds routed experts and computes them; paging needs no more of it.
pub trait ExpertDevice {
    /// Takes out the slot's own memory to be read into, where slots are host memory; `None` where the caller brings a
    /// staging buffer. The slot's content is gone.
    fn slot_take(&mut self, slot: SlotId) -> Option<ExpertBuf>;
    /// Makes `buf` the content of the slot; gives the buffer back where slots are not host memory.
    fn slot_put(&mut self, slot: SlotId, layer: &ExpertLayer, buf: ExpertBuf) -> Result<Option<ExpertBuf>>;
    /// Starts a layer's experts on input rows `x` `(n, d_model)`.
    fn experts_begin(&mut self, n: usize, k: usize, x: Act) -> Result<()>;
    /// Computes the given experts, whose slots are filled; results are kept per (token, rank). Any order, any grouping.
    fn experts_run(&mut self, layer: &ExpertLayer, ops: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()>;
    /// `out[t] = sum over ranks of weight * result[t, rank]`, in the router's order.
    fn experts_end(&mut self, routing: &Routing, out: Act) -> Result<()>;
}

/// A place that holds weights and activations and computes on them.
///
/// Every method that takes `n` works on the first `n` rows of its activations. Sources and destinations differ unless a
/// method says that it works in place. Errors are device failures; wrong shapes are bugs and panic in debug builds.
pub trait Device: ExpertDevice {
    /// Who computes.
    fn info(&self) -> DeviceInfo;

    /// What a plan counts with.
    fn footprint(&self) -> Footprint;
    /// Bytes that one expert of the layer takes in a slot; an error where it cannot be held.
    fn slot_bytes(&self, layer: &ExpertLayer) -> Result<usize> {
        Ok(layer.window_bytes())
    }
    /// Bytes of one layer's keys and values.
    fn kv_bytes(&self, spec: &KvSpec, ctx: usize, kind: KvKind) -> u64 {
        let rows = |width: usize| kind.weight_type().bytes_for(width as u64).unwrap_or(4 * width as u64);
        (rows(spec.key_width) + rows(spec.value_width)) * ctx as u64
    }

    /// Refuses a kind of keys and values that does not fit a layer, before anything is allocated.
    fn check_kv(&self, _spec: &KvSpec, _kind: KvKind) -> Result<()> {
        Ok(())
    }

    /// Bytes that a step takes beside its activations.
    fn scratch_bytes(&self, sizes: &StepSizes) -> u64 {
        sizes.scratch_bytes(1)
    }

    // ---- Set-up: everything is allocated here, once ----

    /// Copies a weight to the device, reading exactly its bytes from `data`.
    fn load_weight(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight>;
    /// Allocates an activation matrix `(max_rows, width)`.
    fn new_act(&mut self, width: usize, max_rows: usize) -> Result<Act>;
    /// Allocates the KV cache of all layers for `ctx` positions.
    fn new_kv(&mut self, layers: &[KvSpec], ctx: usize, kind: KvKind) -> Result<()>;
    /// Allocates the expert slots, class after class, and what [`ExpertDevice::experts_run`] needs for `layers` and `max_uses`
    /// (largest batch times k) rows.
    fn new_slots(&mut self, classes: &[SlotClass], layers: &[ExpertLayer], max_uses: usize) -> Result<()>;

    // ---- Data in and out ----

    /// Copies whole rows into the first rows of `dst`.
    fn upload(&mut self, dst: Act, rows: &[f32]) -> Result<()>;
    /// Copies `rows` of `src` out.
    fn download(&mut self, src: Act, rows: Range<usize>) -> Result<Vec<f32>>;

    // ---- The operations of a forward pass ----

    /// Root-mean-square norm; in place if `src == dst`.
    fn rms_norm(&mut self, n: usize, src: Act, dst: Act, norm: &Norm) -> Result<()>;
    /// `dst = linear(src)`: the first `cols` columns of `src` to the first `rows` columns of `dst`; both may be wider.
    fn linear(&mut self, n: usize, linear: &Linear, src: Act, dst: Act) -> Result<()>;
    /// One matrix per head (`mats` heads): head `h` of `dst` = matrix `h` times head `h` of `src`.
    fn linear_heads(&mut self, n: usize, weight: Weight, src: (Act, Heads), dst: (Act, Heads)) -> Result<()>;
    /// Rotates the `heads` columns of `x` in place. Row t of `table` is `[cos; sin]`, each of `heads.width / 2` entries.
    fn rope(&mut self, n: usize, x: Act, heads: Heads, kind: RopeKind, table: Act) -> Result<()>;
    /// Stores keys and values of positions `pos .. pos + n`, then attends: `(n, heads * key_dim)` to
    /// `(n, heads * value_dim)`. `v` is `None` where values are the first `value_dim` elements of the keys.
    #[allow(clippy::too_many_arguments)]
    fn attention(
        &mut self,
        n: usize,
        pos: usize,
        spec: &Attention,
        q: Act,
        k: Act,
        v: Option<Act>,
        out: Act,
    ) -> Result<()>;
    /// Chooses experts from router logits `(n, experts)`; `forced` replaces the choice (not the weights) by these ids `(n, k)`.
    fn route(&mut self, n: usize, logits: Act, rule: &RouteRule, forced: Option<&[u32]>) -> Result<Routing> {
        let rows = self.download(logits, 0..n)?;
        Ok(routing::choose(&rows, n, rule, forced))
    }
    /// `dst = activation(gate, up)` on the first `width` columns; `dst` may be `gate`.
    fn glu(&mut self, n: usize, width: usize, activation: Activation, gate: Act, up: Act, dst: Act) -> Result<()>;
    /// `dst += src * factor`.
    fn add(&mut self, n: usize, dst: Act, src: Act, factor: f32) -> Result<()>;
    /// Row t of `x` times `sigmoid(factors[t])`, or `factors[t]` itself; `factors` is `(n, 1)`. In place.
    fn scale_rows(&mut self, n: usize, x: Act, factors: Act, sigmoid: bool) -> Result<()>;
    /// Copies head columns of `src` to head columns of `dst`.
    fn copy_heads(&mut self, n: usize, src: (Act, Heads), dst: (Act, Heads)) -> Result<()>;
    /// Row i of `dst` = row `rows[i]` of `src`.
    fn select_rows(&mut self, src: Act, rows: &[usize], dst: Act) -> Result<()>;
}
