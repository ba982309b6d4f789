//! Least frequently used.

use super::PolicyShape;
use super::scored::{Key, LayerScores, Real, Rule, Scored};
use crate::expert::cache::Request;

/// The fewest uses since the start leave first, each token's use counted; counts outlive eviction, and ties fall to the
/// least recent.
pub(super) type Lfu = Scored<ByCount>;

/// See [`Lfu`].
pub(super) struct ByCount;

impl Lfu {
    /// An empty policy.
    pub(super) fn new(shape: &PolicyShape) -> Self {
        Self::with_rule(shape, ByCount)
    }
}

impl Rule for ByCount {
    const NAME: &'static str = "lfu";

    fn learn(&mut self, scores: &mut LayerScores, request: &Request<'_>) {
        scores.count(request);
    }

    fn key(&self, _position: usize, ln_score: f64) -> Key {
        Key { kept: false, value: Real(ln_score) }
    }
}
