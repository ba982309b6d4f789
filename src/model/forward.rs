//! The forward pass, in model order, written once against the [`Device`] trait.
//!
//! [`Forward::step`] takes the residual stream of a batch through all layers, [`Forward::logits`] through the output
//! head. What differs between architectures was decided when the [`weights`](super::weights) were built; here a part is
//! there or not.

use crate::compute::{Act, Attention, Device, Heads, KvSpec, Routing, Weight, routing};
use crate::error::Result;
use crate::expert::pager::Pager;
use crate::expert::predict::Predictor;
use crate::gguf::Gguf;
use crate::model::attention::{AttentionConfig, AttentionWidths};
use crate::model::config::FfnConfig;
use crate::model::lookahead::Known;
use crate::model::weights::{AttentionWeights, DenseFfn, Ffn, GqaWeights, MlaExpand, MlaWeights, Moe};
use crate::model::{Config, Model, read_row};

/// Sees and may replace the router's choices.
pub trait RouteTap {
    /// Expert ids `(n, k)` to use on this layer instead of the router's own; `None` leaves the choice to the router.
    fn forced(&mut self, _layer: usize, _n: usize) -> Option<Vec<u32>> {
        None
    }

    /// What was chosen.
    fn chosen(&mut self, layer: usize, routing: &Routing);
}

/// What a step works on beside its own activations.
pub struct Step<'a> {
    /// Computes.
    pub device: &'a mut dyn Device,
    /// Brings experts.
    pub pager: &'a mut Pager,
    /// Token embeddings are read from here.
    pub gguf: &'a Gguf,
    /// Names the experts that come next.
    pub predictor: &'a mut Predictor,
    /// Watches the router.
    pub tap: Option<&'a mut dyn RouteTap>,
}

/// A model with its activations, ready to run.
pub struct Forward {
    pub(super) model: Model,
    pub(super) acts: Acts,
    batch: usize,
}

/// The activations of a step, `(batch, width)` but for the last three.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    /// Residual stream, d_model.
    pub(super) x: Act,
    /// Normed input of attention or FFN, d_model.
    pub(super) h: Act,
    /// Output of attention or FFN, d_model.
    y: Act,
    /// Queries, and compressed queries.
    q: Act,
    q_a: Act,
    /// Keys (multi-head latent attention: `[compressed | rotated key]`).
    k: Act,
    /// Values.
    v: Act,
    /// Multi-head latent attention: queries in the compressed space, or keys of all heads.
    wide: Act,
    /// Multi-head latent attention: attended compressed values, or keys and values as they leave the compressed space.
    wide_v: Act,
    /// Attention's result.
    a: Act,
    /// Router logits.
    pub(super) router: Act,
    /// Gate and up of a dense or shared FFN.
    gate: Act,
    up: Act,
    /// Shared expert's output, and its gate's logit.
    pub(super) shared: Act,
    shared_gate: Act,
    /// `[cos; sin]`, and those of sliding layers where they differ.
    rope: Act,
    rope_sliding: Act,
    /// One factor per row.
    temperature: Act,
    /// Rows that are taken through the output head: `(LOGIT_ROWS, d_model)`, the same normed, `(LOGIT_ROWS, n_vocab)`.
    pub(super) last: Act,
    pub(super) last_h: Act,
    logits: Act,
}

/// Rows of logits that are computed at once.
pub const LOGIT_ROWS: usize = 16;

impl Acts {
    /// Asks `new` for every activation, `(width, rows)`; a width of 0 is one that the model does without.
    fn allocate(model: &Model, batch: usize, new: &mut dyn FnMut(usize, usize) -> Result<Act>) -> Result<Self> {
        let c = &model.config;
        let attention = c.layers.iter().map(|l| l.attention.dims.widths());
        let a = attention.fold(AttentionWidths::default(), AttentionWidths::widest);
        let q_a = model.layers.iter().filter_map(|l| match &l.attention {
            AttentionWeights::Mla(w) => w.q_a.map(|q_a| q_a.rank),
            AttentionWeights::Gqa(_) => None,
        });
        let ffn = c.layers.iter().filter_map(|l| match &l.ffn {
            FfnConfig::Dense { width } => Some(*width),
            FfnConfig::Moe(moe) => moe.shared_width,
        });
        let ffn = ffn.max().unwrap_or(0);
        let has_shared = c.moe_layers().any(|(_, m)| m.shared_width.is_some());
        let logit_rows = LOGIT_ROWS.min(batch);
        let mut act = |width| new(width, batch);
        Ok(Self {
            x: act(c.d_model)?,
            h: act(c.d_model)?,
            y: act(c.d_model)?,
            q: act(a.q)?,
            q_a: act(q_a.max().unwrap_or(0))?,
            k: act(a.k)?,
            v: act(a.v)?,
            wide: act(a.wide)?,
            wide_v: act(a.wide_v)?,
            a: act(a.out)?,
            router: act(c.moe_layers().map(|(_, m)| m.rule.experts).max().unwrap_or(0))?,
            gate: act(ffn)?,
            up: act(ffn)?,
            shared: act(if has_shared { c.d_model } else { 0 })?,
            shared_gate: act(usize::from(has_shared))?,
            rope: act(c.rope.n_rot)?,
            rope_sliding: act(if c.rope.turn_sliding.is_some() { c.rope.n_rot } else { 0 })?,
            temperature: act(usize::from(c.temperature.is_some()))?,
            last: new(c.d_model, logit_rows)?,
            last_h: new(c.d_model, logit_rows)?,
            logits: new(c.n_vocab, logit_rows)?,
        })
    }
}

/// Bytes of the activations of a step of `batch` tokens.
pub fn activation_bytes(model: &Model, batch: usize) -> u64 {
    let mut bytes = 0;
    let counted = Acts::allocate(model, batch, &mut |width, rows| {
        bytes += 4 * width as u64 * rows as u64;
        Ok(Act::NONE)
    });
    debug_assert!(counted.is_ok(), "counting cannot fail");
    bytes
}

/// What each layer keeps of a token.
pub fn kv_specs(config: &Config) -> Vec<KvSpec> {
    config.layers.iter().map(|l| l.attention.dims.kv_spec()).collect()
}

impl Forward {
    /// Allocates the activations for batches of up to `batch` tokens.
    pub fn new(model: Model, device: &mut dyn Device, batch: usize) -> Result<Self> {
        let acts = Acts::allocate(&model, batch, &mut |width, rows| match width {
            0 => Ok(Act::NONE),
            _ => device.new_act(width, rows),
        })?;
        Ok(Self { model, acts, batch })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Tokens per step at most.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Takes `tokens` at positions `pos ..` through all layers; the residual stream then waits for [`Forward::logits`].
    ///
    /// `cancel` is asked before each layer. `false` if it stopped the step: then some layers hold keys and values of these
    /// positions, which the next step at `pos` overwrites before it reads them.
    pub fn step(&self, io: &mut Step<'_>, tokens: &[u32], pos: usize, cancel: &dyn Fn() -> bool) -> Result<bool> {
        debug_assert!(!tokens.is_empty() && tokens.len() <= self.batch);
        let (n, c) = (tokens.len(), &self.model.config);
        self.embed(io, tokens)?;
        self.position(io.device, pos, n)?;
        self.expect_first(io, tokens)?;
        for (il, layer) in self.model.layers.iter().enumerate() {
            if cancel() {
                return Ok(false);
            }
            let Acts { x, h, y, .. } = self.acts;
            io.device.rms_norm(n, x, h, &layer.attention_norm)?;
            match &layer.attention {
                AttentionWeights::Gqa(weights) => self.gqa(io.device, il, n, pos, weights)?,
                AttentionWeights::Mla(weights) => self.mla(io.device, il, n, pos, weights)?,
            }
            io.device.add(n, x, y, c.residual_scale)?;
            io.device.rms_norm(n, x, h, &layer.ffn_norm)?;
            match &layer.ffn {
                Ffn::Dense(ffn) => self.dense(io.device, n, ffn, y)?,
                Ffn::Moe(moe) => self.moe(io, il, n, moe)?,
            }
            io.device.add(n, x, y, c.residual_scale)?;
            if let Ffn::Dense(_) = &layer.ffn {
                self.look_ahead(io, il, n, Known::Whole)?;
            }
        }
        Ok(true)
    }

    /// Logits `(rows.len(), n_vocab)` of some rows of the last step; at most [`LOGIT_ROWS`] and the batch.
    pub fn logits(&self, device: &mut dyn Device, rows: &[usize]) -> Result<Vec<f32>> {
        let (n, c) = (rows.len(), &self.model.config);
        let Acts { x, last, last_h, logits, .. } = self.acts;
        device.select_rows(x, rows, last)?;
        device.rms_norm(n, last, last_h, &self.model.output_norm)?;
        device.linear(n, &self.model.output, last_h, logits)?;
        let mut out = device.download(logits, 0..n)?;
        if c.logit_scale != 1.0 {
            out.iter_mut().for_each(|v| *v /= c.logit_scale);
        }
        Ok(out)
    }

    fn embed(&self, io: &mut Step<'_>, tokens: &[u32]) -> Result<()> {
        let (c, embedding) = (&self.model.config, &self.model.embedding);
        let mut rows = Vec::with_capacity(tokens.len() * c.d_model);
        for &token in tokens {
            rows.extend(read_row(io.gguf, embedding, u64::from(token))?);
        }
        if c.embedding_scale != 1.0 {
            rows.iter_mut().for_each(|v| *v *= c.embedding_scale);
        }
        io.device.upload(self.acts.x, &rows)
    }

    /// What depends on the positions alone: rotation tables, attention temperature.
    fn position(&self, device: &mut dyn Device, pos: usize, n: usize) -> Result<()> {
        let c = &self.model.config;
        if c.rope.n_rot > 0 {
            device.upload(self.acts.rope, &c.rope.table(pos, n, false))?;
        }
        if c.rope.turn_sliding.is_some() {
            device.upload(self.acts.rope_sliding, &c.rope.table(pos, n, true))?;
        }
        if let Some((t, length)) = c.temperature {
            let factor = |p: usize| 1.0 + t * (1.0 + (p / length) as f32).ln();
            device.upload(self.acts.temperature, &(pos..pos + n).map(factor).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Grouped-query attention: `h` to `y`.
    fn gqa(&self, dev: &mut dyn Device, il: usize, n: usize, pos: usize, w: &GqaWeights) -> Result<()> {
        let (c, Acts { h, y, q, k, v, a, .. }) = (&self.model.config, self.acts);
        let (spec, dims) = (&c.layers[il].attention, w.dims);
        dev.linear(n, &w.q, h, q)?;
        dev.linear(n, &w.k, h, k)?;
        dev.linear(n, &w.v, h, v)?;
        if let Some((q_norm, k_norm)) = &w.qk_norm {
            dev.rms_norm(n, q, q, q_norm)?;
            dev.rms_norm(n, k, k, k_norm)?;
        }
        let sliding = spec.window.is_some() && c.rope.turn_sliding.is_some();
        let table = if sliding { self.acts.rope_sliding } else { self.acts.rope };
        let rotated = |heads| Heads { width: c.rope.n_rot, ..Heads::packed(heads, dims.key_dim) };
        if c.rope.n_rot > 0 {
            dev.rope(n, q, rotated(dims.heads), c.arch.rope, table)?;
            dev.rope(n, k, rotated(dims.kv_heads), c.arch.rope, table)?;
        }
        let cached = (dims.kv_heads, dims.key_dim, dims.value_dim);
        dev.attention(n, pos, &attention(il, spec, dims.heads, cached, w.sinks), q, k, Some(v), a)?;
        dev.linear(n, &w.out, a, y)
    }

    /// Multi-head latent attention: `h` to `y`.
    fn mla(&self, dev: &mut dyn Device, il: usize, n: usize, pos: usize, w: &MlaWeights) -> Result<()> {
        let (c, Acts { h, y, q, q_a, k, v, wide, wide_v, a, .. }) = (&self.model.config, self.acts);
        let (spec, dims) = (&c.layers[il].attention, w.dims);
        let (heads, kv_rank, value_dim) = (dims.heads, dims.kv_rank, dims.value_dim);
        match &w.q_a {
            Some(compression) => {
                dev.linear(n, &compression.down, h, q_a)?;
                dev.rms_norm(n, q_a, q_a, &compression.norm)?;
                dev.linear(n, &w.q, q_a, q)?;
            }
            None => dev.linear(n, &w.q, h, q)?,
        }
        dev.linear(n, &w.kv_a, h, k)?;
        dev.rms_norm(n, k, k, &w.kv_norm)?;
        // only the tail of a query head and the one shared key tail are rotated
        dev.rope(n, q, dims.rotated(), c.arch.rope, self.acts.rope)?;
        dev.rope(n, k, dims.latent_rotated(1), c.arch.rope, self.acts.rope)?;
        if c.temperature.is_some() {
            dev.scale_rows(n, q, self.acts.temperature, false)?;
        }
        match &w.kv_b {
            MlaExpand::Absorbed { k_b, v_b } => {
                dev.linear_heads(n, *k_b, (q, dims.nope()), (wide, dims.compressed(heads)))?;
                dev.copy_heads(n, (q, dims.rotated()), (wide, dims.latent_rotated(heads)))?;
                let attention = attention(il, spec, heads, (1, dims.latent_dim(), kv_rank), None);
                dev.attention(n, pos, &attention, wide, k, None, wide_v)?;
                let (from, to) = (Heads::packed(heads, kv_rank), Heads::packed(heads, value_dim));
                dev.linear_heads(n, *v_b, (wide_v, from), (a, to))?;
            }
            MlaExpand::Full(kv_b) => {
                dev.linear(n, kv_b, k, wide_v)?;
                let expanded = Heads::packed(heads, dims.expanded_dim());
                let keys = Heads { width: dims.nope_dim, ..expanded };
                let values = Heads { offset: dims.nope_dim, width: value_dim, ..expanded };
                let shared = Heads { count: heads, stride: 0, ..dims.latent_rotated(1) };
                dev.copy_heads(n, (wide_v, keys), (wide, dims.nope()))?;
                dev.copy_heads(n, (k, shared), (wide, dims.rotated()))?;
                dev.copy_heads(n, (wide_v, values), (v, Heads::packed(heads, value_dim)))?;
                let attention = attention(il, spec, heads, (heads, dims.key_dim(), value_dim), None);
                dev.attention(n, pos, &attention, q, wide, Some(v), a)?;
            }
        }
        dev.linear(n, &w.out, a, y)
    }

    /// A gated FFN: `h` to `out`.
    fn dense(&self, dev: &mut dyn Device, n: usize, ffn: &DenseFfn, out: Act) -> Result<()> {
        let Acts { h, gate, up, .. } = self.acts;
        dev.linear(n, &ffn.gate, h, gate)?;
        dev.linear(n, &ffn.up, h, up)?;
        dev.glu(n, ffn.width, self.model.config.arch.activation, gate, up, gate)?;
        dev.linear(n, &ffn.down, gate, out)
    }

    /// Routed experts and the shared one: `h` to `y`.
    fn moe(&self, io: &mut Step<'_>, il: usize, n: usize, moe: &Moe) -> Result<()> {
        let Acts { h, y, router, shared, shared_gate, .. } = self.acts;
        io.device.linear(n, &moe.router, h, router)?;
        let forced = io.tap.as_mut().and_then(|tap| tap.forced(il, n));
        let routing = io.device.route(n, router, &moe.rule, forced.as_deref())?;
        if let Some(tap) = &mut io.tap {
            tap.chosen(il, &routing);
        }
        self.observe(io, il, n, moe, &routing)?;
        let scores = match io.pager.wants_scores() {
            true => Some(routing::scores(&io.device.download(router, 0..n)?, n, &moe.rule)),
            false => None,
        };
        io.pager.begin(io.device, il, n, &routing, scores.as_deref())?;
        // what every token needs is computed while the misses are read
        if let Some((ffn, gate)) = &moe.shared {
            self.dense(io.device, n, ffn, shared)?;
            if let Some(gate) = gate {
                io.device.linear(n, gate, h, shared_gate)?;
                io.device.scale_rows(n, shared, shared_gate, true)?;
            }
        }
        self.look_ahead(io, il, n, if moe.shared.is_some() { Known::WithShared } else { Known::Attention })?;
        io.pager.run(io.device, &moe.ops, n, h, &routing, y)?;
        match moe.shared {
            Some(_) => io.device.add(n, y, shared, 1.0),
            None => Ok(()),
        }
    }
}

/// The attention of a layer's query heads over a cache of `(heads, key elements, value elements)`.
fn attention(
    layer: usize,
    spec: &AttentionConfig,
    heads: usize,
    (kv_heads, key_dim, value_dim): (usize, usize, usize),
    sinks: Option<Weight>,
) -> Attention {
    Attention { layer, heads, kv_heads, key_dim, value_dim, scale: spec.scale, window: spec.window, sinks }
}
