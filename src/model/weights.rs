//! A model's weights as handles, in the shape that the forward pass walks.

use crate::compute::{ExpertOps, Linear, Norm, RouteRule, Weight};
use crate::expert::ExpertLayer;
use crate::gguf::TensorInfo;
use crate::model::Config;
use crate::model::attention::{GqaDims, MlaDims};

/// A model's weights as handles, in the shape that the forward pass walks.
#[derive(Clone, Debug)]
pub struct Model {
    /// Hyper-parameters.
    pub config: Config,
    /// The token embedding, read by row from the file.
    pub embedding: TensorInfo,
    /// Layers in order.
    pub layers: Vec<Layer>,
    /// Norm before the output head.
    pub output_norm: Norm,
    /// Output head.
    pub output: Linear,
    /// Routed experts, one entry per layer that has them, in layer order.
    pub experts: Vec<ExpertLayer>,
}

/// One layer's weights.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Norm before attention.
    pub attention_norm: Norm,
    /// Attention.
    pub attention: AttentionWeights,
    /// Norm before the FFN.
    pub ffn_norm: Norm,
    /// Feed-forward.
    pub ffn: Ffn,
}

/// Attention weights.
#[derive(Clone, Debug)]
pub enum AttentionWeights {
    /// Grouped-query attention.
    Gqa(GqaWeights),
    /// Multi-head latent attention.
    Mla(MlaWeights),
}

/// Weights of grouped-query attention.
#[derive(Clone, Debug)]
pub struct GqaWeights {
    /// Its heads.
    pub dims: GqaDims,
    /// Queries.
    pub q: Linear,
    /// Keys.
    pub k: Linear,
    /// Values.
    pub v: Linear,
    /// Norm of queries, of keys.
    pub qk_norm: Option<(Norm, Norm)>,
    /// One logit per head.
    pub sinks: Option<Weight>,
    /// Back to the residual stream.
    pub out: Linear,
}

/// Weights of multi-head latent attention.
#[derive(Clone, Debug)]
pub struct MlaWeights {
    /// Its heads.
    pub dims: MlaDims,
    /// Where queries are compressed too.
    pub q_a: Option<QueryCompression>,
    /// Queries, from their compressed form or from the residual stream.
    pub q: Linear,
    /// To `[compressed | rotated key]`.
    pub kv_a: Linear,
    /// Norm of the compressed part.
    pub kv_norm: Norm,
    /// Out of the compressed part.
    pub kv_b: MlaExpand,
    /// Back to the residual stream.
    pub out: Linear,
}

/// The residual stream to compressed queries.
#[derive(Clone, Copy, Debug)]
pub struct QueryCompression {
    /// `(rank, d_model)`.
    pub down: Linear,
    /// Norm of the compressed queries.
    pub norm: Norm,
    /// Width of the compressed queries.
    pub rank: usize,
}

/// How multi-head latent attention leaves the compressed space.
#[derive(Clone, Debug)]
pub enum MlaExpand {
    /// `k_b` takes queries into the compressed space, `v_b` takes the attended values out of it; a matrix per head.
    Absorbed {
        /// `(heads, kv_rank, nope)`.
        k_b: Weight,
        /// `(heads, value_dim, kv_rank)`.
        v_b: Weight,
    },
    /// One matrix makes keys and values of all heads: per head `nope` key rows, then `value_dim` value rows.
    Full(Linear),
}

/// Feed-forward weights.
#[derive(Clone, Debug)]
pub enum Ffn {
    /// One gated FFN.
    Dense(DenseFfn),
    /// Routed experts.
    Moe(Box<Moe>),
}

/// A gated FFN.
#[derive(Clone, Copy, Debug)]
pub struct DenseFfn {
    /// Inner width.
    pub width: usize,
    /// Gate.
    pub gate: Linear,
    /// Up.
    pub up: Linear,
    /// Down.
    pub down: Linear,
}

/// Routed experts of one layer.
#[derive(Clone, Debug)]
pub struct Moe {
    /// Router.
    pub router: Linear,
    /// Its rule.
    pub rule: RouteRule,
    /// Activation, biases, scales.
    pub ops: ExpertOps,
    /// Shared expert and its gate.
    pub shared: Option<(DenseFfn, Option<Linear>)>,
}
