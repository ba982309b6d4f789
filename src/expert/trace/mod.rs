//! Routing traces: what the router asked for and what the cache was given, so that a replay gives the run's own counts.
//!
//! A trace is a CSV file, packed with gzip where its name ends in `.gz`. Rows are experts that a layer asked for, one per
//! token and rank; all else stands in lines that begin with `#`, which readers of the plain format skip:
//!
//! | line | means |
//! | --- | --- |
//! | `# foregate trace 1` | the first line, the format's version |
//! | `# setup {...}` | [`Setup`] as JSON |
//! | `# layer=N expert_bytes=B` | bytes of one expert of a layer |
//! | `# chunk turn=T phase=P step=S tokens=N` | a pass of N tokens from position S on follows, layer by layer |
//! | `# scores S,S,...` | a token's router probabilities, behind the rows of its layer; one line per token |
//! | `# wave` and the other words of [`Event`] | what happened to the cache, where it happened |
//! | `# end` | the last line: the trace is whole |
//!
//! Columns: [`COLUMNS`]; `phase` is 0 in prefill and 1 in decode, `step` the token's position, `slot` the rank, `residency`
//! a number of [`Residency`], and `expert_bytes` what was read for the expert: 0 unless it was missing and is new in its
//! chunk.

mod read;
mod write;

pub use self::write::{TraceWriter, is_packed};
pub use read::{MAX_EXPERTS_PER_LAYER, Recorded, Trace};

use super::cache::Phase;
use super::{ExpertId, LayerShape, SlotClass};

/// The columns of a row.
pub const COLUMNS: &str = "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes";

/// The first line of a trace of our own.
const FIRST_LINE: &str = "# foregate trace 1";
/// Its last line, with its end.
const LAST_LINE: &str = "# end\n";

/// How a run's cache was set up: a trace begins with it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Setup {
    /// The model's name, for people.
    pub model: String,
    /// Layers with routed experts.
    pub layers: Vec<LayerShape>,
    /// Bytes of one expert in the file, beside `layers`.
    pub expert_bytes: Vec<usize>,
    /// Experts used per token.
    pub k: usize,
    /// The pools of slots.
    pub classes: Vec<SlotClass>,
    /// The policy, its parameters in its name.
    pub policy: String,
    /// Tokens per step in prefill at most.
    pub batch: usize,
}

/// Where an expert was when it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// In no slot: read now.
    Missing = 0,
    /// In a slot.
    Resident = 1,
    /// In probation: prefetched in time.
    Prefetched = 2,
    /// In a slot, its read still under way.
    Late = 3,
}

/// What one layer asked for in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// Turn of the conversation.
    pub turn: u32,
    /// Prompt or answer.
    pub phase: Phase,
    /// Absolute position of the first token.
    pub position: u32,
    /// Layer of the model.
    pub layer: u32,
    /// Experts per token.
    pub k: usize,
    /// Experts `(tokens, k)`, best first.
    pub chosen: Vec<u32>,
    /// Their weights `(tokens, k)`.
    pub weights: Vec<f32>,
    /// Where each of `chosen` was when the layer asked.
    pub residency: Vec<Residency>,
    /// The router's probabilities `(tokens, experts)`, where they were asked for.
    pub scores: Option<Vec<f32>>,
}

/// What happened to a cache, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An earlier run's memory was taken up ([`Cache::recall`](super::cache::Cache::recall)).
    Recalled(Vec<(ExpertId, f32)>),
    /// A class's number of probation slots was set.
    Probation(usize, usize),
    /// A prefetch got a slot and was queued.
    Issued(ExpertId),
    /// A prefetch was read.
    Landed(ExpertId),
    /// A prefetch was given up.
    Cancelled(ExpertId),
    /// A prefetched expert was requested and became a demanded one.
    Promoted(ExpertId),
    /// A read failed, and the slot fell empty.
    Failed(ExpertId),
    /// A layer asked for experts ([`Cache::begin`](super::cache::Cache::begin)); its first wave is served next. Stands
    /// before all that happens while the layer is served.
    Routed(Routed),
    /// A wave of the layer that asked last was served, and the next one begins: there are more experts than slots. Not
    /// for the first wave.
    Wave,
}
