//! Where each tensor of a model is, and how it gets to a device.
//!
//! [`Model::build`] walks the layers in model order and asks a [`Sink`] for every resident weight, so that the same walk
//! counts the bytes of a plan ([`Measure`]) and loads a device. Shapes are checked against the hyper-parameters here; the
//! forward pass relies on it.

use std::io::Read;

use crate::compute::{Device, ExpertOps, Linear, Norm, Weight, WeightDesc};
use crate::compute::{Heads, RouteRule};
use crate::error::{Error, Result};
use crate::expert::{ExpertLayer, ExpertMatrix, Extent, window_bytes};
use crate::gguf::{GgmlType, Gguf, TensorInfo};
use crate::model::arch::{Presence, QkNorm, Shared};
use crate::model::config::{AttentionConfig, Config, FfnConfig, MoeConfig};
use crate::quant;

/// Takes resident weights.
pub trait Sink {
    /// Takes one weight, reading its bytes from `data`.
    fn take(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight>;
}

/// Loads weights into a device and tells how far it is.
pub struct Load<'a> {
    /// Where they go.
    pub device: &'a mut dyn Device,
    /// Called with the bytes of each weight.
    pub progress: &'a mut dyn FnMut(u64),
}

impl Sink for Load<'_> {
    fn take(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight> {
        let weight = self.device.load_weight(desc, data)?;
        (self.progress)(desc.bytes());
        Ok(weight)
    }
}

/// Reads nothing, and counts what would be loaded.
#[derive(Default)]
pub struct Measure {
    /// Resident bytes.
    pub bytes: u64,
    /// Resident weights.
    pub count: usize,
    /// The longest row of a weight.
    pub max_cols: u64,
    /// The most rows of a weight inside a layer.
    pub max_layer_rows: u64,
}

impl Sink for Measure {
    fn take(&mut self, desc: &WeightDesc<'_>, _data: &mut dyn Read) -> Result<Weight> {
        self.bytes += desc.bytes();
        self.max_cols = self.max_cols.max(desc.cols as u64);
        if desc.name.starts_with("blk.") {
            self.max_layer_rows = self.max_layer_rows.max((desc.rows * desc.mats) as u64);
        }
        self.count += 1;
        Ok(Weight(self.count - 1))
    }
}

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
    Gqa {
        /// Queries.
        q: Linear,
        /// Keys.
        k: Linear,
        /// Values.
        v: Linear,
        /// Norm of queries, of keys.
        qk_norm: Option<(Norm, Norm)>,
        /// One logit per head.
        sinks: Option<Weight>,
        /// Back to the residual stream.
        out: Linear,
    },
    /// Multi-head latent attention.
    Mla {
        /// `(q_a, norm, rank)` where queries are compressed too.
        q_a: Option<(Linear, Norm, usize)>,
        /// Queries, from `q_a` or from the residual stream.
        q: Linear,
        /// To `[compressed | rotated key]`.
        kv_a: Linear,
        /// Norm of the compressed part.
        kv_norm: Norm,
        /// Out of the compressed part.
        kv_b: MlaExpand,
        /// Back to the residual stream.
        out: Linear,
    },
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

impl Model {
    /// Walks a file's tensors, hands the resident ones to `sink` and keeps where the others are.
    pub fn build(gguf: &Gguf, config: &Config, sink: &mut dyn Sink) -> Result<Self> {
        let mut b = Builder { gguf, config, sink, experts: Vec::new() };
        let (d, vocab) = (config.d_model, config.n_vocab);
        let embedding = b.info("token_embd.weight", &[d, vocab])?.clone();
        let layers = (0..config.layers.len()).map(|il| b.layer(il)).collect::<Result<Vec<_>>>()?;
        let output_norm = b.norm("output_norm", d, 1)?;
        let tied = gguf.tensor("output.weight").is_none() && config.arch.may_tie_output;
        let mut output = b.linear(if tied { "token_embd" } else { "output" }, d, vocab, Presence::Unread)?;
        if config.arch.logit_bias {
            output.bias = Some(b.vector("output.bias", vocab)?);
        }
        Ok(Self { config: config.clone(), embedding, layers, output_norm, output, experts: b.experts })
    }
}

struct Builder<'a> {
    gguf: &'a Gguf,
    config: &'a Config,
    sink: &'a mut dyn Sink,
    experts: Vec<ExpertLayer>,
}

impl Builder<'_> {
    /// The tensor of that name, whose dimensions (innermost first) must be `dims`.
    fn info(&self, name: &str, dims: &[usize]) -> Result<&TensorInfo> {
        let info = self.gguf.tensor(name).ok_or_else(|| {
            let arch = self.config.arch.name;
            Error::file(self.gguf.path(), format!("tensor {name} is missing, and a {arch} model needs it"))
        })?;
        let wanted: Vec<u64> = dims.iter().map(|&d| d as u64).collect();
        let trimmed = |d: &[u64]| d.iter().rposition(|&x| x != 1).map_or(vec![1], |last| d[..=last].to_vec());
        if trimmed(&info.dims) != trimmed(&wanted) {
            let what = format!("tensor {name}: shape {:?} where the metadata says {wanted:?}", info.dims);
            return Err(Error::file(self.gguf.path(), what));
        }
        if quant::format(info.ty).is_none() {
            let what =
                format!("{}: tensor {name}: type {} cannot be computed with", self.gguf.path().display(), info.ty);
            return Err(Error::Unsupported(format!("{what}; supported are {}", quant::names())));
        }
        Ok(info)
    }

    fn has(&self, name: &str) -> bool {
        self.gguf.tensor(name).is_some()
    }

    /// Rows `rows` of a tensor as a weight of `mats` matrices.
    fn take(&mut self, info: &TensorInfo, first_row: usize, rows: usize, mats: usize) -> Result<Weight> {
        let row_bytes = info.row_bytes();
        let desc = WeightDesc { name: &info.name, ty: info.ty, cols: info.dims[0] as usize, rows: rows / mats, mats };
        let mut data = TensorReader {
            gguf: self.gguf,
            shard: info.shard,
            at: info.offset + first_row as u64 * row_bytes,
            left: rows as u64 * row_bytes,
        };
        self.sink.take(&desc, &mut data)
    }

    /// An F32 vector (or matrix read as one), whatever its type in the file.
    fn vector(&mut self, name: &str, n: usize) -> Result<Weight> {
        self.table(name, &[n])
    }

    fn table(&mut self, name: &str, dims: &[usize]) -> Result<Weight> {
        let info = self.info(name, dims)?.clone();
        let desc = WeightDesc {
            name: &info.name,
            ty: GgmlType::F32,
            cols: dims[0],
            rows: dims[1..].iter().product(),
            mats: 1,
        };
        let mut data = LazyVector { gguf: self.gguf, info: &info, bytes: None, at: 0 };
        self.sink.take(&desc, &mut data)
    }

    fn norm(&mut self, name: &str, width: usize, heads: usize) -> Result<Norm> {
        Ok(Norm {
            weight: self.vector(&format!("{name}.weight"), width)?,
            bias: if self.config.arch.norm_bias { Some(self.vector(&format!("{name}.bias"), width)?) } else { None },
            eps: self.config.eps,
            heads: Heads::packed(heads, width),
        })
    }

    /// `name.weight` with, as `bias` says, `name.bias`, and `name.scale` where the file has it.
    fn linear(&mut self, name: &str, cols: usize, rows: usize, bias: Presence) -> Result<Linear> {
        let info = self.info(&format!("{name}.weight"), &[cols, rows])?.clone();
        self.linear_rows(name, &info, 0..rows, bias)
    }

    fn linear_rows(
        &mut self,
        name: &str,
        info: &TensorInfo,
        rows: std::ops::Range<usize>,
        bias: Presence,
    ) -> Result<Linear> {
        let weight = self.take(info, rows.start, rows.len(), 1)?;
        let bias_name = format!("{name}.bias");
        let bias = match bias {
            Presence::Required => Some(self.vector(&bias_name, rows.len())?),
            Presence::Optional if self.has(&bias_name) => {
                Some(self.vector_rows(&bias_name, info.rows() as usize, &rows)?)
            }
            _ => None,
        };
        Ok(Linear { weight, bias, scale: self.scale(&format!("{name}.scale"))? })
    }

    /// Part of an F32 vector (a fused bias).
    fn vector_rows(&mut self, name: &str, n: usize, part: &std::ops::Range<usize>) -> Result<Weight> {
        let values = super::read_f32(self.gguf, self.info(name, &[n])?)?;
        let bytes = bytemuck::cast_slice(&values[part.clone()]);
        let desc = WeightDesc { name, ty: GgmlType::F32, cols: part.len(), rows: 1, mats: 1 };
        self.sink.take(&desc, &mut &*bytes)
    }

    /// The factor of a scale tensor; 1 where the file has none.
    fn scale(&self, name: &str) -> Result<f32> {
        if !self.has(name) {
            return Ok(1.0);
        }
        let value = super::read_f32(self.gguf, self.info(name, &[1])?)?[0];
        if !value.is_finite() {
            return Err(Error::file(self.gguf.path(), format!("tensor {name}: {value} is not a finite factor")));
        }
        Ok(value)
    }

    fn layer(&mut self, il: usize) -> Result<Layer> {
        let (config, d) = (self.config, self.config.d_model);
        let at = format!("blk.{il}.");
        Ok(Layer {
            attention_norm: self.norm(&format!("{at}attn_norm"), d, 1)?,
            attention: match config.layers[il].attention.mla {
                None => self.gqa(&at, &config.layers[il].attention)?,
                Some(_) => self.mla(&at, &config.layers[il].attention)?,
            },
            ffn_norm: self.norm(&format!("{at}{}", config.arch.ffn_norm), d, 1)?,
            ffn: match &config.layers[il].ffn {
                FfnConfig::Dense { width } => Ffn::Dense(self.dense(&at, "", *width)?),
                FfnConfig::Moe(moe) => Ffn::Moe(Box::new(self.moe(&at, il, moe)?)),
            },
        })
    }

    fn gqa(&mut self, at: &str, a: &AttentionConfig) -> Result<AttentionWeights> {
        let (arch, d) = (self.config.arch, self.config.d_model);
        let (q_rows, k_rows, v_rows) = (a.heads * a.key_dim, a.kv_heads * a.key_dim, a.kv_heads * a.value_dim);
        let fused = format!("{at}attn_qkv");
        let (q, k, v) = if self.has(&format!("{fused}.weight")) {
            let info = self.info(&format!("{fused}.weight"), &[d, q_rows + k_rows + v_rows])?.clone();
            let (k0, v0, end) = (q_rows, q_rows + k_rows, q_rows + k_rows + v_rows);
            (
                self.linear_rows(&fused, &info, 0..k0, Presence::Optional)?,
                self.linear_rows(&fused, &info, k0..v0, Presence::Optional)?,
                self.linear_rows(&fused, &info, v0..end, Presence::Optional)?,
            )
        } else {
            (
                self.linear(&format!("{at}attn_q"), d, q_rows, Presence::Optional)?,
                self.linear(&format!("{at}attn_k"), d, k_rows, Presence::Optional)?,
                self.linear(&format!("{at}attn_v"), d, v_rows, Presence::Optional)?,
            )
        };
        let (q_norm, k_norm) = (format!("{at}attn_q_norm"), format!("{at}attn_k_norm"));
        let qk_norm = match arch.qk_norm {
            QkNorm::None => None,
            QkNorm::PerHead => {
                Some((self.norm(&q_norm, a.key_dim, a.heads)?, self.norm(&k_norm, a.key_dim, a.kv_heads)?))
            }
            QkNorm::Whole => Some((self.norm(&q_norm, q_rows, 1)?, self.norm(&k_norm, k_rows, 1)?)),
        };
        let sinks = if arch.window_and_sinks { Some(self.sinks(at, a.heads)?) } else { None };
        let out = self.linear(&format!("{at}attn_output"), a.heads * a.value_dim, d, arch.attention_output_bias)?;
        Ok(AttentionWeights::Gqa { q, k, v, qk_norm, sinks, out })
    }

    fn sinks(&mut self, at: &str, heads: usize) -> Result<Weight> {
        let name = format!("{at}attn_sinks");
        // converters write the name with and without the suffix
        let name = if self.has(&name) { name } else { format!("{name}.weight") };
        self.vector(&name, heads)
    }

    fn mla(&mut self, at: &str, a: &AttentionConfig) -> Result<AttentionWeights> {
        let (d, none) = (self.config.d_model, Presence::Unread);
        let mla = a.mla.expect("the caller saw the dimensions");
        let nope = a.key_dim - mla.rope_dim;
        let q_rows = a.heads * a.key_dim;
        let q_a_name = format!("{at}attn_q_a");
        let (q_a, q) = match self.gguf.tensor(&format!("{q_a_name}.weight")) {
            Some(info) => {
                let rank = info.rows() as usize;
                let q_a = self.linear(&q_a_name, d, rank, none)?;
                let norm = self.norm(&format!("{q_a_name}_norm"), rank, 1)?;
                (Some((q_a, norm, rank)), self.linear(&format!("{at}attn_q_b"), rank, q_rows, none)?)
            }
            None => (None, self.linear(&format!("{at}attn_q"), d, q_rows, none)?),
        };
        let kv_a = self.linear(&format!("{at}attn_kv_a_mqa"), d, mla.kv_rank + mla.rope_dim, none)?;
        let mut kv_norm = self.norm(&format!("{at}attn_kv_a_norm"), mla.kv_rank, 1)?;
        kv_norm.heads = Heads { count: 1, stride: mla.kv_rank + mla.rope_dim, offset: 0, width: mla.kv_rank };
        let kv_b = if mla.absorbed {
            let k_b = self.info(&format!("{at}attn_k_b.weight"), &[nope, mla.kv_rank, a.heads])?.clone();
            let v_b = self.info(&format!("{at}attn_v_b.weight"), &[mla.kv_rank, a.value_dim, a.heads])?.clone();
            MlaExpand::Absorbed {
                k_b: self.take(&k_b, 0, mla.kv_rank * a.heads, a.heads)?,
                v_b: self.take(&v_b, 0, a.value_dim * a.heads, a.heads)?,
            }
        } else {
            MlaExpand::Full(self.linear(
                &format!("{at}attn_kv_b"),
                mla.kv_rank,
                a.heads * (nope + a.value_dim),
                none,
            )?)
        };
        let out = self.linear(&format!("{at}attn_output"), a.heads * a.value_dim, d, none)?;
        Ok(AttentionWeights::Mla { q_a, q, kv_a, kv_norm, kv_b, out })
    }

    fn dense(&mut self, at: &str, suffix: &str, width: usize) -> Result<DenseFfn> {
        let (d, none) = (self.config.d_model, Presence::Unread);
        Ok(DenseFfn {
            width,
            gate: self.linear(&format!("{at}ffn_gate{suffix}"), d, width, none)?,
            up: self.linear(&format!("{at}ffn_up{suffix}"), d, width, none)?,
            down: self.linear(&format!("{at}ffn_down{suffix}"), width, d, none)?,
        })
    }

    fn moe(&mut self, at: &str, il: usize, moe: &MoeConfig) -> Result<Moe> {
        let (arch, d, n) = (self.config.arch, self.config.d_model, moe.rule.experts);
        let bias = if arch.expert_biases { Presence::Required } else { Presence::Unread };
        let router = self.linear(&format!("{at}ffn_gate_inp"), d, n, bias)?;
        let mut rule = moe.rule.clone();
        let selection = format!("{at}exp_probs_b.bias");
        if self.has(&selection) && matches!(arch.router, super::arch::Router::FromFile) {
            rule.selection_bias = Some(super::read_f32(self.gguf, self.info(&selection, &[n])?)?);
        }
        let layer = self.expert_layer(at, il, moe)?;
        let names = ["gate", "up", "down"].map(|m| format!("{at}ffn_{m}_exps"));
        let biases = if arch.expert_biases {
            Some([
                self.table(&format!("{}.bias", names[0]), &[moe.width, n])?,
                self.table(&format!("{}.bias", names[1]), &[moe.width, n])?,
                self.table(&format!("{}.bias", names[2]), &[d, n])?,
            ])
        } else {
            None
        };
        let mut scales = [None; 3];
        for (scale, name) in scales.iter_mut().zip(&names) {
            let name = format!("{name}.scale");
            if arch.expert_scales && self.has(&name) {
                *scale = Some(self.vector(&name, n)?);
            }
        }
        let shared = match moe.shared_width {
            Some(width) => {
                let ffn = self.dense(at, "_shexp", width)?;
                let gate = match arch.shared {
                    Shared::Gated => Some(self.linear(&format!("{at}ffn_gate_inp_shexp"), d, 1, Presence::Unread)?),
                    _ => None,
                };
                Some((ffn, gate))
            }
            None => None,
        };
        self.experts.push(layer);
        let ops = ExpertOps { activation: arch.activation, biases, scales };
        Ok(Moe { router, rule, ops, shared })
    }

    /// Where a layer's routed experts stand in the file.
    fn expert_layer(&self, at: &str, il: usize, moe: &MoeConfig) -> Result<ExpertLayer> {
        let (d, n, width) = (self.config.d_model, moe.rule.experts, moe.width);
        let extent = |info: &TensorInfo| Extent {
            shard: info.shard,
            offset: info.offset,
            len: (info.bytes / n as u64) as usize,
        };
        let matrix = |info: &TensorInfo, rows, extent, start| ExpertMatrix {
            ty: info.ty,
            rows,
            cols: info.dims[0] as usize,
            extent,
            start,
        };
        let down = self.info(&format!("{at}ffn_down_exps.weight"), &[width, d, n])?;
        let merged = format!("{at}ffn_gate_up_exps.weight");
        let (matrices, extents) = if self.config.arch.may_merge_gate_up && self.has(&merged) {
            let gate_up = self.info(&merged, &[d, 2 * width, n])?;
            let half = (gate_up.row_bytes() as usize) * width;
            let matrices = [matrix(gate_up, width, 0, 0), matrix(gate_up, width, 0, half), matrix(down, d, 1, 0)];
            (matrices, vec![extent(gate_up), extent(down)])
        } else {
            let gate = self.info(&format!("{at}ffn_gate_exps.weight"), &[d, width, n])?;
            let up = self.info(&format!("{at}ffn_up_exps.weight"), &[d, width, n])?;
            let matrices = [matrix(gate, width, 0, 0), matrix(up, width, 1, 0), matrix(down, d, 2, 0)];
            (matrices, vec![extent(gate), extent(up), extent(down)])
        };
        let slot_bytes = extents.iter().map(|x| window_bytes(x.len)).sum();
        Ok(ExpertLayer { layer: il as u32, count: n, matrices, extents, class: 0, slot_bytes })
    }
}

/// Largest single read while loading.
const READ_BYTES_MAX: usize = 4 << 20;

/// Reads a range of a shard by positioned reads.
struct TensorReader<'a> {
    gguf: &'a Gguf,
    shard: usize,
    at: u64,
    left: u64,
}

impl Read for TensorReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(READ_BYTES_MAX).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.gguf.read_at(self.shard, self.at, &mut out[..n]).map_err(std::io::Error::other)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// A small tensor as F32 bytes, read and converted when the first byte is asked for.
struct LazyVector<'a> {
    gguf: &'a Gguf,
    info: &'a TensorInfo,
    bytes: Option<Vec<f32>>,
    at: usize,
}

impl Read for LazyVector<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes.is_none() {
            self.bytes = Some(super::read_f32(self.gguf, self.info).map_err(std::io::Error::other)?);
        }
        let all: &[u8] = bytemuck::cast_slice(self.bytes.as_deref().unwrap_or_default());
        let n = out.len().min(all.len() - self.at);
        out[..n].copy_from_slice(&all[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
