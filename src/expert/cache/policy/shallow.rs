//! Shallow layers first to stay.

use super::PolicyShape;
use super::scored::{Key, Real, Rule, Scored};

/// Layers at the front of a class whose experts leave last.
const KEPT_LAYERS: usize = 4;

/// Experts of the first four layers of the class leave last, the others before them; both by decayed use (see
/// [`Decay`](super::Decay)). It is the split of "Fate: Fast Edge Inference of Mixture-of-Experts Models via Cross-Layer
/// Gate": the first layers have no gate before them to predict from.
pub(super) type Shallow = Scored<ByDepth>;

/// See [`Shallow`].
pub(super) struct ByDepth;

impl Shallow {
    /// An empty policy.
    pub(super) fn new(shape: &PolicyShape) -> Self {
        Self::with_rule(shape, ByDepth)
    }
}

impl Rule for ByDepth {
    const NAME: &'static str = "shallow";

    fn key(&self, position: usize, ln_score: f64) -> Key {
        Key { kept: position < KEPT_LAYERS, value: Real(ln_score) }
    }
}
