//! Attention in numbers: the dimensions of a layer's heads, and what follows from them for activations and the KV cache.

use crate::compute::{Heads, KvSpec};
use crate::error::Result;
use crate::gguf::Value;
use crate::model::arch::{Architecture, AttentionKind};
use crate::model::keys::{Keys, MAX_HEADS, MAX_WIDTH};
use crate::model::rope::RopeConfig;

/// Attention of one layer.
#[derive(Clone, Debug)]
pub struct AttentionConfig {
    /// Multiplies the scores.
    pub scale: f32,
    /// Sliding window, in positions, self included.
    pub window: Option<usize>,
    /// Its heads.
    pub dims: AttentionDims,
}

/// The heads of one layer, by how keys and values come about.
#[derive(Clone, Copy, Debug)]
pub enum AttentionDims {
    /// Grouped-query attention.
    Gqa(GqaDims),
    /// Multi-head latent attention.
    Mla(MlaDims),
}

/// Dimensions of grouped-query attention.
#[derive(Clone, Copy, Debug)]
pub struct GqaDims {
    /// Query heads.
    pub heads: usize,
    /// KV heads.
    pub kv_heads: usize,
    /// Elements of a query or key head.
    pub key_dim: usize,
    /// Elements of a value head.
    pub value_dim: usize,
}

/// Dimensions of multi-head latent attention.
#[derive(Clone, Copy, Debug)]
pub struct MlaDims {
    /// Query heads.
    pub heads: usize,
    /// Elements of a query or key head that are not rotated; they come first.
    pub nope_dim: usize,
    /// Rotated elements of a head, shared by all heads on the key side.
    pub rope_dim: usize,
    /// Elements of a value head.
    pub value_dim: usize,
    /// Width of the compressed key/value.
    pub kv_rank: usize,
    /// `attn_k_b` and `attn_v_b` stand in the file: attention runs on the compressed cache.
    pub absorbed: bool,
}

/// Columns of the activations that attention works on; 0 where it does without one.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionWidths {
    /// Queries of all heads.
    pub q: usize,
    /// Keys (multi-head latent attention: `[compressed | rotated key]`).
    pub k: usize,
    /// Values.
    pub v: usize,
    /// Multi-head latent attention: queries in the compressed space, or keys of all heads.
    pub wide: usize,
    /// Multi-head latent attention: attended compressed values, or keys and values as they leave the compressed space.
    pub wide_v: usize,
    /// Attention's result.
    pub out: usize,
}

impl AttentionWidths {
    /// What serves both.
    pub fn widest(self, other: Self) -> Self {
        Self {
            q: self.q.max(other.q),
            k: self.k.max(other.k),
            v: self.v.max(other.v),
            wide: self.wide.max(other.wide),
            wide_v: self.wide_v.max(other.wide_v),
            out: self.out.max(other.out),
        }
    }
}

impl AttentionDims {
    /// Query heads.
    pub fn heads(&self) -> usize {
        match self {
            Self::Gqa(dims) => dims.heads,
            Self::Mla(dims) => dims.heads,
        }
    }

    /// Columns of its activations.
    pub fn widths(&self) -> AttentionWidths {
        match self {
            Self::Gqa(dims) => dims.widths(),
            Self::Mla(dims) => dims.widths(),
        }
    }

    /// What is kept of a token.
    pub fn kv_spec(&self) -> KvSpec {
        match self {
            Self::Gqa(dims) => dims.kv_spec(),
            Self::Mla(dims) => dims.kv_spec(),
        }
    }
}

impl GqaDims {
    /// Columns of its activations.
    pub fn widths(&self) -> AttentionWidths {
        let Self { heads, kv_heads, key_dim, value_dim } = *self;
        let (q, k, v, out) = (heads * key_dim, kv_heads * key_dim, kv_heads * value_dim, heads * value_dim);
        AttentionWidths { q, k, v, out, ..AttentionWidths::default() }
    }

    /// What is kept of a token.
    pub fn kv_spec(&self) -> KvSpec {
        let AttentionWidths { k, v, .. } = self.widths();
        KvSpec { heads: self.kv_heads, key_width: k, value_width: v }
    }
}

impl MlaDims {
    /// Elements of a query or key head.
    pub fn key_dim(&self) -> usize {
        self.nope_dim + self.rope_dim
    }

    /// Elements of `[compressed | rotated key]`, which all heads share.
    pub fn latent_dim(&self) -> usize {
        self.kv_rank + self.rope_dim
    }

    /// Elements of a head's keys and values as they leave the compressed space: the keys' unrotated part, then values.
    pub fn expanded_dim(&self) -> usize {
        self.nope_dim + self.value_dim
    }

    /// Columns of its activations.
    pub fn widths(&self) -> AttentionWidths {
        let (wide, wide_v) = match self.absorbed {
            true => (self.latent_dim(), self.kv_rank),
            false => (self.key_dim(), self.expanded_dim()),
        };
        let (q, values) = (self.heads * self.key_dim(), self.heads * self.value_dim);
        let (wide, wide_v) = (self.heads * wide, self.heads * wide_v);
        AttentionWidths { q, k: self.latent_dim(), v: values, wide, wide_v, out: values }
    }

    /// What is kept of a token: the latent, whose head is the values, or keys and values of all heads.
    pub fn kv_spec(&self) -> KvSpec {
        match (self.absorbed, self.widths()) {
            (true, _) => KvSpec { heads: 1, key_width: self.latent_dim(), value_width: 0 },
            (false, AttentionWidths { q, v, .. }) => KvSpec { heads: self.heads, key_width: q, value_width: v },
        }
    }

    /// The unrotated columns of a row of queries or keys.
    pub fn nope(&self) -> Heads {
        Heads { width: self.nope_dim, ..Heads::packed(self.heads, self.key_dim()) }
    }

    /// The rotated columns of a row of queries or keys.
    pub fn rotated(&self) -> Heads {
        Heads { offset: self.nope_dim, width: self.rope_dim, ..Heads::packed(self.heads, self.key_dim()) }
    }

    /// The compressed columns of rows of `count` latents.
    pub fn compressed(&self, count: usize) -> Heads {
        Heads { width: self.kv_rank, ..Heads::packed(count, self.latent_dim()) }
    }

    /// The rotated columns of rows of `count` latents.
    pub fn latent_rotated(&self, count: usize) -> Heads {
        Heads { offset: self.kv_rank, width: self.rope_dim, ..Heads::packed(count, self.latent_dim()) }
    }
}

/// What the attention keys say, before it is spread over the layers.
pub(super) struct AttentionKeys {
    heads: Vec<u32>,
    kv_heads: Vec<u32>,
    key_dim: usize,
    value_dim: usize,
    /// Rotated elements of a head.
    pub n_rot: usize,
    mla: Option<MlaKeys>,
}

/// What only multi-head latent attention has.
#[derive(Clone, Copy)]
struct MlaKeys {
    kv_rank: usize,
    absorbed: bool,
}

impl AttentionKeys {
    pub fn read(keys: &Keys<'_>, arch: &Architecture, blocks: usize, d_model: usize, n_layers: usize) -> Result<Self> {
        let heads = keys.required("attention.head_count", keys.per_layer("attention.head_count", blocks)?)?;
        let kv_heads = keys.per_layer("attention.head_count_kv", blocks)?.unwrap_or_else(|| heads.clone());
        for il in 0..n_layers {
            keys.checked("attention.head_count", heads[il], MAX_HEADS)?;
            keys.checked("attention.head_count_kv", kv_heads[il], MAX_HEADS)?;
            if heads[il] % kv_heads[il] != 0 {
                let what = format!("layer {il}: {} does not divide {} query heads", kv_heads[il], heads[il]);
                return Err(keys.error("attention.head_count_kv", what));
            }
        }
        let default_dim = d_model / heads[0] as usize;
        let mut key_dim = keys.size_or("attention.key_length", default_dim.max(1), MAX_WIDTH)?;
        let mut value_dim = keys.size_or("attention.value_length", default_dim.max(1), MAX_WIDTH)?;
        let mut n_rot = match keys.u32("rope.dimension_count")? {
            Some(n) => keys.checked("rope.dimension_count", n, MAX_WIDTH)?,
            None => key_dim,
        };
        if arch.head_is_rope {
            (key_dim, value_dim) = (n_rot, n_rot);
        }
        let mla = match arch.attention {
            AttentionKind::Gqa => None,
            AttentionKind::Mla => {
                let kv_rank = keys.size("attention.kv_lora_rank", MAX_WIDTH)?;
                let key_mla = keys.u32("attention.key_length_mla")?.unwrap_or(0) as usize;
                let value_mla = keys.u32("attention.value_length_mla")?.unwrap_or(0) as usize;
                let absorbed = key_mla > 0 && value_mla > 0;
                if absorbed {
                    (key_dim, value_dim) = (key_mla, value_mla);
                }
                n_rot = keys.size("rope.dimension_count", MAX_WIDTH)?;
                if key_dim.max(value_dim) > MAX_WIDTH as usize {
                    let what = format!("keys of {key_dim} or values of {value_dim} elements are above {MAX_WIDTH}");
                    return Err(keys.error("attention.key_length_mla", what));
                }
                if n_rot >= key_dim {
                    let what = format!("{n_rot} rotated of {key_dim} key elements leaves none unrotated");
                    return Err(keys.error("rope.dimension_count", what));
                }
                Some(MlaKeys { kv_rank, absorbed })
            }
        };
        if arch.rope_whole_head && n_rot != key_dim {
            return Err(keys.error("rope.dimension_count", format!("{n_rot} is not the head size {key_dim}")));
        }
        if n_rot % 2 != 0 || n_rot > key_dim {
            return Err(keys.error("rope.dimension_count", format!("{n_rot} is odd or above the head size {key_dim}")));
        }
        Ok(Self { heads, kv_heads, key_dim, value_dim, n_rot, mla })
    }

    /// Spreads them over the layers.
    pub fn layers(
        &self,
        keys: &Keys<'_>,
        arch: &Architecture,
        rope: &RopeConfig,
        n_layers: usize,
    ) -> Result<Vec<AttentionConfig>> {
        let slides = if arch.window_and_sinks { window_pattern(keys, n_layers)? } else { vec![None; n_layers] };
        let file_scale = if arch.granite_scales { keys.f32("attention.scale")? } else { None };
        let scale = match file_scale.filter(|&s| s != 0.0) {
            Some(scale) => scale,
            None => rope.score_magnitude * rope.score_magnitude / (self.key_dim as f32).sqrt(),
        };
        Ok((0..n_layers).map(|il| AttentionConfig { scale, window: slides[il], dims: self.dims(il) }).collect())
    }

    fn dims(&self, il: usize) -> AttentionDims {
        let (heads, kv_heads) = (self.heads[il] as usize, self.kv_heads[il] as usize);
        let (key_dim, value_dim) = (self.key_dim, self.value_dim);
        match self.mla {
            None => AttentionDims::Gqa(GqaDims { heads, kv_heads, key_dim, value_dim }),
            Some(MlaKeys { kv_rank, absorbed }) => AttentionDims::Mla(MlaDims {
                heads,
                nope_dim: key_dim - self.n_rot,
                rope_dim: self.n_rot,
                value_dim,
                kv_rank,
                absorbed,
            }),
        }
    }
}

/// The window of each layer: an array of flags, or a period n where layer `il` slides if `il % n < n - 1` (2 by
/// default; 0: all slide).
fn window_pattern(keys: &Keys<'_>, n_layers: usize) -> Result<Vec<Option<usize>>> {
    let window = keys.size("attention.sliding_window", 1 << 30)?;
    let key = "attention.sliding_window_pattern";
    let name = keys.key(key);
    let slides: Vec<bool> = match keys.meta.get(&name) {
        Some(Value::Array(_)) => {
            let flags = keys.required(key, keys.meta.bools(&name)?)?;
            if flags.len() < n_layers {
                return Err(keys.error(key, format!("{} entries for {n_layers} layers", flags.len())));
            }
            flags
        }
        Some(_) => {
            let period = keys.required(key, keys.u32(key)?)? as usize;
            (0..n_layers).map(|il| period == 0 || il % period < period - 1).collect()
        }
        None => (0..n_layers).map(|il| il % 2 == 0).collect(),
    };
    Ok(slides.into_iter().take(n_layers).map(|s| s.then_some(window)).collect())
}
