//! Architectures as data: one table entry per `general.architecture`, made of parts that the forward pass knows.
//!
//! What stands here is what a GGUF file does not say: it follows from the architecture's name. Adding an architecture
//! that uses known parts is one entry here and one fixture. The facts are those of llama.cpp's loaders and graphs.

use crate::compute::routing::Gating;
use crate::compute::{Activation, RopeKind};

/// What one architecture is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Architecture {
    /// `general.architecture`, and the prefix of its keys.
    pub name: &'static str,
    /// Published models, for people.
    pub models: &'static str,
    /// How keys and values come about.
    pub attention: AttentionKind,
    /// Which elements rotary embedding pairs.
    pub rope: RopeKind,
    /// Where per-dimension frequency factors come from.
    pub rope_factors: RopeFactors,
    /// Norm of queries and keys before rotation.
    pub qk_norm: QkNorm,
    /// Norms carry biases.
    pub norm_bias: bool,
    /// The tensor that norms the FFN's input.
    pub ffn_norm: &'static str,
    /// `attn_output.bias`.
    pub attention_output_bias: Presence,
    /// `output.bias` is added to the logits.
    pub logit_bias: bool,
    /// `output.weight` may be absent, the token embedding then serves as output head.
    pub may_tie_output: bool,
    /// The head size is `rope.dimension_count`, not `attention.key_length`.
    pub head_is_rope: bool,
    /// Heads are rotated whole; another `rope.dimension_count` is an error.
    pub rope_whole_head: bool,
    /// Sliding window on some layers, and one sink logit per head.
    pub window_and_sinks: bool,
    /// `embedding_scale`, `residual_scale`, `logit_scale` and `attention.scale` are read.
    pub granite_scales: bool,
    /// The router.
    pub router: Router,
    /// Key of the experts' inner width.
    pub expert_width: ExpertWidth,
    /// Experts that every token uses.
    pub shared: Shared,
    /// `leading_dense_block_count` is read.
    pub dense_lead: bool,
    /// A file may have no experts at all.
    pub may_be_dense: bool,
    /// Biases of dense FFNs.
    pub dense_bias: Presence,
    /// `.scale` tensors of dense FFNs; those of shared experts are ignored everywhere.
    pub dense_scale: Presence,
    /// Between gate/up and down.
    pub activation: Activation,
    /// Router and experts carry biases.
    pub expert_biases: bool,
    /// `ffn_*_exps.scale` tensors are applied.
    pub expert_scales: bool,
    /// `ffn_gate_up_exps` may replace gate and up.
    pub may_merge_gate_up: bool,
}

/// How keys and values come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionKind {
    /// Grouped-query attention from `attn_q`, `attn_k`, `attn_v` (or `attn_qkv`).
    Gqa,
    /// Multi-head latent attention from `attn_kv_a_mqa` and `attn_k_b` + `attn_v_b`, or `attn_kv_b` in old files.
    Mla,
}

/// Where the factors that divide the rotation angles come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeFactors {
    /// There are none.
    None,
    /// `rope_freqs.weight` where the file has it.
    Freqs,
    /// `rope_factors_long.weight` or `rope_factors_short.weight`, by the allocated context.
    LongShort,
}

impl RopeFactors {
    /// Names of the tensors that hold them.
    pub fn tensors(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Freqs => &["rope_freqs.weight"],
            Self::LongShort => &["rope_factors_long.weight", "rope_factors_short.weight"],
        }
    }
}

/// Norm of queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QkNorm {
    /// None.
    None,
    /// Each head apart, all with the same weights.
    PerHead,
    /// One mean over all heads together.
    Whole,
}

/// Whether a tensor is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has no place: a file that has it is refused.
    Unread,
    /// A file may have it, and it is not used.
    Ignored,
    /// Where the file has it.
    Optional,
    /// Always.
    Required,
}

/// How the router weighs experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// Fixed by the architecture.
    Fixed {
        /// Logits to probabilities.
        gating: Gating,
        /// Chosen weights are divided by their sum.
        normalise: bool,
    },
    /// `expert_gating_func`, `expert_weights_norm`, `expert_weights_scale` and `exp_probs_b` of the file.
    FromFile,
}

/// Which key holds the experts' inner width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpertWidth {
    /// `feed_forward_length`.
    FeedForward,
    /// `expert_feed_forward_length`, else `feed_forward_length / expert_used_count`.
    ExpertOrShare,
    /// `expert_feed_forward_length`, required.
    Expert,
}

/// Experts that every token uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// None.
    None,
    /// One of width `expert_shared_feed_forward_length` (else `feed_forward_length`), times
    /// `sigmoid(ffn_gate_inp_shexp . x)`.
    Gated,
    /// One of width `expert_shared_feed_forward_length`, if that is given and not 0.
    ByWidth,
    /// One of width `expert_shared_count * expert_feed_forward_length`.
    ByCount,
}

const SOFTMAX: Router = Router::Fixed { gating: Gating::Softmax, normalise: false };
const SOFTMAX_NORMALISED: Router = Router::Fixed { gating: Gating::Softmax, normalise: true };

/// The commonest parts; entries say only what differs.
const BASE: Architecture = Architecture {
    name: "",
    models: "",
    attention: AttentionKind::Gqa,
    rope: RopeKind::Neox,
    rope_factors: RopeFactors::None,
    qk_norm: QkNorm::None,
    norm_bias: false,
    ffn_norm: "ffn_norm",
    attention_output_bias: Presence::Unread,
    logit_bias: false,
    may_tie_output: false,
    head_is_rope: false,
    rope_whole_head: false,
    window_and_sinks: false,
    granite_scales: false,
    router: SOFTMAX_NORMALISED,
    expert_width: ExpertWidth::FeedForward,
    shared: Shared::None,
    dense_lead: false,
    may_be_dense: false,
    dense_bias: Presence::Unread,
    dense_scale: Presence::Ignored,
    activation: Activation::SwiGlu,
    expert_biases: false,
    expert_scales: false,
    may_merge_gate_up: false,
};

/// All architectures that this version runs.
pub const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "llama",
        models: "Mixtral",
        rope: RopeKind::Norm,
        rope_factors: RopeFactors::Freqs,
        rope_whole_head: true,
        attention_output_bias: Presence::Optional,
        may_tie_output: true,
        may_be_dense: true,
        dense_bias: Presence::Optional,
        dense_scale: Presence::Optional,
        expert_scales: true,
        ..BASE
    },
    Architecture { name: "olmoe", models: "OLMoE", qk_norm: QkNorm::Whole, router: SOFTMAX, ..BASE },
    Architecture {
        name: "qwen2moe",
        models: "Qwen1.5-MoE, Qwen2-57B-A14B",
        router: SOFTMAX,
        expert_width: ExpertWidth::ExpertOrShare,
        shared: Shared::Gated,
        ..BASE
    },
    Architecture {
        name: "qwen3moe",
        models: "Qwen3-30B-A3B, Qwen3-235B-A22B, Qwen3-Coder",
        qk_norm: QkNorm::PerHead,
        may_tie_output: true,
        expert_width: ExpertWidth::ExpertOrShare,
        expert_scales: true,
        ..BASE
    },
    Architecture {
        name: "granitemoe",
        models: "Granite 3 MoE",
        rope: RopeKind::Norm,
        rope_factors: RopeFactors::Freqs,
        attention_output_bias: Presence::Optional,
        may_tie_output: true,
        granite_scales: true,
        shared: Shared::ByWidth,
        dense_bias: Presence::Optional,
        ..BASE
    },
    Architecture {
        name: "phimoe",
        models: "Phi-3.5-MoE",
        rope_factors: RopeFactors::LongShort,
        norm_bias: true,
        attention_output_bias: Presence::Required,
        logit_bias: true,
        ..BASE
    },
    Architecture {
        name: "gpt-oss",
        models: "gpt-oss-20b, gpt-oss-120b",
        ffn_norm: "post_attention_norm",
        attention_output_bias: Presence::Required,
        head_is_rope: true,
        window_and_sinks: true,
        router: Router::Fixed { gating: Gating::SoftmaxChosen, normalise: false },
        expert_width: ExpertWidth::Expert,
        activation: Activation::SwiGluOai { alpha: 1.702, limit: 7.0 },
        expert_biases: true,
        ..BASE
    },
    Architecture {
        name: "deepseek2",
        models: "DeepSeek-V2, V2-Lite, V3, R1, Kimi-K2, GLM-4.7-Flash",
        attention: AttentionKind::Mla,
        rope: RopeKind::Norm,
        may_tie_output: true,
        router: Router::FromFile,
        expert_width: ExpertWidth::Expert,
        shared: Shared::ByCount,
        dense_lead: true,
        may_merge_gate_up: true,
        ..BASE
    },
];

/// The entry of that name.
pub fn find(name: &str) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|a| a.name == name)
}

/// All names, for messages.
pub fn names() -> String {
    ARCHITECTURES.iter().map(|a| a.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_once() {
        for a in ARCHITECTURES {
            assert_eq!(find(a.name), Some(a));
            assert_eq!(ARCHITECTURES.iter().filter(|b| b.name == a.name).count(), 1);
        }
        assert!(find("mamba").is_none());
    }
}
