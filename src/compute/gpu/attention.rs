//! The KV cache in GPU memory, and attention over it.

use super::engine::{Buf, Engine, fold};
use super::ops::per_element;
use super::shaders::{MAX_HEAD_DIM, Shader};
use super::{GpuDevice, u32_of};
use crate::compute::{Act, Attention, KvKind, KvSpec};
use crate::error::{Error, Result};

/// Twin: `Params` in shaders/kv_store.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct StoreParams {
    width: u32,
    src_row: u32,
    row_words: u32,
    pos: u32,
    tokens: u32,
}
const _: () = assert!(size_of::<StoreParams>() == 20);

/// Twin: `Params` in shaders/attention.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct AttentionParams {
    heads: u32,
    sharing: u32,
    key_dim: u32,
    value_dim: u32,
    query_row: u32,
    dst_row: u32,
    key_row: u32,
    value_row: u32,
    value_stride: u32,
    pos: u32,
    tokens: u32,
    window: u32,
    has_sinks: u32,
    scale: f32,
}
const _: () = assert!(size_of::<AttentionParams>() == 56);

/// Refuses widths that the shaders cannot take.
pub fn check(spec: &KvSpec) -> Result<()> {
    let KvSpec { key_width, value_width, .. } = *spec;
    if key_width.is_multiple_of(4) && value_width.is_multiple_of(4) {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "keys of {key_width} and values of {value_width} elements; the gpu device needs multiples of 4"
    )))
}

/// All layers' keys and values.
#[derive(Default)]
pub(super) struct Kv {
    kind: Option<KvKind>,
    ctx: usize,
    layers: Vec<LayerKv>,
}

struct LayerKv {
    spec: KvSpec,
    keys: Buf,
    /// The keys where values are a prefix of them.
    values: Buf,
}

/// Words of a row of `width` elements.
fn row_words(kind: KvKind, width: usize) -> usize {
    match kind {
        KvKind::F32 => width,
        KvKind::F16 => width / 2,
        KvKind::Q8_0 => width.div_ceil(32) * 9,
    }
}

/// Elements that are stored by one lane; `KV_RUN` in shaders/kv.
fn run_len(kind: KvKind) -> usize {
    match kind {
        KvKind::F32 | KvKind::F16 => 4,
        KvKind::Q8_0 => 32,
    }
}

/// Bytes of GPU memory that the KV cache of one layer takes.
pub fn kv_bytes(spec: &KvSpec, ctx: usize, kind: KvKind) -> u64 {
    ctx as u64 * (row_words(kind, spec.key_width) + row_words(kind, spec.value_width)) as u64 * 4
}

impl Kv {
    pub fn new(engine: &mut Engine, layers: &[KvSpec], ctx: usize, kind: KvKind) -> Result<Self> {
        let mut kv = Self { kind: Some(kind), ctx, layers: Vec::with_capacity(layers.len()) };
        for (l, spec) in layers.iter().enumerate() {
            check(spec)?;
            let mut cache = |width: usize, what: &str| {
                let bytes = (ctx * row_words(kind, width) * 4) as u64;
                if bytes > engine.max_binding() {
                    return Err(Error::Device(format!(
                        "{}: {what} of {ctx} positions take {bytes} bytes in layer {l}, above its largest binding of {}; \
                         a smaller --ctx or --kv takes less",
                        engine.info.name,
                        engine.max_binding()
                    )));
                }
                engine.buffer(bytes, &format!("the {what} of layer {l}"))
            };
            let keys = cache(spec.key_width, "keys")?;
            let values = if spec.value_width == 0 { keys } else { cache(spec.value_width, "values")? };
            kv.layers.push(LayerKv { spec: *spec, keys, values });
        }
        Ok(kv)
    }
}

impl GpuDevice {
    /// `acts` are the queries, the new keys and the destination.
    pub(super) fn run_attention(
        &mut self,
        n: usize,
        pos: usize,
        spec: &Attention,
        [q, k, out]: [Act; 3],
        v: Option<Act>,
    ) -> Result<()> {
        let (Some(kind), Some(layer)) = (self.kv.kind, self.kv.layers.get(spec.layer)) else {
            return Err(Error::Device(format!("layer {} has no KV cache", spec.layer)));
        };
        debug_assert!(pos + n <= self.kv.ctx && v.is_some() == (layer.spec.value_width > 0));
        let max = MAX_HEAD_DIM as usize;
        if [spec.key_dim, spec.value_dim].iter().any(|d| !d.is_multiple_of(4) || *d > max) {
            return Err(Error::Unsupported(format!(
                "layer {}: heads of {} and {} elements; the gpu device takes multiples of 4 up to {max}",
                spec.layer, spec.key_dim, spec.value_dim
            )));
        }
        let key_row = row_words(kind, layer.spec.key_width);
        let value_row = if v.is_some() { row_words(kind, layer.spec.value_width) } else { key_row };
        let new = [(layer.keys, layer.spec.key_width, Some(k)), (layer.values, layer.spec.value_width, v)];
        let (keys, values) = (layer.keys, layer.values);
        for (cache, width, src) in new {
            let Some(src) = src else { continue };
            let params = StoreParams {
                width: u32_of(width),
                src_row: u32_of(self.acts[src.0].width),
                row_words: u32_of(row_words(kind, width)),
                pos: u32_of(pos),
                tokens: u32_of(n),
            };
            let bindings = [Some(cache.into()), Some(self.acts[src.0].buf.into())];
            let grid = per_element(n * width.div_ceil(run_len(kind)));
            self.engine.dispatch(&Shader::KvStore(kind), &bindings, &params, grid)?;
        }
        let params = AttentionParams {
            heads: u32_of(spec.heads),
            sharing: u32_of(spec.heads / spec.kv_heads),
            key_dim: u32_of(spec.key_dim),
            value_dim: u32_of(spec.value_dim),
            query_row: u32_of(self.acts[q.0].width),
            dst_row: u32_of(self.acts[out.0].width),
            key_row: u32_of(key_row),
            value_row: u32_of(value_row),
            value_stride: u32_of(if v.is_some() { spec.value_dim } else { spec.key_dim }),
            pos: u32_of(pos),
            tokens: u32_of(n),
            // a window longer than the cache hides nothing
            window: spec.window.map_or(0, |w| u32_of(w.min(self.kv.ctx))),
            has_sinks: u32::from(spec.sinks.is_some()),
            scale: spec.scale,
        };
        let sinks = spec.sinks.map_or(self.nothing, |w| self.weights[w.0].vector());
        let bindings = [self.acts[out.0].buf, self.acts[q.0].buf, keys, values, sinks].map(|b| Some(b.into()));
        let [x, y] = fold(n * spec.heads);
        self.engine.dispatch(&Shader::Attention(kind), &bindings, &params, [x, y, 1])
    }
}
