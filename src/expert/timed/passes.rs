//! The passes through the layers that a trace recorded.

use crate::error::{Error, Result};
use crate::expert::cache::Phase;
use crate::expert::replay::begins_pass;
use crate::expert::trace::{Event, Routed, Trace};

/// What one layer asked for in a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Experts per token.
    pub k: usize,
    /// Experts `(tokens, k)`, best first.
    pub chosen: Vec<u32>,
    /// The router's probabilities `(tokens, experts)`, where they were recorded.
    pub scores: Option<Vec<f32>>,
}

/// Tokens that go through all layers together.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// Prompt or answer.
    pub phase: Phase,
    /// By layer with experts, in model order.
    pub layers: Vec<Choice>,
}

impl Pass {
    /// Tokens that are computed together.
    pub fn tokens(&self) -> usize {
        self.layers.first().map_or(0, |choice| choice.chosen.len() / choice.k.max(1))
    }

    /// The passes of a trace, in order; one that was cut off before its last layer is left out.
    ///
    /// # Errors
    /// No whole pass.
    pub fn all(trace: &Trace) -> Result<Vec<Self>> {
        let mut passes: Vec<Self> = Vec::new();
        let mut last: Option<&Routed> = None;
        for recorded in &trace.events {
            let Event::Routed(routed) = &recorded.event else { continue };
            if last.is_none_or(|last| begins_pass(last, routed)) {
                passes.push(Self { phase: routed.phase, layers: Vec::new() });
            }
            last = Some(routed);
            if let Some(pass) = passes.last_mut() {
                let Routed { k, chosen, scores, .. } = routed.clone();
                pass.layers.push(Choice { k, chosen, scores });
            }
        }
        passes.retain(|pass| pass.layers.len() == trace.layers.len());
        if passes.is_empty() {
            return Err(Error::Usage("the trace holds no whole pass through the layers".into()));
        }
        Ok(passes)
    }
}
