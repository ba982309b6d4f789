//! Decayed frequency.

use super::PolicyShape;
use super::scored::{Key, Real, Rule, Scored};

/// The least decayed use leaves first: each token that visits a layer multiplies the scores of the layer's experts by
/// 0.9 and adds 0.1 to those that it uses. Scores outlive eviction; ties fall to the least recent.
pub(super) type Decay = Scored<ByDecayedUse>;

/// See [`Decay`].
pub(super) struct ByDecayedUse;

impl Decay {
    /// An empty policy.
    pub(super) fn new(shape: &PolicyShape) -> Self {
        Self::with_rule(shape, ByDecayedUse)
    }
}

impl Rule for ByDecayedUse {
    const NAME: &'static str = "decay";

    fn key(&self, _position: usize, ln_score: f64) -> Key {
        Key { kept: false, value: Real(ln_score) }
    }
}
