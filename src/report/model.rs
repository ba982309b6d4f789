//! What a model file holds, as data and as text.

use std::fmt::Write;

use serde::Serialize;

use crate::gguf::{Escaped, Gguf};
use crate::model::Model;
use crate::model::attention::{AttentionDims, GqaDims};
use crate::model::config::Config;
use crate::report::units::{bytes, percent};

/// What `inspect` says of a file.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct ModelFacts {
    pub name: String,
    pub architecture: &'static str,
    pub files: usize,
    pub file_bytes: u64,
    pub layers: usize,
    pub expert_layers: usize,
    pub width: usize,
    pub vocabulary: usize,
    pub ctx_trained: usize,
    pub attention: String,
    pub tokenizer: Option<String>,
    pub chat_template: bool,
    pub experts_per_layer: usize,
    pub experts_used: usize,
    pub experts: usize,
    pub experts_bytes: u64,
    pub expert_bytes: Vec<ExpertSize>,
    pub token_cycle: usize,
    pub token_cycle_bytes: u64,
    pub types: Vec<TypeShare>,
    pub expert_types: Vec<String>,
}

/// Layers whose experts are of one size.
#[derive(Clone, Copy, Debug, Serialize, PartialEq)]
#[allow(missing_docs)]
pub struct ExpertSize {
    pub bytes: usize,
    pub layers: usize,
}

/// A storage type's part of the file.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct TypeShare {
    #[serde(rename = "type")]
    pub ty: String,
    pub tensors: usize,
    pub bytes: u64,
}

impl ModelFacts {
    /// Gathers the facts of an open file and where its tensors are.
    ///
    /// # Errors
    /// A metadata key of a wrong type.
    pub fn new(gguf: &Gguf, model: &Model) -> crate::Result<Self> {
        let (config, meta) = (&model.config, gguf.metadata());
        let tokenizer = match (meta.str("tokenizer.ggml.model")?, meta.str("tokenizer.ggml.pre")?) {
            (Some(kind), Some(pre)) => Some(format!("{kind}, {pre}")),
            (kind, _) => kind.map(str::to_owned),
        };
        let used =
            |layer: u32| config.moe_layers().find(|(i, _)| *i == layer as usize).map_or(0, |(_, moe)| moe.rule.k);
        let mut sizes: Vec<ExpertSize> = Vec::new();
        for layer in &model.experts {
            let bytes = layer.expert_bytes();
            match sizes.iter_mut().find(|size| size.bytes == bytes) {
                Some(size) => size.layers += 1,
                None => sizes.push(ExpertSize { bytes, layers: 1 }),
            }
        }
        let mut expert_types: Vec<String> =
            model.experts.iter().map(|l| l.matrices.map(|m| m.ty.to_string()).join(" / ")).collect();
        expert_types.sort_unstable();
        expert_types.dedup();
        Ok(Self {
            name: config.name.clone(),
            architecture: config.arch.name,
            files: gguf.shard_paths().len(),
            file_bytes: gguf.file_bytes(),
            layers: config.layers.len(),
            expert_layers: model.experts.len(),
            width: config.d_model,
            vocabulary: config.n_vocab,
            ctx_trained: config.ctx_train,
            attention: attention_text(config),
            tokenizer,
            chat_template: meta.contains("tokenizer.chat_template"),
            experts_per_layer: model.experts.iter().map(|l| l.count).max().unwrap_or(0),
            experts_used: config.max_k(),
            experts: model.experts.iter().map(|l| l.count).sum(),
            experts_bytes: model.experts.iter().map(|l| (l.expert_bytes() * l.count) as u64).sum(),
            expert_bytes: sizes,
            token_cycle: model.experts.iter().map(|l| used(l.layer)).sum(),
            token_cycle_bytes: model.experts.iter().map(|l| (l.expert_bytes() * used(l.layer)) as u64).sum(),
            types: type_shares(gguf),
            expert_types,
        })
    }

    /// The facts for a reader.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, what: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<14}{what}");
        };
        let name = Escaped(if self.name.is_empty() { "(no name)" } else { &self.name });
        let files = if self.files == 1 { "1 file".into() } else { format!("{} files", self.files) };
        line("model", format!("{name} ({}), {} in {files}", self.architecture, bytes(self.file_bytes)));
        line("layers", format!("{} ({} with experts), width {}", self.layers, self.expert_layers, self.width));
        line("attention", format!("{}; trained for {} tokens", self.attention, self.ctx_trained));
        let template = if self.chat_template { "with" } else { "without" };
        let tokenizer = Escaped(self.tokenizer.as_deref().unwrap_or("none"));
        line("vocabulary", format!("{} tokens; tokenizer {tokenizer}, {template} chat template", self.vocabulary));
        if self.experts > 0 {
            let (count, k) = (self.experts_per_layer, self.experts_used);
            line(
                "experts",
                format!("{count} per layer, {k} used; {} in all, {}", self.experts, bytes(self.experts_bytes)),
            );
            for size in &self.expert_bytes {
                line("", format!("{} each in {} layers", bytes(size.bytes as u64), size.layers));
            }
            line("", format!("gate / up / down: {}", self.expert_types.join(", ")));
            line("token cycle", format!("{} experts, {}", self.token_cycle, bytes(self.token_cycle_bytes)));
        }
        let share = |t: &TypeShare| {
            format!("{} {} ({}, {} tensors)", t.ty, bytes(t.bytes), percent(t.bytes, self.file_bytes), t.tensors)
        };
        line("types", self.types.iter().map(share).collect::<Vec<_>>().join("; "));
        text
    }
}

/// Kinds of attention, each once.
fn attention_text(config: &Config) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for layer in &config.layers {
        let a = &layer.attention;
        let mut kind = match a.dims {
            AttentionDims::Mla(dims) => format!("{} heads over a latent of {}", dims.heads, dims.latent_dim()),
            AttentionDims::Gqa(GqaDims { heads, kv_heads, key_dim, .. }) => {
                format!("{heads} heads, {kv_heads} for keys and values, {key_dim} wide")
            }
        };
        if let Some(window) = a.window {
            let _ = write!(kind, ", window {window}");
        }
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join("; ")
}

/// Storage types, most bytes first.
fn type_shares(gguf: &Gguf) -> Vec<TypeShare> {
    let mut shares: Vec<TypeShare> = Vec::new();
    for tensor in gguf.tensors() {
        let ty = tensor.ty.to_string();
        match shares.iter_mut().find(|share| share.ty == ty) {
            Some(share) => {
                share.tensors += 1;
                share.bytes += tensor.bytes;
            }
            None => shares.push(TypeShare { ty, tensors: 1, bytes: tensor.bytes }),
        }
    }
    shares.sort_by_key(|share| std::cmp::Reverse(share.bytes));
    shares
}
