//! Decayed router scores.

use super::PolicyShape;
use super::scored::{Key, LayerScores, Real, Rule, Scored};
use crate::expert::cache::Request;

/// The least decayed router score leaves first: as [`Decay`](super::Decay), but each token adds 0.1 of the probability
/// that the router gave to an expert, whether it was chosen or not. A request without scores is entered as `Decay` does.
pub(super) type Router = Scored<ByProbability>;

/// See [`Router`].
pub(super) struct ByProbability;

impl Router {
    /// An empty policy.
    pub(super) fn new(shape: &PolicyShape) -> Self {
        Self::with_rule(shape, ByProbability)
    }
}

impl Rule for ByProbability {
    const NAME: &'static str = "router";
    const ALL_SCORES: bool = true;

    fn learn(&mut self, scores: &mut LayerScores, request: &Request<'_>) {
        match request.scores {
            Some(probabilities) => scores.decayed_probability(probabilities),
            None => scores.decayed_use(request),
        }
    }

    fn key(&self, _position: usize, ln_score: f64) -> Key {
        Key { kept: false, value: Real(ln_score) }
    }
}
