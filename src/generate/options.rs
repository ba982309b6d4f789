//! How a model is opened.

use std::path::PathBuf;

use crate::compute::KvKind;
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::predict::PredictorKind;
use crate::expert::source::ReadPath;
use crate::generate::plan::CacheSize;

/// Layers ahead that are predicted unless told otherwise.
pub const LOOKAHEAD_DEFAULT: usize = 1;

/// Where to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best adapter, a software one included, or the one of this number.
    Gpu(Option<usize>),
    /// The oracle.
    Reference,
}

/// How to open a model. What is `None` is chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to compute.
    pub device: DeviceChoice,
    /// Ceiling of the process's resident set, in bytes.
    pub memory: Option<u64>,
    /// Ceiling of GPU memory, in bytes.
    pub vram: Option<u64>,
    /// Expert cache.
    pub cache: CacheSize,
    /// Who leaves the cache.
    pub policy: Option<PolicyKind>,
    /// Where the routing is recorded, and whether with the router's scores.
    pub trace: Option<(PathBuf, bool)>,
    /// The folder where the cache's content is kept between runs; `None`: it is not.
    pub warm: Option<PathBuf>,
    /// The folder where profiles are kept, which settle what is left open here; `None`: they are not looked for.
    pub profiles: Option<PathBuf>,
    /// How experts are read.
    pub io: Option<ReadPath>,
    /// Concurrent reads.
    pub lanes: Option<usize>,
    /// How much is read before the router asks for it.
    pub prefetch: Option<Prefetch>,
    /// How many layers ahead, from 1 to [`LOOKAHEAD_MAX`](crate::expert::predict::LOOKAHEAD_MAX).
    pub lookahead: Option<usize>,
    /// Who predicts.
    pub predictor: PredictorKind,
    /// Threads that compute (CPU).
    pub threads: Option<usize>,
    /// Positions of the KV cache; decided when the file is opened.
    pub ctx: Option<usize>,
    /// Tokens per forward pass in prefill.
    pub batch: Option<usize>,
    /// Storage of keys and values.
    pub kv: Option<KvKind>,
    /// Kernel level (CPU).
    pub cpu_features: Option<String>,
    /// Bytes that the caller holds beside the model, under the same ceiling.
    pub held: u64,
}
