//! Where each tensor of a model is, and how it becomes a weight.
//!
//! [`Model::build`] walks the layers in model order and asks a [`Sink`] for every resident weight, so that the same walk
//! counts the bytes of a plan and loads a device. Shapes are checked against the hyper-parameters here; the forward pass
//! relies on it. A tensor that the walk does not ask for is refused: the file means something that would be left out.

use std::collections::HashSet;

use crate::compute::{ExpertOps, Heads, Linear, Norm, Weight, WeightDesc};
use crate::error::{Error, Result};
use crate::expert::{ExpertLayer, ExpertMatrix, Extent, window_bytes};
use crate::gguf::{GgmlType, Gguf, TensorInfo};
use crate::model::arch::{Presence, QkNorm, Router, Shared};
use crate::model::attention::{AttentionDims, AttentionWidths, GqaDims, MlaDims};
use crate::model::config::{Config, FfnConfig, MoeConfig};
use crate::model::sink::{LazyVector, Sink, TensorReader};
use crate::model::weights::{
    AttentionWeights, DenseFfn, Ffn, GqaWeights, Layer, MlaExpand, MlaWeights, Moe, QueryCompression,
};
use crate::model::{Model, read_f32};
use crate::quant;

impl Model {
    /// Walks a file's tensors, hands the resident ones to `sink` and keeps where the others are.
    ///
    /// # Errors
    /// A tensor that is missing, of another shape than the metadata says or of a type without kernels; one that is there
    /// and that the architecture has no place for; what `sink` reports.
    pub fn build(gguf: &Gguf, config: &Config, sink: &mut dyn Sink) -> Result<Self> {
        let mut b = Builder { gguf, config, sink, read: HashSet::new(), experts: Vec::new() };
        let (d, vocab) = (config.d_model, config.n_vocab);
        let embedding = b.info("token_embd.weight", &[d, vocab])?.clone();
        let layers = (0..config.layers.len()).map(|il| b.layer(il)).collect::<Result<Vec<_>>>()?;
        let output_norm = b.norm("output_norm", d, 1)?;
        let tied = gguf.tensor("output.weight").is_none() && config.arch.may_tie_output;
        let mut output = b.linear(if tied { "token_embd" } else { "output" }, d, vocab, ALONE)?;
        if config.arch.logit_bias {
            output.bias = Some(b.vector("output.bias", vocab)?);
        }
        b.check_all_read()?;
        Ok(Self { config: config.clone(), embedding, layers, output_norm, output, experts: b.experts })
    }
}

/// What may stand beside a weight.
#[derive(Clone, Copy)]
struct Beside {
    bias: Presence,
    scale: Presence,
}

const ALONE: Beside = Beside { bias: Presence::Unread, scale: Presence::Unread };
/// Queries, keys and values.
const QKV: Beside = Beside { bias: Presence::Optional, scale: Presence::Optional };
const SHARED_EXPERT: Beside = Beside { bias: Presence::Unread, scale: Presence::Ignored };

struct Builder<'a> {
    gguf: &'a Gguf,
    config: &'a Config,
    sink: &'a mut dyn Sink,
    /// Names of the tensors that had a place.
    read: HashSet<&'a str>,
    experts: Vec<ExpertLayer>,
}

impl<'a> Builder<'a> {
    /// The tensor of that name, whose dimensions (innermost first) must be `dims`.
    fn info(&mut self, name: &str, dims: &[usize]) -> Result<&'a TensorInfo> {
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
        self.read.insert(&info.name);
        Ok(info)
    }

    /// Refuses tensors that nothing asked for. The tables of rotation angles are read with the hyper-parameters; layers
    /// that predict further tokens and scales of a quantiser's inputs are no part of what is run.
    fn check_all_read(&self) -> Result<()> {
        let layers = self.config.layers.len();
        let is_run = |name: &str| match name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
            Some((il, _)) => !il.parse().is_ok_and(|il| (layers..layers + self.config.next_n).contains(&il)),
            None => !self.config.arch.rope_factors.tensors().contains(&name),
        };
        let mut unread = self
            .gguf
            .tensors()
            .map(|t| t.name.as_str())
            .filter(|n| !self.read.contains(n) && is_run(n) && !n.ends_with(".input_scale"));
        let Some(first) = unread.next() else { return Ok(()) };
        let more = match unread.count() {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        let (path, arch) = (self.gguf.path().display(), self.config.arch.name);
        let what = format!("tensor {first}{more} has no place in the architecture {arch} as it is supported here");
        Err(Error::Unsupported(format!("{path}: {what}; without it the answers would be wrong")))
    }

    fn has(&self, name: &str) -> bool {
        self.gguf.tensor(name).is_some()
    }

    /// Rows `rows` of a tensor as a weight of `mats` matrices.
    fn take(&mut self, info: &TensorInfo, first_row: usize, rows: usize, mats: usize) -> Result<Weight> {
        let row_bytes = info.row_bytes();
        let desc = WeightDesc { name: &info.name, ty: info.ty, cols: info.dims[0] as usize, rows: rows / mats, mats };
        let (skipped, wanted) = (first_row as u64 * row_bytes, rows as u64 * row_bytes);
        let mut data = TensorReader::new(self.gguf, info, skipped, wanted);
        self.sink.take(&desc, &mut data)
    }

    /// An F32 vector (or matrix read as one), whatever its type in the file.
    fn vector(&mut self, name: &str, n: usize) -> Result<Weight> {
        self.table(name, &[n])
    }

    fn table(&mut self, name: &str, dims: &[usize]) -> Result<Weight> {
        let info = self.info(name, dims)?;
        let desc = WeightDesc {
            name: &info.name,
            ty: GgmlType::F32,
            cols: dims[0],
            rows: dims[1..].iter().product(),
            mats: 1,
        };
        let mut data = LazyVector::new(self.gguf, info);
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

    /// `name.weight` with `name.bias` and `name.scale` as `beside` says.
    fn linear(&mut self, name: &str, cols: usize, rows: usize, beside: Beside) -> Result<Linear> {
        let info = self.info(&format!("{name}.weight"), &[cols, rows])?;
        self.linear_rows(name, info, 0..rows, beside)
    }

    fn linear_rows(
        &mut self,
        name: &str,
        info: &TensorInfo,
        rows: std::ops::Range<usize>,
        beside: Beside,
    ) -> Result<Linear> {
        let weight = self.take(info, rows.start, rows.len(), 1)?;
        let bias_name = format!("{name}.bias");
        let bias = match beside.bias {
            Presence::Required => Some(self.vector(&bias_name, rows.len())?),
            Presence::Optional if self.has(&bias_name) => {
                Some(self.vector_rows(&bias_name, info.rows() as usize, &rows)?)
            }
            _ => None,
        };
        Ok(Linear { weight, bias, scale: self.scale(&format!("{name}.scale"), beside.scale)? })
    }

    /// Part of an F32 vector (a fused bias).
    fn vector_rows(&mut self, name: &str, n: usize, part: &std::ops::Range<usize>) -> Result<Weight> {
        let values = read_f32(self.gguf, self.info(name, &[n])?)?;
        let bytes = bytemuck::cast_slice(&values[part.clone()]);
        let desc = WeightDesc { name, ty: GgmlType::F32, cols: part.len(), rows: 1, mats: 1 };
        self.sink.take(&desc, &mut &*bytes)
    }

    /// Counts a tensor as read that may be there and is not used.
    fn ignore(&mut self, name: &str) {
        self.read.extend(self.gguf.tensor(name).map(|info| info.name.as_str()));
    }

    /// The factor of a scale tensor; 1 where there is none to use.
    fn scale(&mut self, name: &str, presence: Presence) -> Result<f32> {
        match presence {
            Presence::Optional | Presence::Required if self.has(name) => {}
            Presence::Ignored => {
                self.ignore(name);
                return Ok(1.0);
            }
            _ => return Ok(1.0),
        }
        let value = read_f32(self.gguf, self.info(name, &[1])?)?[0];
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
            attention: match config.layers[il].attention.dims {
                AttentionDims::Gqa(dims) => AttentionWeights::Gqa(self.gqa(&at, dims)?),
                AttentionDims::Mla(dims) => AttentionWeights::Mla(self.mla(&at, dims)?),
            },
            ffn_norm: self.norm(&format!("{at}{}", config.arch.ffn_norm), d, 1)?,
            ffn: match &config.layers[il].ffn {
                FfnConfig::Dense { width } => {
                    let beside = Beside { bias: config.arch.dense_bias, scale: config.arch.dense_scale };
                    Ffn::Dense(self.dense(&at, "", *width, beside)?)
                }
                FfnConfig::Moe(moe) => Ffn::Moe(Box::new(self.moe(&at, il, moe)?)),
            },
        })
    }

    fn gqa(&mut self, at: &str, dims: GqaDims) -> Result<GqaWeights> {
        let (arch, d) = (self.config.arch, self.config.d_model);
        let AttentionWidths { q: q_rows, k: k_rows, v: v_rows, out: attended, .. } = dims.widths();
        let fused = format!("{at}attn_qkv");
        let (q, k, v) = if self.has(&format!("{fused}.weight")) {
            let info = self.info(&format!("{fused}.weight"), &[d, q_rows + k_rows + v_rows])?;
            let (k0, v0, end) = (q_rows, q_rows + k_rows, q_rows + k_rows + v_rows);
            (
                self.linear_rows(&fused, info, 0..k0, QKV)?,
                self.linear_rows(&fused, info, k0..v0, QKV)?,
                self.linear_rows(&fused, info, v0..end, QKV)?,
            )
        } else {
            (
                self.linear(&format!("{at}attn_q"), d, q_rows, QKV)?,
                self.linear(&format!("{at}attn_k"), d, k_rows, QKV)?,
                self.linear(&format!("{at}attn_v"), d, v_rows, QKV)?,
            )
        };
        let (q_norm, k_norm) = (format!("{at}attn_q_norm"), format!("{at}attn_k_norm"));
        let qk_norm = match arch.qk_norm {
            QkNorm::None => None,
            QkNorm::PerHead => {
                Some((self.norm(&q_norm, dims.key_dim, dims.heads)?, self.norm(&k_norm, dims.key_dim, dims.kv_heads)?))
            }
            QkNorm::Whole => Some((self.norm(&q_norm, q_rows, 1)?, self.norm(&k_norm, k_rows, 1)?)),
        };
        let sinks = if arch.window_and_sinks { Some(self.sinks(at, dims.heads)?) } else { None };
        let beside = Beside { bias: arch.attention_output_bias, scale: Presence::Optional };
        let out = self.linear(&format!("{at}attn_output"), attended, d, beside)?;
        Ok(GqaWeights { dims, q, k, v, qk_norm, sinks, out })
    }

    fn sinks(&mut self, at: &str, heads: usize) -> Result<Weight> {
        let name = format!("{at}attn_sinks");
        // converters write the name with and without the suffix
        let name = if self.has(&name) { name } else { format!("{name}.weight") };
        self.vector(&name, heads)
    }

    fn mla(&mut self, at: &str, dims: MlaDims) -> Result<MlaWeights> {
        let (d, MlaDims { heads, kv_rank, value_dim, .. }) = (self.config.d_model, dims);
        let AttentionWidths { q: q_rows, k: latent, out: attended, .. } = dims.widths();
        let q_a_name = format!("{at}attn_q_a");
        let (q_a, q) = match self.gguf.tensor(&format!("{q_a_name}.weight")) {
            Some(info) => {
                let rank = info.rows() as usize;
                let down = self.linear(&q_a_name, d, rank, ALONE)?;
                let norm = self.norm(&format!("{q_a_name}_norm"), rank, 1)?;
                (
                    Some(QueryCompression { down, norm, rank }),
                    self.linear(&format!("{at}attn_q_b"), rank, q_rows, ALONE)?,
                )
            }
            None => (None, self.linear(&format!("{at}attn_q"), d, q_rows, ALONE)?),
        };
        let kv_a = self.linear(&format!("{at}attn_kv_a_mqa"), d, latent, ALONE)?;
        let mut kv_norm = self.norm(&format!("{at}attn_kv_a_norm"), kv_rank, 1)?;
        kv_norm.heads = dims.compressed(1);
        let kv_b = if dims.absorbed {
            let k_b = self.info(&format!("{at}attn_k_b.weight"), &[dims.nope_dim, kv_rank, heads])?;
            let v_b = self.info(&format!("{at}attn_v_b.weight"), &[kv_rank, value_dim, heads])?;
            MlaExpand::Absorbed {
                k_b: self.take(k_b, 0, kv_rank * heads, heads)?,
                v_b: self.take(v_b, 0, value_dim * heads, heads)?,
            }
        } else {
            MlaExpand::Full(self.linear(&format!("{at}attn_kv_b"), kv_rank, dims.widths().wide_v, ALONE)?)
        };
        let beside = Beside { scale: Presence::Optional, ..ALONE };
        let out = self.linear(&format!("{at}attn_output"), attended, d, beside)?;
        Ok(MlaWeights { dims, q_a, q, kv_a, kv_norm, kv_b, out })
    }

    fn dense(&mut self, at: &str, suffix: &str, width: usize, beside: Beside) -> Result<DenseFfn> {
        let d = self.config.d_model;
        Ok(DenseFfn {
            width,
            gate: self.linear(&format!("{at}ffn_gate{suffix}"), d, width, beside)?,
            up: self.linear(&format!("{at}ffn_up{suffix}"), d, width, beside)?,
            down: self.linear(&format!("{at}ffn_down{suffix}"), width, d, beside)?,
        })
    }

    fn moe(&mut self, at: &str, il: usize, moe: &MoeConfig) -> Result<Moe> {
        let (arch, d, n) = (self.config.arch, self.config.d_model, moe.rule.experts);
        let bias = if arch.expert_biases { Presence::Required } else { Presence::Unread };
        let router = self.linear(&format!("{at}ffn_gate_inp"), d, n, Beside { bias, ..ALONE })?;
        let mut rule = moe.rule.clone();
        let selection = format!("{at}exp_probs_b.bias");
        if self.has(&selection) && matches!(arch.router, Router::FromFile) {
            rule.selection_bias = Some(read_f32(self.gguf, self.info(&selection, &[n])?)?);
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
            match arch.expert_scales {
                true if self.has(&name) => *scale = Some(self.vector(&name, n)?),
                true => {}
                false => self.ignore(&name),
            }
        }
        let shared = match moe.shared_width {
            Some(width) => {
                let ffn = self.dense(at, "_shexp", width, SHARED_EXPERT)?;
                let gate = match arch.shared {
                    Shared::Gated => Some(self.linear(&format!("{at}ffn_gate_inp_shexp"), d, 1, ALONE)?),
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
    fn expert_layer(&mut self, at: &str, il: usize, moe: &MoeConfig) -> Result<ExpertLayer> {
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
