//! What is asked of the cache, what it answers, and what it counts.

use crate::expert::{ExpertId, SlotId};

/// What a step is for; counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The prompt.
    #[default]
    Prefill,
    /// One new token at a time.
    Decode,
}

/// What the router of one layer asked for in one step.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the step is for.
    pub phase: Phase,
    /// Layer of the model.
    pub layer: u32,
    /// Tokens of the step.
    pub tokens: usize,
    /// Experts chosen, `(tokens, k)`, best first.
    pub chosen: &'a [u32],
    /// Each of `chosen` once, in order of first appearance.
    pub distinct: &'a [u32],
    /// The router's probabilities of all experts, `(tokens, experts)`, where they are known.
    pub scores: Option<&'a [f32]>,
}

impl Request<'_> {
    /// The distinct experts' ids.
    pub fn ids(&self) -> impl Iterator<Item = ExpertId> + '_ {
        self.distinct.iter().map(|&index| ExpertId { layer: self.layer, index })
    }
}

/// Counts per (layer, expert) request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Distinct experts asked for, summed over (step, layer).
    pub requests: u64,
    /// Requests that found their expert in a slot.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Demanded experts that lost their slot.
    pub evictions: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.requests += more.requests;
        self.hits += more.hits;
        self.misses += more.misses;
        self.evictions += more.evictions;
    }
}

impl std::ops::Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            hits: self.hits - before.hits,
            misses: self.misses - before.misses,
            evictions: self.evictions - before.evictions,
        }
    }
}

/// One miss: the slot that the expert is to be read into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The missing expert.
    pub id: ExpertId,
    /// Its slot from now on.
    pub slot: SlotId,
    /// Whose slot it was; `None` if the slot was empty. A kept expert is no eviction.
    pub evicted: Option<ExpertId>,
}

/// A prefetched expert that was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Stays in its slot, and is demanded from now on.
    pub id: ExpertId,
    /// Whose slot joined probation in exchange; `None` if an empty one did.
    pub evicted: Option<ExpertId>,
}

/// Experts that are in the cache at once, pinned until the next wave or [`Cache::release`](super::Cache::release).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wave {
    /// Residents.
    pub hits: Vec<(ExpertId, SlotId)>,
    /// Those of the hits that came out of probation.
    pub promoted: Vec<Promotion>,
    /// Misses, in request order.
    pub fills: Vec<Fill>,
}
