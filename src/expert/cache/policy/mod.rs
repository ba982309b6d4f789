//! Who leaves the cache: one trait, one file per policy.

mod belady;
mod decay;
mod kind;
mod lfu;
mod lru;
mod next_use;
mod router;
mod scored;
mod shallow;
mod slru;
#[cfg(test)]
mod tests;

pub use self::belady::Belady;
pub use self::kind::PolicyKind;
pub use self::lru::Lru;

use self::decay::Decay;
use self::lfu::Lfu;
use self::next_use::NextUse;
use self::router::Router;
use self::shallow::Shallow;
use self::slru::Slru;

use super::Request;
use crate::expert::ExpertId;

/// What a policy is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyShape {
    /// The layers of its class and how many experts each has, in model order.
    pub layers: Vec<(u32, usize)>,
    /// Slots of the class.
    pub slots: usize,
}

/// Chooses which resident expert gives up its slot.
///
/// A policy sees the requests and the cache's answers to them and nothing else: no time, no reads, no device. So the
/// same requests always give the same evictions. Each slot class has a policy object of its own.
pub trait EvictionPolicy: Send {
    /// The name a user types.
    fn name(&self) -> &'static str;
    /// Whether it asks for [`Request::scores`].
    fn wants_scores(&self) -> bool {
        false
    }
    /// One step of a layer asks for these experts, resident or not. Comes once per (step, layer), before any victim is
    /// chosen for it.
    fn request(&mut self, request: &Request<'_>);
    /// Experts of the last request that have just become residents, in request order.
    fn insert(&mut self, ids: &[ExpertId]);
    /// The expert has lost its slot.
    fn remove(&mut self, id: ExpertId);
    /// The resident expert that goes first among the `evictable`; ties fall to the lowest (layer, expert).
    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId>;
    /// The resident experts in the order they would go.
    fn residents(&self) -> Vec<ExpertId>;
    /// What it holds of the past, for [`Cache::recall`](super::Cache::recall) in a run to come: resident or not, the experts
    /// and their scores, those that would go first in front. A policy without scores gives its residents, and 0.
    fn memory(&self) -> Vec<(ExpertId, f32)> {
        self.residents().into_iter().map(|id| (id, 0.0)).collect()
    }
}
