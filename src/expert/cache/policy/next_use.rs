//! Longest expected next use.

use super::PolicyShape;
use super::scored::{Key, Real, Rule, Scored};

/// The longest expected time to the next use leaves first, counted in layers: until its layer comes round again, and a
/// whole token for each visit that is expected to pass it by. If visits use an expert with probability `p`, which the
/// decayed use estimates (see [`Decay`](super::Decay)), these are `1/p - 1`.
pub(super) type NextUse = Scored<ByNextUse>;

/// See [`NextUse`].
pub(super) struct ByNextUse {
    layers: u64,
    /// Layers visited so far, those passed over included: the layer at position `i` is visited at times `i` modulo
    /// `layers`.
    now: u64,
}

impl NextUse {
    /// An empty policy.
    pub(super) fn new(shape: &PolicyShape) -> Self {
        let layers = shape.layers.len() as u64;
        // As after a token, so that the first layer is next.
        Self::with_rule(shape, ByNextUse { layers, now: layers.saturating_sub(1) })
    }
}

impl ByNextUse {
    /// Layers from now until the one at `position` comes round: 1 to all of them.
    fn distance(&self, position: usize) -> u64 {
        let ahead = (position as u64 + self.layers - self.now % self.layers) % self.layers;
        if ahead == 0 { self.layers } else { ahead }
    }
}

impl Rule for ByNextUse {
    const NAME: &'static str = "next-use";

    fn visit(&mut self, position: usize) -> usize {
        let passed = self.distance(position);
        self.now += passed;
        passed as usize
    }

    /// In absolute time, which stands still until the layer is visited or passed over.
    fn key(&self, position: usize, ln_score: f64) -> Key {
        let next_visit = (self.now + self.distance(position)) as f64;
        let visits_without = (-ln_score.min(0.0)).exp() - 1.0;
        Key { kept: false, value: Real(-(next_visit + self.layers as f64 * visits_without)) }
    }
}
