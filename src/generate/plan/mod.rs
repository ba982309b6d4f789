//! The memory plan: what stands where at a budget, decided before anything is allocated.
//!
//! Everything that grows with the model is counted here: resident weights, KV cache, activations, scratch, staging, expert
//! slots. What is left of the budget after the rest is the expert cache. A budget that cannot work is refused with the
//! smallest that would.

pub mod text;

use serde::Serialize;

use crate::compute::{Device, KvKind, StepSizes};
use crate::error::{Error, Result};
use crate::expert::cache::{classes_for, largest_budget, smallest_budget};
use crate::expert::predict::{Predictor, PredictorKind};
use crate::expert::source::MAPPED_BYTES_PER_LANE;
use crate::expert::{ExpertLayer, SlotClass};
use crate::gguf::Gguf;
use crate::model::attention::AttentionDims;
use crate::model::forward::{LOGIT_ROWS, activation_bytes, kv_specs};
use crate::model::sink::Measure;
use crate::model::{Config, Model};

/// How large the expert cache shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CacheSize {
    /// What the budget leaves.
    #[default]
    Fill,
    /// What the budget leaves, but at most this many bytes.
    UpTo(u64),
    /// This many bytes of slots.
    Bytes(u64),
    /// This share of all experts, above 0 and at most 1.
    Share(f64),
    /// This many times the experts that one token uses.
    Cycles(f64),
}

/// What a plan is made for.
pub struct Demand<'a> {
    /// Where it will stand.
    pub device: &'a dyn Device,
    /// Ceiling of the process's resident set.
    pub memory: Ceiling,
    /// Ceiling of device memory.
    pub vram: Option<Ceiling>,
    /// Expert cache.
    pub cache: CacheSize,
    /// Positions of the KV cache.
    pub ctx: usize,
    /// Tokens per forward pass in prefill; `None`: the device's default, or the most that leaves the cache its room.
    pub batch: Option<usize>,
    /// Storage of keys and values.
    pub kv: KvKind,
    /// Reads in flight.
    pub lanes: usize,
    /// Experts may be copied out of a map, whose pages count while they are.
    pub may_map: bool,
    /// Who predicts experts.
    pub predictor: PredictorKind,
    /// GPUs were looked for, which loads their drivers.
    pub looked_for_gpus: bool,
    /// Bytes that the caller holds beside the model.
    pub held: u64,
}

impl Demand<'_> {
    /// What weights, activations and slots may take, when the host's own share is `host`.
    fn device_budget(&self, host: u64) -> u64 {
        let memory = self.memory.bytes.saturating_sub(host);
        match self.vram {
            Some(vram) if self.device.info().shares_memory => vram.bytes.min(memory),
            Some(vram) => vram.bytes,
            None => memory,
        }
    }

    /// The ceiling that binds, when the host's own share is `host`, and what must fit under it beside the device's share.
    fn binding(&self, host: u64) -> (Ceiling, u64) {
        match self.vram {
            Some(vram) if !self.device.info().shares_memory || vram.bytes < self.memory.bytes.saturating_sub(host) => {
                (vram, 0)
            }
            _ => (self.memory, host),
        }
    }

    /// Refuses `--memory` beside a GPU with memory of its own: `smallest` works.
    fn too_small_for_host(&self, smallest: u64, staging: u64) -> Error {
        let fewer = if staging > 0 { "; fewer --lanes also help" } else { "" };
        let (ceiling, smallest) = (self.memory, mib(smallest, true));
        Error::Budget(format!(
            "{ceiling} is too small for what this model takes beside the GPU: the smallest that works is --memory {smallest}{fewer}"
        ))
    }

    /// Refuses a ceiling: `smallest` works.
    fn too_small(&self, ceiling: &Ceiling, smallest: u64, staging: u64) -> Error {
        let (flag, smallest) = (ceiling.flag, mib(smallest, true));
        let cached = !matches!(self.cache, CacheSize::Fill | CacheSize::UpTo(_));
        let with = if cached { " with that --cache" } else { "" };
        let less = [(cached, "--cache, "), (true, "--ctx"), (staging > 0, ", --lanes"), (true, " or --batch")];
        let less: String = less.iter().filter(|(helps, _)| *helps).map(|(_, flag)| *flag).collect();
        let cpu = if self.looked_for_gpus { ", and so does --device cpu, which looks for no GPU" } else { "" };
        Error::Budget(format!(
            "{ceiling} is too small for this model{with} and a context of {}: the smallest that works is {flag} {smallest}; a \
             smaller {less} also helps{cpu}",
            self.ctx
        ))
    }
}

/// A bound of memory, as a message names it.
#[derive(Clone, Copy, Debug)]
pub struct Ceiling {
    /// The flag that sets it.
    pub flag: &'static str,
    /// Bytes.
    pub bytes: u64,
    /// Whether somebody asked for it, or it is what there is.
    pub given: bool,
}

impl std::fmt::Display for Ceiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { flag, bytes, given } = self;
        let bytes = mib(*bytes, false);
        if *given { write!(f, "{flag} {bytes}") } else { write!(f, "the default {flag} here, {bytes},") }
    }
}

/// Where the bytes go. All sizes in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Ceiling of the process's resident set.
    pub memory: u64,
    /// Ceiling of device memory.
    pub vram: Option<u64>,
    /// Positions of the KV cache.
    pub ctx: usize,
    /// Tokens per forward pass in prefill.
    pub batch: usize,
    /// Program, libraries, file index, driver, what predictions learn.
    pub process: u64,
    /// Vocabulary.
    pub tokenizer: u64,
    /// Resident weights.
    pub weights: u64,
    /// Keys and values.
    pub kv: u64,
    /// Activations and scratch of a step.
    pub activations: u64,
    /// Buffers between disk and device, and mapped pages while they are copied.
    pub staging: u64,
    /// Reads in flight that this was planned for.
    #[serde(skip)]
    pub lanes: usize,
    /// Expert slots.
    pub slots: u64,
    /// Pools of slots.
    pub classes: Vec<SlotClass>,
    /// The model's routed experts, with the slots that they take on the device.
    #[serde(skip)]
    pub layers: Vec<ExpertLayer>,
    /// Experts of the whole model.
    pub experts: usize,
    /// Experts that one token uses.
    pub cycle: usize,
    /// Bytes of all experts in the file.
    pub expert_bytes: u64,
    /// The smallest value of the ceiling that binds (`--memory` or `--vram`) that works with these settings.
    pub smallest: u64,
}

/// The program itself, its stacks and small allocations.
const PROCESS_BYTES: u64 = 28 << 20;
/// The libraries that looking for GPUs leaves in the process.
const DRIVER_LIBRARIES_BYTES: u64 = 48 << 20;
/// A tensor's entry in the file index.
const TENSOR_BYTES: u64 = 256;
/// A token's share of the vocabulary tables, and a merge's.
const TOKEN_BYTES: u64 = 120;
/// See `TOKEN_BYTES`.
const MERGE_BYTES: u64 = 60;
/// A batch that is not asked for may take one part in so many of the budget for its activations.
const BATCH_SHARE: u64 = 8;

/// What does not depend on the cache.
struct Fixed {
    process: u64,
    tokenizer: u64,
    weights: u64,
    kv: u64,
    activations: u64,
    staging: u64,
}

impl Fixed {
    fn host(&self) -> u64 {
        self.process + self.tokenizer + self.staging
    }

    fn device(&self) -> u64 {
        self.weights + self.kv + self.activations
    }
}

impl Plan {
    /// Plans `model`, whose resident weights `measured` counted.
    ///
    /// # Errors
    /// [`Error::Budget`] with the smallest budget that works.
    pub fn new(gguf: &Gguf, model: &Model, measured: &Measure, demand: &Demand<'_>) -> Result<Self> {
        let (k, footprint) = (model.config.max_k(), demand.device.footprint());
        let mut layers = model.experts.clone();
        for layer in &mut layers {
            layer.slot_bytes = demand.device.slot_bytes(layer)?;
        }
        let cycle = model.config.moe_layers().map(|(_, m)| m.rule.k).sum();
        let least = if k == 0 { 0 } else { smallest_budget(&layers, k) };
        let wanted = if k == 0 { None } else { wanted_cache(&layers, k, cycle, least, demand.cache)? };
        let fixed = |batch: usize| Fixed::count(gguf, model, measured, demand, batch);
        let budget = |f: &Fixed| demand.device_budget(f.host());
        let cache = wanted.unwrap_or(least);
        let largest = largest_batch(demand);
        let batch = if demand.batch.is_some() || footprint.batch_fixed {
            largest
        } else {
            let base = fixed(1).activations;
            let fits = |&b: &usize| {
                let f = fixed(b);
                f.device() + cache <= budget(&f) && f.activations - base <= budget(&f) / BATCH_SHARE
            };
            std::iter::successors(Some(largest), |b| (*b > 1).then(|| b / 2)).find(fits).unwrap_or(1)
        };
        let f = fixed(batch);
        // what the ceiling that is named must hold at least
        let (ceiling, beside) = demand.binding(f.host());
        let leanest = if demand.batch.is_none() && !footprint.batch_fixed { fixed(1).device() } else { f.device() };
        let smallest = beside + leanest + cache;
        if f.device() + cache > budget(&f) {
            return Err(demand.too_small(&ceiling, smallest, f.staging));
        }
        if f.host() > demand.memory.bytes {
            return Err(demand.too_small_for_host(f.host(), f.staging));
        }
        let left = budget(&f) - f.device();
        let room = wanted.unwrap_or(match demand.cache {
            CacheSize::UpTo(most) => left.min(most.max(least)),
            _ => left,
        });
        let classes = if k == 0 { Vec::new() } else { classes_for(&mut layers, k, room)? };
        let slot_bytes = classes.iter().map(|c| (c.slots * c.slot_bytes) as u64).sum();
        Ok(Self {
            memory: demand.memory.bytes,
            vram: demand.vram.map(|vram| vram.bytes),
            ctx: demand.ctx,
            batch,
            process: f.process,
            tokenizer: f.tokenizer,
            weights: f.weights,
            kv: f.kv,
            activations: f.activations,
            staging: f.staging,
            lanes: demand.lanes,
            slots: slot_bytes,
            classes,
            experts: layers.iter().map(|l| l.count).sum(),
            cycle,
            expert_bytes: layers.iter().map(|l| (l.expert_bytes() * l.count) as u64).sum(),
            layers,
            smallest,
        })
    }

    /// Slots of all pools.
    pub fn slot_count(&self) -> usize {
        self.classes.iter().map(|c| c.slots).sum()
    }
}

/// Tokens per forward pass that are asked for, or else the device's choice; never more than the context has room for.
fn largest_batch(demand: &Demand<'_>) -> usize {
    demand.batch.unwrap_or(demand.device.footprint().batch).min(demand.ctx)
}

/// Mebibytes with one decimal, or bytes below one, as a flag takes them: a ceiling that was given is never shown larger, one
/// that works never smaller.
pub fn mib(bytes: u64, rounded_up: bool) -> String {
    const MIB: u64 = 1 << 20;
    if bytes < MIB {
        return format!("{bytes}B");
    }
    // what is typed with a decimal stands for whole bytes below it
    let beside = if rounded_up { MIB - 1 } else { 9 };
    let tenths = bytes / MIB * 10 + (bytes % MIB * 10 + beside) / MIB;
    format!("{}.{}MiB", tenths / 10, tenths % 10)
}

/// Bytes of slots that were asked for; `None` where they fill what is left.
fn wanted_cache(layers: &[ExpertLayer], k: usize, cycle: usize, least: u64, cache: CacheSize) -> Result<Option<u64>> {
    let largest = layers.iter().map(|l| l.slot_bytes as u64).max().unwrap_or(0);
    let all = largest_budget(layers, k);
    let experts: usize = layers.iter().map(|l| l.count).sum();
    let slots = |slots: f64| (slots.ceil() as u64).saturating_mul(largest);
    let wanted = match cache {
        CacheSize::Fill | CacheSize::UpTo(_) => return Ok(None),
        CacheSize::Bytes(bytes) => bytes,
        CacheSize::Share(share) => slots(experts as f64 * share),
        CacheSize::Cycles(cycles) => slots(cycle as f64 * cycles),
    };
    if wanted < least {
        let (percent, cycles) = (least as f64 / all as f64 * 100.0, least as f64 / (cycle as u64 * largest) as f64);
        return Err(Error::Budget(format!(
            "--cache of {} is too small: one layer's {k} experts need {}, {:.2}% of all or {:.3}x what a token uses",
            mib(wanted, false),
            mib(least, true),
            (percent * 100.0).ceil() / 100.0,
            (cycles * 1000.0).ceil() / 1000.0
        )));
    }
    Ok(Some(wanted.min(all)))
}

impl Fixed {
    fn count(gguf: &Gguf, model: &Model, measured: &Measure, demand: &Demand<'_>, batch: usize) -> Self {
        let c = &model.config;
        let footprint = demand.device.footprint();
        let kv = kv_specs(c).into_iter().map(|spec| demand.device.kv_bytes(&spec, demand.ctx, demand.kv));
        let largest = model.experts.iter().map(|l| l.window_bytes() as u64).max().unwrap_or(0);
        Self {
            process: program_bytes(demand.looked_for_gpus)
                + footprint.driver_bytes
                + demand.held
                + gguf.tensors().len() as u64 * TENSOR_BYTES
                + Predictor::bytes(demand.predictor, &c.routed_layers(), c.n_vocab, largest_batch(demand)),
            tokenizer: tokenizer_bytes(gguf),
            weights: measured.bytes,
            kv: kv.sum(),
            activations: activation_bytes(model, batch)
                + demand.device.scratch_bytes(&step_sizes(c, measured, demand.ctx, batch))
                + copied_bytes(c, batch),
            staging: if footprint.staged { largest * (demand.lanes as u64 + 1) } else { 0 }
                + if demand.may_map { MAPPED_BYTES_PER_LANE * demand.lanes as u64 } else { 0 },
        }
    }
}

fn program_bytes(looked_for_gpus: bool) -> u64 {
    PROCESS_BYTES + if looked_for_gpus { DRIVER_LIBRARIES_BYTES } else { 0 }
}

fn tokenizer_bytes(gguf: &Gguf) -> u64 {
    let len = |key: &str| gguf.metadata().strings(key).ok().flatten().map_or(0, |s| s.len() as u64);
    len("tokenizer.ggml.tokens") * TOKEN_BYTES + len("tokenizer.ggml.merges") * MERGE_BYTES
}

fn step_sizes(c: &Config, measured: &Measure, ctx: usize, batch: usize) -> StepSizes {
    let group = |a: &AttentionDims| a.heads() / a.kv_spec().heads;
    StepSizes {
        batch,
        ctx,
        cols: (measured.max_cols as usize).max(c.d_model),
        layer_rows: measured.max_layer_rows as usize,
        logits: c.n_vocab * LOGIT_ROWS,
        head_group: c.layers.iter().map(|l| group(&l.attention.dims)).max().unwrap_or(1),
        expert_elements: c.moe_layers().map(|(_, m)| m.rule.k * (c.d_model + m.width)).max().unwrap_or(0),
    }
}

/// The rows of logits that leave the device, and a whole prompt batch of embeddings on their way to it.
fn copied_bytes(c: &Config, batch: usize) -> u64 {
    4 * (c.n_vocab as u64 * LOGIT_ROWS.min(batch) as u64 + c.d_model as u64 * batch as u64)
}
