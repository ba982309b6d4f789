//! Hyper-parameters: an architecture's table entry plus a file's metadata, resolved layer by layer and checked.

use crate::compute::routing::{Gating, RouteRule};
use crate::error::{Error, Result};
use crate::expert::predict::RoutedLayer;
use crate::gguf::Gguf;
use crate::model::arch::{self, Architecture, AttentionKind, ExpertWidth, Router, Shared};
use crate::model::attention::{AttentionConfig, AttentionKeys};
use crate::model::keys::{Keys, MAX_EXPERTS, MAX_LAYERS, MAX_WIDTH};
use crate::model::rope::RopeConfig;

/// A context longer than this must be asked for.
const CTX_DEFAULT: usize = 4096;

/// All that is fixed about a model beside its weights.
#[derive(Clone, Debug)]
pub struct Config {
    /// Table entry.
    pub arch: &'static Architecture,
    /// `general.name`, else empty.
    pub name: String,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Tokens in the vocabulary (rows of the embedding).
    pub n_vocab: usize,
    /// Context the model was trained for.
    pub ctx_train: usize,
    /// Positions of the KV cache that these hyper-parameters are for (longrope chooses its factors by it).
    pub ctx: usize,
    /// Epsilon of every RMS norm.
    pub eps: f32,
    /// Rotary embedding.
    pub rope: RopeConfig,
    /// The embedding is multiplied by this.
    pub embedding_scale: f32,
    /// Attention and FFN outputs are multiplied by this before they are added.
    pub residual_scale: f32,
    /// Logits are divided by this.
    pub logit_scale: f32,
    /// `q *= 1 + t ln(1 + floor(pos / length))` where the file asks for it: `(t, length)`.
    pub temperature: Option<(f32, usize)>,
    /// Layer by layer.
    pub layers: Vec<LayerConfig>,
    /// Layers that stand behind these in the file and are not run: they predict further tokens.
    pub next_n: usize,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct LayerConfig {
    /// Attention.
    pub attention: AttentionConfig,
    /// Feed-forward.
    pub ffn: FfnConfig,
}

/// Feed-forward of one layer.
#[derive(Clone, Debug)]
pub enum FfnConfig {
    /// One gated FFN.
    Dense {
        /// Inner width.
        width: usize,
    },
    /// Routed experts.
    Moe(MoeConfig),
}

/// Routed and shared experts of one layer.
#[derive(Clone, Debug)]
pub struct MoeConfig {
    /// Routing; `selection_bias` comes from a tensor.
    pub rule: RouteRule,
    /// Inner width of a routed expert.
    pub width: usize,
    /// Inner width of the shared expert.
    pub shared_width: Option<usize>,
}

impl Config {
    /// Resolves a file's metadata for `ctx` positions, or as many as the model was trained for, up to 4096.
    pub fn from_gguf(gguf: &Gguf, ctx: Option<usize>) -> Result<Self> {
        let meta = gguf.metadata();
        let name = meta.str("general.architecture")?.ok_or_else(|| {
            Error::file(gguf.path(), "metadata general.architecture is missing: this is not a language model")
        })?;
        let arch = arch::find(name).ok_or_else(|| {
            Error::Unsupported(format!(
                "{}: architecture {} is not supported; supported are {}",
                gguf.path().display(),
                crate::gguf::Quoted(name),
                arch::names()
            ))
        })?;
        let keys = Keys { meta, prefix: arch.name };
        let blocks = keys.size("block_count", MAX_LAYERS)?;
        let next_n = keys.u32("nextn_predict_layers")?.unwrap_or(0) as usize;
        let n_layers = blocks
            .checked_sub(next_n)
            .filter(|&n| n > 0)
            .ok_or_else(|| keys.error("nextn_predict_layers", format!("{next_n} leaves none of {blocks} layers")))?;
        let d_model = keys.size("embedding_length", MAX_WIDTH)?;
        let ctx_train = keys.size("context_length", 1 << 30)?;
        let ctx = ctx.unwrap_or_else(|| ctx_train.min(CTX_DEFAULT));
        let embedding = gguf
            .tensor("token_embd.weight")
            .ok_or_else(|| Error::file(gguf.path(), "tensor token_embd.weight is missing"))?;
        let n_vocab = embedding.dims.get(1).copied().unwrap_or(0) as usize;
        let dims = AttentionKeys::read(&keys, arch, blocks, d_model, n_layers)?;
        let rope = RopeConfig::read(gguf, arch, dims.n_rot, ctx_train, ctx)?;
        let attention = dims.layers(&keys, arch, &rope, n_layers)?;
        let ffn = ffn_layers(&keys, arch, blocks, n_layers, n_vocab)?;
        let eps_key = "attention.layer_norm_rms_epsilon";
        if let Some(eps) = keys.f32(eps_key)?.filter(|&eps| eps < 0.0) {
            return Err(keys.error(eps_key, format!("{eps} is not from 0 up")));
        }
        if meta.bool(&keys.key("attention.causal"))? == Some(false) {
            return Err(
                keys.error("attention.causal", "only causal attention is supported: this file is no text generator")
            );
        }
        let scale = |key| -> Result<f32> {
            let on = arch.granite_scales;
            Ok(if on { keys.f32(key)? } else { None }.filter(|&v| v != 0.0).unwrap_or(1.0))
        };
        if arch.granite_scales {
            keys.required("logit_scale", keys.f32("logit_scale")?)?;
        }
        let temperature = match arch.attention {
            AttentionKind::Mla => keys.f32("attention.temperature_scale")?.filter(|&t| t != 0.0),
            AttentionKind::Gqa => None,
        };
        Ok(Self {
            arch,
            name: meta.str("general.name")?.unwrap_or_default().to_owned(),
            d_model,
            n_vocab,
            ctx_train,
            ctx,
            eps: keys.required(eps_key, keys.f32(eps_key)?)?,
            embedding_scale: scale("embedding_scale")?,
            residual_scale: scale("residual_scale")?,
            logit_scale: scale("logit_scale")?,
            temperature: match temperature {
                Some(t) => Some((t, keys.size("attention.temperature_length", 1 << 30)?)),
                None => None,
            },
            rope,
            layers: attention.into_iter().zip(ffn).map(|(attention, ffn)| LayerConfig { attention, ffn }).collect(),
            next_n,
        })
    }

    /// Layers with routed experts.
    pub fn moe_layers(&self) -> impl Iterator<Item = (usize, &MoeConfig)> {
        self.layers.iter().enumerate().filter_map(|(i, l)| match &l.ffn {
            FfnConfig::Moe(moe) => Some((i, moe)),
            FfnConfig::Dense { .. } => None,
        })
    }

    /// The largest number of experts that one token uses in one layer; 0 without routed experts.
    pub fn max_k(&self) -> usize {
        self.moe_layers().map(|(_, m)| m.rule.k).max().unwrap_or(0)
    }

    /// The layers with routed experts, as the predictor knows them.
    pub fn routed_layers(&self) -> Vec<RoutedLayer> {
        let layer = |(layer, m): (usize, &MoeConfig)| RoutedLayer { layer, experts: m.rule.experts, k: m.rule.k };
        self.moe_layers().map(layer).collect()
    }
}

fn ffn_layers(
    keys: &Keys<'_>,
    arch: &Architecture,
    blocks: usize,
    n_layers: usize,
    n_vocab: usize,
) -> Result<Vec<FfnConfig>> {
    let experts = keys.u32("expert_count")?.unwrap_or(0);
    let widths = keys.per_layer("feed_forward_length", blocks)?;
    let dense_width = |il: usize| -> Result<usize> {
        let widths = keys.required("feed_forward_length", widths.as_ref())?;
        keys.checked("feed_forward_length", widths[il], MAX_WIDTH)
    };
    if experts == 0 {
        if !arch.may_be_dense {
            keys.size("expert_count", MAX_EXPERTS)?;
        }
        return (0..n_layers).map(|il| Ok(FfnConfig::Dense { width: dense_width(il)? })).collect();
    }
    let experts = keys.checked("expert_count", experts, MAX_EXPERTS)?;
    let used = keys.required("expert_used_count", keys.per_layer("expert_used_count", blocks)?)?;
    let expert_widths = keys.per_layer("expert_feed_forward_length", blocks)?;
    let lead = if arch.dense_lead { keys.u32("leading_dense_block_count")?.unwrap_or(0) as usize } else { 0 };
    let rule = route_rule(keys, arch, experts, n_layers, blocks, n_vocab)?;
    (0..n_layers)
        .map(|il| {
            if il < lead {
                return Ok(FfnConfig::Dense { width: dense_width(il)? });
            }
            let k = keys.checked("expert_used_count", used[il], experts as u32)?;
            let width = match (arch.expert_width, &expert_widths) {
                (ExpertWidth::FeedForward, _) => dense_width(il)?,
                (_, Some(w)) if w[il] != 0 => keys.checked("expert_feed_forward_length", w[il], MAX_WIDTH)?,
                (ExpertWidth::ExpertOrShare, _) => (dense_width(il)? / k).max(1),
                (ExpertWidth::Expert, _) => keys.size("expert_feed_forward_length", MAX_WIDTH)?,
            };
            let shared_key = "expert_shared_feed_forward_length";
            let shared_width = match arch.shared {
                Shared::None => None,
                Shared::Gated => Some(match keys.u32(shared_key)?.filter(|&w| w != 0) {
                    Some(w) => keys.checked(shared_key, w, MAX_WIDTH)?,
                    None => dense_width(il)?,
                }),
                Shared::ByWidth => match keys.u32(shared_key)?.filter(|&w| w != 0) {
                    Some(w) => Some(keys.checked(shared_key, w, MAX_WIDTH)?),
                    None => None,
                },
                Shared::ByCount => match keys.u32("expert_shared_count")?.unwrap_or(0) {
                    0 => None,
                    count => Some(keys.checked("expert_shared_count", count, MAX_EXPERTS)? * width),
                },
            };
            Ok(FfnConfig::Moe(MoeConfig { rule: RouteRule { k, ..rule.clone() }, width, shared_width }))
        })
        .collect()
}

/// The routing rule that all layers share but for `k`.
fn route_rule(
    keys: &Keys<'_>,
    arch: &Architecture,
    experts: usize,
    n_layers: usize,
    blocks: usize,
    n_vocab: usize,
) -> Result<RouteRule> {
    let (gating, normalise, scale) = match arch.router {
        Router::Fixed { gating, normalise } => (gating, normalise, 1.0),
        Router::FromFile => {
            let key = "expert_gating_func";
            let gating = match keys.u32(key)?.unwrap_or(0) {
                // files of the GLM-4.7-Flash shape leave the key out and mean sigmoid
                0 if (blocks == 47 || blocks == 48 || n_layers == 47) && n_vocab == 154_880 => Gating::Sigmoid,
                0 | 1 => Gating::Softmax,
                2 => Gating::Sigmoid,
                3 => Gating::SoftmaxChosen,
                4 => Gating::SqrtSoftplus,
                other => return Err(keys.error(key, format!("{other} is no gating function (1 to 4)"))),
            };
            let normalise = keys.meta.bool(&keys.key("expert_weights_norm"))?.unwrap_or(false);
            (gating, normalise, keys.f32("expert_weights_scale")?.filter(|&s| s != 0.0).unwrap_or(1.0))
        }
    };
    let groups = match keys.u32("expert_group_count")?.unwrap_or(0) as usize {
        0 | 1 => None,
        groups if !experts.is_multiple_of(groups) => {
            return Err(keys.error("expert_group_count", format!("{groups} does not divide {experts} experts")));
        }
        groups => {
            let used = keys.size("expert_group_used_count", groups as u32)?;
            Some((groups, used))
        }
    };
    Ok(RouteRule { experts, k: 0, gating, selection_bias: None, normalise, scale, groups })
}
